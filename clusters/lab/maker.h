#pragma once
// Makes a lab, as the process that asked for it: keys, files, the supervisor, its record; and ends
// one.

#include "clusters/lab/state.h"

namespace ordeal::clusters::lab {

// Needs the lock. Returns when sshd answers on all nodes; after an error, files may be left in the
// state directory.
[[nodiscard]] Result<LabRecord> make_lab(const LabOptions& options, bool is_ephemeral);

inline constexpr Nanoseconds end_patience = 10s;
// Kills the supervisor, and so everything in the lab's namespaces. False if it is still there after
// that time.
[[nodiscard]] bool end_lab(const LabRecord& record);

}  // namespace ordeal::clusters::lab
