#pragma once
// From what the user names to nodes that can be reached.

#include <optional>

#include "clusters/lab/lab.h"
#include "clusters/remote.h"
#include "harness/commands.h"

namespace ordeal::harness {

// Reads the inventory file, or the --node texts, or counts the nodes of the lab. Errors are usage
// errors.
[[nodiscard]] Result<NodeSource> node_source(const NodeFlags& flags);
[[nodiscard]] Result<clusters::Credentials> credentials_of(const NodeFlags& flags);

struct ReachableNodes {
  clusters::Inventory inventory;
  std::optional<clusters::EphemeralLab> lab;  // ends with this object
};

// Brings up a lab of its own if no nodes are given, and enters the network of the nodes. Call it
// before any thread is started.
[[nodiscard]] Result<ReachableNodes> reach(const NodeSource& source);

}  // namespace ordeal::harness
