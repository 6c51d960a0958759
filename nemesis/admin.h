#pragma once
// What an administrator does, through the tested system's own interface.

#include <memory>

#include "nemesis/fault.h"

namespace ordeal::nemesis {

// Maintenance under load: what the cluster offers (compaction, defragmentation, a snapshot, another
// leader). Parameter `action`: one of them; drawn at injection when it is left out.
[[nodiscard]] std::unique_ptr<Fault> make_admin();

}  // namespace ordeal::nemesis
