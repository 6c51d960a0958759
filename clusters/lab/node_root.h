#pragma once
// The root file system of one node: a tmpfs of limited size, on it a writable overlay over every
// system directory of the ground, and fresh /tmp, /run, /root, /home, /dev, /proc and /sys. For the
// node's first process, while it still has the host's users; failures end it, by must().
//
// What is mounted here is locked in place when the process then enters namespaces of other users: a
// node's root can neither take these mounts away nor make them writable.

#include <cstddef>

#include "clusters/lab/ground.h"

namespace ordeal::clusters::lab {

// Afterwards the calling process, which must be the first of its process namespace, sees nothing
// but this.
void enter_node_root(const LabSpec& spec, const Ground& ground, std::size_t node);

}  // namespace ordeal::clusters::lab
