#pragma once
// Faults after which a node joins the cluster again with nothing: through the tested system's own
// interface. When Ordeal dies meanwhile the node stays out: only the others could let it in.

#include <memory>

#include "nemesis/fault.h"

namespace ordeal::nemesis {

// A node is removed from the cluster and loses its data; at the end it joins again, empty.
// Parameter `as`: voter, or learner, which is promoted as soon as it has caught up.
[[nodiscard]] std::unique_ptr<Fault> make_membership();
// A node loses its server and its data while the cluster counts on it; at the end its member is
// replaced by a new one.
[[nodiscard]] std::unique_ptr<Fault> make_wipe();

}  // namespace ordeal::nemesis
