// A share of the processor for a process group, by stopping and continuing it: it needs no control
// groups, which many containers do not let one have, and leaves nothing in them.

#include <cerrno>
#include <csignal>
#include <cstdio>

#include "nemesis/node/keeper.h"
#include "nemesis/node/tasks.h"

namespace ordeal::node {

namespace {

constexpr long long period_ms = 100;

// To the group that it leads, else to it alone.
bool send(int pid, int signal) { return ::kill(-pid, signal) == 0 || ::kill(pid, signal) == 0; }

}  // namespace

int run_throttle(const Arguments& arguments) {
  const int pid = static_cast<int>(arguments.integer("pid"));
  const long long on = period_ms * arguments.integer("percent") / 100;
  const auto prepare = [&](std::string& trouble) {
    if (pid > 1 && on >= 0 && on < period_ms && ::kill(pid, 0) == 0) return true;
    trouble = "process " + std::to_string(pid) + " cannot be slowed";
    return false;
  };
  return start_keeper(arguments, prepare, [&](Keeper& keeper) {
    for (long long stops = 1; send(pid, SIGSTOP); ++stops) {
      if (stops == 2 || stops % 20 == 0)
        keeper.tell("process " + std::to_string(pid) + " has been stopped " +
                    std::to_string(stops) + " times");
      const bool goes_on = keeper.wait_ms(period_ms - on);
      send(pid, SIGCONT);
      if (!goes_on || !keeper.wait_ms(on > 0 ? on : 1)) break;
    }
    send(pid, SIGCONT);
  });
}

}  // namespace ordeal::node
