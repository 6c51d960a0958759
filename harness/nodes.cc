#include "harness/nodes.h"

#include <cstdlib>

#include <fmt/core.h>
#include <unistd.h>

#include "core/file.h"

namespace ordeal::harness {

Result<NodeSource> node_source(const NodeFlags& flags) {
  NodeSource source;
  const int ways = (flags.inventory.empty() ? 0 : 1) + (flags.nodes.empty() ? 0 : 1) +
                   (flags.lab.empty() ? 0 : 1) + (flags.lab_nodes ? 1 : 0);
  if (ways > 1)
    return error(
        "--inventory, --node, --lab and --nodes name the nodes in different ways: give one");
  if (!flags.inventory.empty()) {
    const Result<std::string> text = read_file(flags.inventory);
    if (!text) return pass_on(text.error(), "--inventory");
    Result<clusters::Inventory> inventory =
        clusters::parse_inventory(*text, flags.inventory.string());
    if (!inventory) return pass_on(inventory.error());
    source.nodes = std::move(inventory->nodes);
    source.network_namespace = std::move(inventory->network_namespace);
  }
  for (const std::string& text : flags.nodes) {
    Result<clusters::Node> node = clusters::parse_node(text, source.nodes.size() + 1);
    if (!node) return pass_on(node.error(), "--node");
    source.nodes.push_back(std::move(*node));
  }
  if (!flags.lab.empty()) {
    const Result<clusters::Inventory> inventory = clusters::lab_inventory(flags.lab);
    if (!inventory) return pass_on(inventory.error(), "--lab");
    source.lab = flags.lab;
    source.lab_nodes = inventory->nodes.size();
  }
  if (flags.lab_nodes) source.lab_nodes = *flags.lab_nodes;
  return source;
}

Result<clusters::Credentials> credentials_of(const NodeFlags& flags) {
  clusters::Credentials credentials;
  if (flags.password_variable.empty()) return credentials;
  const char* password = std::getenv(flags.password_variable.c_str());
  if (password == nullptr) {
    return error("--password-env {}: there is no such environment variable",
                 flags.password_variable);
  }
  credentials.password = password;
  return credentials;
}

Result<ReachableNodes> reach(const NodeSource& source) {
  ReachableNodes reachable;
  if (!source.nodes.empty()) {
    reachable.inventory = {source.nodes, source.network_namespace};
  } else if (!source.lab.empty()) {
    Result<clusters::Inventory> inventory = clusters::lab_inventory(source.lab);
    if (!inventory) return pass_on(inventory.error());
    reachable.inventory = std::move(*inventory);
  } else {
    clusters::LabOptions options;
    options.name = fmt::format("run-{}", ::getpid());
    options.nodes = source.lab_nodes;
    Result<clusters::EphemeralLab> lab = clusters::EphemeralLab::up(options);
    if (!lab) return pass_on(lab.error(), "no nodes were given, and a lab cannot be made");
    reachable.inventory = lab->inventory();
    reachable.lab = std::move(*lab);
  }
  if (const auto entered = clusters::enter_network(reachable.inventory); !entered)
    return pass_on(entered.error());
  return reachable;
}

}  // namespace ordeal::harness
