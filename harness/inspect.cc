#include "harness/inspect.h"

#include <charconv>
#include <condition_variable>

#include "harness/replicas.h"

namespace ordeal::harness {

namespace {

constexpr auto answer_within = 1s;
constexpr auto between_questions = 200ms;

std::optional<std::int64_t> integer_in(std::string_view text) {
  std::int64_t number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end.ec != std::errc()) return std::nullopt;
  return number;
}

// The second of two questions is the one that counts: the first one pays for starting the shell.
std::optional<ClockOffset> clock_of(clusters::Remote& remote, const RunClock& clock) {
  const Nanoseconds origin = clock.wall_origin().time_since_epoch();
  std::optional<ClockOffset> best;
  for (int i = 0; i < 2; ++i) {
    const Nanoseconds asked = origin + clock.now();
    const auto output = remote.run({"date +%s%N", {}, 5s});
    const Nanoseconds answered = origin + clock.now();
    const auto theirs = output && output->ok() ? integer_in(output->out) : std::nullopt;
    if (!theirs) continue;
    const Nanoseconds uncertainty = (answered - asked) / 2;
    if (best && best->uncertainty <= uncertainty) continue;
    best = ClockOffset{remote.node().name, Nanoseconds(*theirs) - asked - uncertainty, uncertainty};
  }
  return best;
}

}  // namespace

void inspect_machines(const std::vector<clusters::Remote*>& remotes, const RunClock& clock,
                      Execution& execution) {
  const auto clocks =
      clusters::on_each<ClockOffset>(remotes.size(), [&](std::size_t node) -> Result<ClockOffset> {
        const auto offset = clock_of(*remotes[node], clock);
        if (!offset) return error("{} does not tell the time", remotes[node]->node().name);
        return *offset;
      });
  execution.clocks.clear();
  for (const Result<ClockOffset>& offset : clocks) {
    if (offset) execution.clocks.push_back(*offset);
  }
  const auto kernel = remotes.front()->run({"uname -sr", {}, 5s});
  if (kernel && kernel->ok()) execution.kernel = kernel->out.substr(0, kernel->out.find('\n'));
}

std::vector<Replica> inspect_replicas(clusters::Cluster& cluster,
                                      const std::vector<std::string>& names, Deadline deadline,
                                      const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  std::vector<Replica> replicas;
  for (;;) {
    const auto answers =
        clusters::on_each<Replica>(names.size(), [&](std::size_t node) -> Result<Replica> {
          Replica replica;
          replica.node = names[node];
          const auto status = cluster.status(node, Deadline::after(answer_within));
          if (!status) {
            replica.error = status.error().message;
            return replica;
          }
          replica.answers = true;
          replica.term = status->term;
          replica.applied = status->applied;
          replica.committed = status->committed;
          // A node that answers and cannot hash is compared by its log alone.
          const auto state = cluster.state_hash(node, Deadline::after(answer_within));
          if (!state) replica.error = state.error().message;
          if (state) replica.revision = state->revision;
          if (state) replica.hash = state->hash;
          return replica;
        });
    replicas.clear();
    for (const Result<Replica>& answer : answers) replicas.push_back(*answer);
    if (at_rest_and_equal(replicas) || deadline.passed() || stop.stop_requested()) return replicas;
    wake.wait_for(lock, stop, between_questions, [] { return false; });
  }
}

std::vector<bool> start_ended_servers(clusters::Cluster& cluster,
                                      const std::vector<clusters::Remote*>& remotes) {
  const auto ended = clusters::on_each<bool>(remotes.size(), [&](std::size_t node) -> Result<bool> {
    const auto pid = remotes[node]->run({cluster.pid_command(node), {}, answer_within * 5});
    if (!pid || pid->ok()) return false;
    (void)cluster.start(node);  // whether it serves is what will be seen
    return true;
  });
  std::vector<bool> list;
  for (const Result<bool>& one : ended) list.push_back(one && *one);
  return list;
}

Pulse::Pulse(const std::vector<clusters::Remote*>& remotes) : slowest_(remotes.size()) {
  for (std::size_t node = 0; node < remotes.size(); ++node) {
    threads_.emplace_back([this, node, remote = remotes[node]](const std::stop_token& stop) {
      std::mutex mutex;
      std::condition_variable_any wake;
      std::unique_lock lock(mutex);
      while (!stop.stop_requested()) {
        const auto asked = SteadyClock::now();
        const auto answer = remote->run({"true", {}, 5s});
        const Nanoseconds took = answer ? SteadyClock::now() - asked : Nanoseconds(5s);
        slowest_[node] = std::max(slowest_[node], took);
        wake.wait_for(lock, stop, 500ms, [] { return false; });
      }
    });
  }
}

std::vector<Nanoseconds> Pulse::slowest() {
  threads_.clear();
  return slowest_;
}

}  // namespace ordeal::harness
