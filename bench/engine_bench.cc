// What the engine records with a client that answers at once: the workload `register` on registers
// in memory, all on disk when the clock stops. Then, at a low rate, how many operations the history
// shows as concurrent although the client never saw two at a time.

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <thread>
#include <unordered_map>

#include <sys/resource.h>
#include <unistd.h>

#include "harness/workers.h"
#include "workloads/workload.h"

namespace ordeal {

namespace {

// Integer registers, in stripes with a lock each: next to nothing, so that the engine is what is
// measured.
class Registers {
 public:
  Completion invoke(const Request& request) {
    Stripe& stripe =
        stripes_[static_cast<std::size_t>(*request.key.as_integer()) % stripes_.size()];
    const std::lock_guard lock(stripe.mutex);
    Value& value = stripe.values[*request.key.as_integer()];
    if (request.function == Function::read) return {Outcome::ok, value, {}};
    if (request.function == Function::write) {
      value = request.argument;
      return {Outcome::ok, {}, {}};
    }
    const Value::List& swap = *request.argument.as_list();
    if (!(value == swap[0])) return {Outcome::fail, {}, std::string(cas_mismatch)};
    value = swap[1];
    return {Outcome::ok, {}, {}};
  }

 private:
  struct Stripe {
    std::mutex mutex;
    std::unordered_map<std::int64_t, Value> values;
  };
  std::array<Stripe, 64> stripes_;
};

class MemoryClient : public clusters::Client {
 public:
  explicit MemoryClient(Registers& registers) : registers_(registers) {}
  Completion invoke(const Request& request, Deadline) override {
    return registers_.invoke(request);
  }

 private:
  Registers& registers_;
};

// Of all threads, in user mode and in the kernel.
double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

struct Measured {
  std::uint64_t operations = 0;
  double seconds = 0;
  double cpu_seconds = 0;
  std::uintmax_t bytes = 0;
};

Measured measure(std::size_t workers, double rate, Nanoseconds time,
                 const std::filesystem::path& file) {
  Registers registers;
  const auto open = [&registers](std::size_t) -> Result<std::unique_ptr<clusters::Client>> {
    return std::make_unique<MemoryClient>(registers);
  };
  workloads::WorkloadOptions workload;
  workload.clients = workers;
  workload.rate = rate;
  const auto made = workloads::workload_kinds().front().make(workload);
  auto history = HistoryWriter::create(file, {"n1", "n2", "n3", "n4", "n5"});
  if (!history) {
    std::fprintf(stderr, "%s\n", history.error().message.c_str());
    std::exit(1);
  }
  harness::WorkersOptions options;
  options.workers = workers;
  options.nodes = 5;
  harness::WorkersProgress progress;
  const double cpu_before = cpu_seconds();
  const RunClock clock;
  const auto end =
      harness::run_workers(workloads::time_limit(time, made->main(Rng(1))), Rng(1), open, **history,
                           clock, options, progress, std::stop_token());
  const auto closed = (*history)->close();
  const double seconds = std::chrono::duration<double>(clock.now()).count();
  if (end.failure || !closed) {
    std::fprintf(stderr, "%s\n", (end.failure ? *end.failure : closed.error()).message.c_str());
    std::exit(1);
  }
  return {progress.ok + progress.fail + progress.info, seconds, cpu_seconds() - cpu_before,
          std::filesystem::file_size(file)};
}

void throughput(const std::filesystem::path& file, Nanoseconds time) {
  std::printf("%8s %12s %14s %8s %10s %12s %10s\n", "workers", "operations", "operations/s",
              "ns/op", "CPU ns/op", "MB on disk", "bytes/op");
  for (const std::size_t workers : {1U, 2U, 4U, 10U}) {
    const Measured measured = measure(workers, 0, time, file);
    const auto operations = static_cast<double>(measured.operations);
    const auto bytes = static_cast<double>(measured.bytes);
    std::printf("%8zu %12.0f %14.0f %8.0f %10.0f %12.0f %10.0f\n", workers, operations,
                operations / measured.seconds, measured.seconds * 1e9 / operations,
                measured.cpu_seconds * 1e9 / operations, bytes / 1e6, bytes / operations);
  }
}

void concurrency_at(double rate, const std::filesystem::path& file) {
  (void)measure(10, rate, 3s, file);
  const auto history = read_history(file);
  if (!history) {
    std::fprintf(stderr, "%s\n", history.error().message.c_str());
    std::exit(1);
  }
  std::size_t concurrent = 0;
  EventIndex latest = 0;
  for (const Operation& op : history->operations) {
    concurrent += op.invoked < latest ? 1U : 0U;
    latest = std::max(latest, op.completed);
  }
  std::printf("%8.0f %12zu %14zu\n", rate, history->operations.size(), concurrent);
}

}  // namespace

}  // namespace ordeal

int main(int argc, char** argv) {
  using namespace ordeal;
  const auto file =
      std::filesystem::temp_directory_path() / ("engine_bench." + std::to_string(getpid()));
  const int seconds = argc > 1 ? std::atoi(argv[1]) : 3;
  throughput(file, std::chrono::seconds(seconds));
  std::printf("\n%8s %12s %14s\n", "rate/s", "operations", "concurrent");
  for (const double rate : {50.0, 500.0}) concurrency_at(rate, file);
  std::filesystem::remove(file);
}
