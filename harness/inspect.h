#pragma once
// What the harness asks nodes beside the test itself: how far their clocks are from ours, what
// kernel they run, and, at rest, what each replica holds. Nothing here can fail a run; what is not
// known is left out.

#include <stop_token>
#include <string>
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

}  // namespace ordeal::harness
