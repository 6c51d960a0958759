#pragma once
// Nodes, and the inventory that names them. A node is a machine reached over SSH; a lab node is one
// too, and nothing outside clusters/lab knows that it is not a real machine.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace ordeal::clusters {

struct Node {
  std::string name;                   // "n1"; unique in the inventory
  std::string host;                   // what SSH connects to; may be an alias of ~/.ssh/config
  std::uint16_t port = 0;             // 0: what ~/.ssh/config says, else 22
  std::string user;                   // empty: what ~/.ssh/config says, else root
  std::filesystem::path identity;     // private key; empty: agent and the user's default keys
  std::filesystem::path known_hosts;  // empty: the user's own; an unknown host key is refused
  std::string
      address;  // by which the other nodes and our clients reach the tested system; empty: host
  std::string zone;  // failure domain, optional

  [[nodiscard]] const std::string& service_address() const {
    return address.empty() ? host : address;
  }
  friend bool operator==(const Node&, const Node&) = default;
};

struct Inventory {
  std::vector<Node> nodes;
  // A network namespace (a path under /proc) in which the nodes can be reached, for labs; empty:
  // this one. enter_network() must have been called before connecting.
  std::filesystem::path network_namespace;

  friend bool operator==(const Inventory&, const Inventory&) = default;
};

// {"schema":1,"nodes":[{"name":"n1","host":"10.0.0.1","port":22,"user":"root","identity":"~/k"}]}
// and optionally "network_namespace". Only name and host are required; `~` is expanded in identity
// and known_hosts. Unknown keys are errors, with the nearest known one. Errors start with
// file_name.
[[nodiscard]] Result<Inventory> parse_inventory(std::string_view json, std::string_view file_name);
[[nodiscard]] std::string to_json_text(const Inventory& inventory);
// "user@host:port", "host", "host:port", "[::1]:22", each with ",zone=NAME" behind it
// or not; named n1, n2, ... by position (from 1).
[[nodiscard]] Result<Node> parse_node(std::string_view text, std::size_t position);

// Moves the calling thread, and those that it starts from now on, into the inventory's network;
// nothing without one. Call it before any other thread starts: threads that exist stay where they
// are.
[[nodiscard]] Result<void> enter_network(const Inventory& inventory);

}  // namespace ordeal::clusters
