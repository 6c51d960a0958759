// How long judging takes, in ns an operation: histories of a truthful register under concurrent
// clients, drawn from a seed. Usage: checkers_bench [threads]

#include <cstdlib>

#include <fmt/format.h>

#include "bench/simulation.h"
#include "checkers/linearizability.h"

namespace {

using namespace ordeal;

}  // namespace

int main(int argc, char** argv) {
  const bench::Load loads[] = {
      {"one key, new values", 30'000, 1, 10, 0, 0},
      {"one key, new values, 2 % unknown", 30'000, 1, 10, 0, 0.02},
      {"one key, new values, 30 clients", 1'000'000, 1, 30, 0, 0.05},
      {"1000 keys, new values", 1'000'000, 1000, 10, 0, 0.001},
      {"one key, 5 values, 30 clients", 100'000, 1, 30, 5, 0},
      {"the same, 5 % unknown", 100'000, 1, 30, 5, 0.05},
  };
  for (const bench::Load& load : loads) {
    const History history = bench::simulate(load, 1);
    checkers::CheckOptions options;
    if (argc > 1) options.threads = static_cast<std::size_t>(std::max(1, std::atoi(argv[1])));
    const CheckReport report = checkers::check_linearizable_register(history, options);
    fmt::print("{:34} {:9} operations  {:7}  {:>9}  {:6} ns/op\n", load.name, load.operations,
               to_text(report.answer), to_text(report.took),
               report.took.count() / static_cast<std::int64_t>(load.operations));
  }
}
