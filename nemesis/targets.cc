#include "nemesis/targets.h"

#include <algorithm>
#include <numeric>
#include <set>

#include <fmt/format.h>

namespace ordeal::nemesis {

namespace {

using Nodes = std::vector<std::size_t>;

constexpr std::string_view blind = " (no leader known: one drawn at random)";

Nodes first(const Nodes& order, std::size_t size) {
  return {order.begin(), order.begin() + static_cast<std::ptrdiff_t>(std::min(size, order.size()))};
}

Result<Nodes> in_zone(const FaultSpec& spec, const Arena& arena) {
  std::set<std::string> zones;
  for (const std::string& zone : arena.zones) {
    if (!zone.empty()) zones.insert(zone);
  }
  if (zones.empty())
    return error("fault {}: its targets are a zone, and the inventory gives no node a zone",
                 spec.id);
  std::string wanted = spec.targets == "zone" ? std::string() : spec.targets.substr(5);
  if (wanted.empty()) wanted = Rng(spec.draw).pick(std::vector(zones.begin(), zones.end()));
  if (zones.count(wanted) == 0)
    return error("fault {}: no node is in the zone {}; there are: {}", spec.id, wanted,
                 fmt::join(zones, ", "));
  Nodes nodes;
  for (std::size_t node = 0; node < arena.zones.size(); ++node) {
    if (arena.zones[node] == wanted) nodes.push_back(node);
  }
  return nodes;
}

Result<Nodes> by_name(const FaultSpec& spec, const Arena& arena) {
  Nodes nodes;
  for (std::size_t begin = 0; begin <= spec.targets.size();) {
    const std::size_t end = std::min(spec.targets.find(',', begin), spec.targets.size());
    const std::string name = spec.targets.substr(begin, end - begin);
    const auto found = std::find(arena.nodes.begin(), arena.nodes.end(), name);
    if (found == arena.nodes.end()) {
      return error(
          "fault {}: its targets must be one, minority, majority, all, leader, followers, "
          "leader-minority, zone, zone:NAME or names of nodes, not \"{}\"",
          spec.id, spec.targets);
    }
    nodes.push_back(static_cast<std::size_t>(found - arena.nodes.begin()));
    begin = end + 1;
  }
  return nodes;
}

}  // namespace

const std::vector<TargetWeight>& usual_targets() {
  static const std::vector<TargetWeight> rules = {
      {"leader", 30, 1},   {"one", 20, 2},      {"minority", 15, 5}, {"leader-minority", 5, 5},
      {"majority", 12, 3}, {"followers", 5, 3}, {"all", 13, 1}};
  return rules;
}

const std::vector<TargetWeight>& minority_targets() {
  static const std::vector<TargetWeight> rules = {
      {"leader", 35, 3}, {"one", 35, 3}, {"minority", 15, 5}, {"leader-minority", 15, 5}};
  return rules;
}

std::string draw_targets(Rng& rng, const std::vector<TargetWeight>& rules, std::size_t nodes) {
  std::uint64_t total = 0;
  for (const TargetWeight& rule : rules) total += nodes >= rule.least_nodes ? rule.weight : 0;
  std::uint64_t ticket = rng.below(std::max<std::uint64_t>(total, 1));
  for (const TargetWeight& rule : rules) {
    if (nodes < rule.least_nodes) continue;
    if (ticket < rule.weight) return std::string(rule.rule);
    ticket -= rule.weight;
  }
  return "one";
}

FaultSpec draw_fault(std::string_view kind, Rng& rng, std::size_t nodes) {
  FaultSpec spec;
  spec.kind = kind;
  spec.targets = draw_targets(rng, usual_targets(), nodes);
  spec.draw = rng.next();
  return spec;
}

Result<Injection> on_targets(const FaultSpec& spec, const Arena& arena, const std::string& told,
                             const std::function<Result<void>(NodeAction&)>& act) {
  const Result<Targets> targets = resolve_targets(spec, arena);
  if (!targets) return pass_on(targets.error());
  Injection injection{targets->resolved + told, {}};
  for (const std::size_t node : targets->nodes) {
    NodeAction action;
    action.node = node;
    if (auto filled = act(action); !filled) return pass_on(filled.error());
    injection.actions.push_back(std::move(action));
  }
  return injection;
}

Nodes drawn_order(const FaultSpec& spec, std::size_t nodes) {
  Nodes order(nodes);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Rng(spec.draw).shuffle(order);
  return order;
}

Result<Targets> resolve_targets(const FaultSpec& spec, const Arena& arena) {
  const std::size_t count = arena.nodes.size();
  const std::size_t minority = std::max<std::size_t>((count - 1) / 2, 1);
  const Nodes order = drawn_order(spec, count);
  const std::size_t leader = arena.leader.value_or(order.front());
  Nodes leader_first = {leader};
  for (const std::size_t node : order) {
    if (node != leader) leader_first.push_back(node);
  }
  bool needs_leader = false;
  Result<Nodes> nodes;
  if (spec.targets == "one") {
    nodes = first(order, 1);
  } else if (spec.targets == "minority") {
    nodes = first(order, minority);
  } else if (spec.targets == "majority") {
    nodes = first(order, count / 2 + 1);
  } else if (spec.targets == "all") {
    nodes = order;
  } else if (spec.targets == "leader" || spec.targets == "leader-minority") {
    nodes = first(leader_first, spec.targets == "leader" ? 1 : minority);
    needs_leader = true;
  } else if (spec.targets == "followers") {
    nodes = count == 1 ? leader_first : Nodes(leader_first.begin() + 1, leader_first.end());
    needs_leader = true;
  } else if (spec.targets == "zone" || spec.targets.starts_with("zone:")) {
    nodes = in_zone(spec, arena);
  } else {
    nodes = by_name(spec, arena);
  }
  if (!nodes) return pass_on(nodes.error());
  Targets targets;
  targets.nodes = *std::move(nodes);
  std::sort(targets.nodes.begin(), targets.nodes.end());
  targets.nodes.erase(std::unique(targets.nodes.begin(), targets.nodes.end()), targets.nodes.end());
  for (const std::size_t node : targets.nodes)
    targets.resolved += (targets.resolved.empty() ? "" : " ") + arena.nodes[node];
  if (needs_leader && !arena.leader) targets.resolved += blind;
  return targets;
}

}  // namespace ordeal::nemesis
