#pragma once
// The supervisor of a lab: the first process of the lab's process namespace, in the network
// namespace from which the nodes are reached (bridge br0, 10.77.0.254 and fd77::fe). It makes the
// nodes, then waits: for a SIGTERM, for the end of the process that owns an ephemeral lab, for
// nodes that end. When it ends, everything ends.
//
// Through its channel it says `ready` or an error, and goes on only if the caller says `keep`: a
// caller that is killed while it makes a lab leaves none.

#include <optional>

#include "clusters/lab/process.h"
#include "clusters/lab/spec.h"

namespace ordeal::clusters::lab {

inline constexpr std::string_view lab_ready = "ready ", lab_keep = "keep";  // ready ISOLATION

struct SupervisorFiles {
  int channel = -1;
  int owner = -1;  // a pidfd of the process that an ephemeral lab ends with
  int log = -1;
};

// The namespaces to clone it with.
[[nodiscard]] std::uint64_t supervisor_clone_flags();
[[noreturn]] void supervise(const LabSpec& spec, const SupervisorFiles& files);

}  // namespace ordeal::clusters::lab
