// The last reads of the workloads saga and tcc: every ledger, and the open ones until they end or
// have been watched for long enough to call them stuck.

#include "workloads/steps.h"

#include <map>

#include <catch2/catch.hpp>

#include "tests/workloads/simulator.h"

namespace ordeal::workloads {
namespace {

Value ledger(bool ended) {
  Value::List deeds = {Value::list({1, "a", "do"})};
  if (ended) deeds.push_back(Value::list({1, "-", "committed"}));
  return Value(std::move(deeds));
}

}  // namespace

TEST_CASE("steps: at the end every ledger is read, and open ones until they end") {
  const std::uint64_t seed = GENERATE(as<std::uint64_t>(), 1, 2, 3);
  CAPTURE(seed);
  std::map<std::int64_t, int> reads;
  SimulationOptions options;
  options.seed = seed;
  options.workers = 4;
  options.probe = true;
  // 1 has ended, 2 ends at its third read, 3 never does, 4 never began.
  options.answer = [&reads](const Request& request, Rng&) -> Completion {
    const std::int64_t key = *request.key.as_integer();
    const int count = ++reads[key];
    if (key == 4) return {Outcome::ok, Value(Value::List{}), {}};
    return {Outcome::ok, ledger(key == 1 || (key == 2 && count == 3)), {}};
  };
  const auto workload = make_saga({});
  const Simulation simulation = simulate(workload->final({1, 2, 3, 4}), options);
  CHECK(simulation.breaches.empty());
  CHECK(simulation.ended);
  CHECK(reads[1] == 1);
  CHECK(reads[2] == 3);
  CHECK(reads[4] == 1);
  REQUIRE(reads[3] >= 6);
  Nanoseconds first = Nanoseconds::max(), last{};
  for (const auto& op : simulation.operations) {
    if (!(op.request.key == Value(3))) continue;
    first = std::min(first, op.completed_at);
    last = std::max(last, op.invoked_at);
  }
  CHECK(last - first >= 9s);
  CHECK(simulation.ended_at < 18s);
}

}  // namespace ordeal::workloads
