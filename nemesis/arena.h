#pragma once
// What faults need to know of the nodes, asked from the nodes themselves: their addresses, and from
// where and on which port our SSH reaches them.

#include <string>
#include <string_view>
#include <vector>

#include "clusters/remote.h"
#include "nemesis/fault.h"

namespace ordeal::nemesis {

struct NodeFacts {
  std::vector<std::string>
      addresses;  // as far as other nodes can know them: no loopback, no link-local ones
  std::vector<std::string> controllers;  // none when the node does not tell
  std::uint16_t ssh_port = 22;
};

// Prints what parse_facts reads.
[[nodiscard]] std::string facts_command();
[[nodiscard]] NodeFacts parse_facts(std::string_view printed, const clusters::Node& node);

// The arena of these nodes, the leader left out. Adds what a service address that is a name
// resolves to, and leaves out addresses that several nodes have (of container bridges, or a
// floating one).
[[nodiscard]] Arena make_arena(const std::vector<clusters::Remote*>& remotes,
                               std::vector<NodeFacts> facts, clusters::Cluster& cluster);

}  // namespace ordeal::nemesis
