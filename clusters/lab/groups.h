#pragma once
// Control groups of a lab: each node lives in one of its own, ordeal-lab-<token>-<node>, in the
// unified hierarchy and in the one that shares the processor out; it sees nothing above, and may
// make more below. What the kernel or its mounts do not let one have, a lab goes without.
//
// A lab that goes down takes them along; those of one that was killed are empty, and removed by the
// next that comes up.

#include <string>
#include <vector>

#include "clusters/lab/process.h"

namespace ordeal::clusters::lab {

// A group and the mount(2) by which its node sees it.
struct NodeGroup {
  File directory;
  bool is_unified = false;
  std::string controllers;  // of version 1: "cpu,cpuacct"
};
using NodeGroups = std::vector<NodeGroup>;

// For each node, while the host's own mounts are seen.
[[nodiscard]] std::vector<NodeGroups> make_groups(const std::string& token, std::size_t nodes);
// The node's root may use them.
void give_groups(const std::vector<NodeGroups>& all, unsigned id);
// The calling process, and all that it will start, is moved; before it unshares CLONE_NEWCGROUP.
// What it cannot join is not its own, and struck off the list.
void join_groups(NodeGroups& groups);
// Mounts them below /sys/fs/cgroup of the calling process, whose own they are by now.
void show_groups(const NodeGroups& groups);
// Those of the lab with that token; without one, of all labs that have ended. One that has just
// been made is left: its lab may be on its way up.
void remove_groups(const std::string& token);

}  // namespace ordeal::clusters::lab
