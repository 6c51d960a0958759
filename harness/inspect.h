#pragma once
// What the harness asks nodes beside the test itself: how far their clocks are from ours, what
// kernel they run, and, at rest, what each replica holds. Nothing here can fail a run; what is not
// known is left out.

#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "clusters/cluster.h"
#include "harness/execution.h"

namespace ordeal::harness {

// Sets clocks and kernel. Takes two round trips to each node, all nodes at once.
void inspect_machines(const std::vector<clusters::Remote*>& remotes, const RunClock& clock,
                      Execution& execution);

// Asks until every node has applied what is committed and all hashes at one revision are equal, or
// until the deadline, and returns the last answers. No client may be at work.
[[nodiscard]] std::vector<Replica> inspect_replicas(clusters::Cluster& cluster,
                                                    const std::vector<std::string>& names,
                                                    Deadline deadline, const std::stop_token& stop);

// Starts servers that do not run; true for each that had ended. All nodes at once.
[[nodiscard]] std::vector<bool> start_ended_servers(clusters::Cluster& cluster,
                                                    const std::vector<clusters::Remote*>& remotes);

// How long a command that does nothing takes on each node, at worst, asked again and again by a
// thread of its own for each node: whether a machine is well when its server is not.
class Pulse {
 public:
  explicit Pulse(const std::vector<clusters::Remote*>& remotes);
  // Ends the threads.
  [[nodiscard]] std::vector<Nanoseconds> slowest();

 private:
  std::vector<Nanoseconds> slowest_;   // each written by its thread alone
  std::vector<std::jthread> threads_;  // last: they end before what they use
};

}  // namespace ordeal::harness
