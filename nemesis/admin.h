#pragma once
// Faults that an administrator can do, through the tested system's own interface.

#include <memory>

#include "nemesis/fault.h"

namespace ordeal::nemesis {

// Maintenance under load: what the cluster offers (compaction, defragmentation, a snapshot, another
// leader). Parameter `action`: one of them; drawn at injection when it is left out.
[[nodiscard]] std::unique_ptr<Fault> make_admin();
// A node is removed from the cluster and loses its data; at the end it joins again, empty. When
// Ordeal dies meanwhile the node stays out: only the others could let it in again.
[[nodiscard]] std::unique_ptr<Fault> make_membership();

}  // namespace ordeal::nemesis
