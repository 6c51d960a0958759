#pragma once
// The engine: N worker threads, one client each, pull requests from a generator and record what
// became of them.
//
// One lock orders everything that must be ordered: a worker hands in its completion, learns its
// next request and records the invocation, then leaves the lock and calls its client. So an
// invocation is recorded before the request is sent and a completion after the answer was received,
// completions come before the generation of the next request (no false concurrency at low rates),
// and the generator needs no thread safety. Completions are stamped when the answer arrives, before
// the lock.
//
// A worker's node is fixed: (first_node + worker) modulo nodes. After an `info` its process is
// retired: the worker goes on as process + workers, with a new client. Clients are opened between
// operations; where that fails, the worker's next request is recorded as `fail`, since it was never
// sent, and then it is tried again.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

#include "clusters/cluster.h"
#include "core/history.h"
#include "core/random.h"
#include "harness/live_view.h"
#include "workloads/generator.h"

namespace ordeal::harness {

struct WorkersOptions {
  std::size_t workers = 10;
  std::size_t nodes = 1;
  std::size_t first_node = 0;  // of the first worker
  Nanoseconds operation_timeout = 1s;
  Process first_process = 0;  // so that a later phase does not reuse process numbers
  // After `fail` or `info` a worker pauses this long, so that a dead node does not fill the
  // history. A compare-and-set that found another value is an answer and costs no pause.
  Nanoseconds pause_after_error = 20ms;
  // Told each event, in order, once it is recorded; under the lock, so it must be quick. The phase
  // ends when it returns false.
  std::function<bool(const Event&)> on_event;
};

// What a worker is doing now.
struct WorkerNow {
  std::atomic<std::int64_t> since{-1};  // on the run clock, in ns; negative: it asks for nothing
  std::atomic<Process> process{0};
  std::atomic<Function> function{Function::read};
};

// Live figures; any thread may read them.
struct WorkersProgress {
  std::array<WorkerNow, 64> workers;  // the first ones
  std::atomic<std::uint64_t> ok{0}, fail{0}, info{0};
  std::array<std::atomic<std::uint64_t>, 64> ok_by_function{};  // by Function
  // Of what was answered ok, by LatencyCounts::bucket.
  std::array<std::atomic<std::uint64_t>, LatencyCounts::size> latencies{};
};

// Called by the workers' threads, several at a time.
using OpenClient = std::function<Result<std::unique_ptr<clusters::Client>>(std::size_t node)>;

struct WorkersEnd {
  Process next_process = 0;            // neither this number nor a higher one was used
  std::size_t clients_not_opened = 0;  // attempts that failed
  // Why the phase could not be carried to its end: the history could not be written, a thread not
  // be started, or the generator made everybody wait for nothing.
  std::optional<Error> failure;
};

// Returns when the generator is done and all operations are complete, when stop is requested
// (operations under way are waited for, at most operation_timeout), or when it failed.
[[nodiscard]] WorkersEnd run_workers(workloads::Generator generator, Rng rng,
                                     const OpenClient& open, HistoryWriter& history,
                                     const RunClock& clock, const WorkersOptions& options,
                                     WorkersProgress& progress, const std::stop_token& stop);

}  // namespace ordeal::harness
