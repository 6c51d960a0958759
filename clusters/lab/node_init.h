#pragma once
// The first process of a node: builds its file system, enters its namespaces, keeps sshd running,
// reaps orphans.
//
// It talks with the supervisor through a channel: it says `entered` once it has its namespaces,
// waits until told that its users are mapped and its network cable is plugged in, and says `ready`
// when sshd answers.

#include "clusters/lab/ground.h"
#include "clusters/lab/groups.h"
#include "core/time.h"

namespace ordeal::clusters::lab {

inline constexpr std::string_view node_entered = "entered", node_go = "go", node_ready = "ready";
inline constexpr Nanoseconds node_patience = 15s;  // for each of those steps

// The namespaces to clone it with; the others it enters by itself.
[[nodiscard]] std::uint64_t node_clone_flags();
[[noreturn]] void run_node(const LabSpec& spec, const Ground& ground, NodeGroups& groups,
                           std::size_t node, int channel);

}  // namespace ordeal::clusters::lab
