#include "nemesis/links.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include <fmt/core.h>

namespace ordeal::nemesis {

namespace {

using Group = std::vector<std::size_t>;
// Pairs that shall not hear each other; `first` is in the part that mute and deaf speak of.
using Severed = std::vector<std::pair<std::size_t, std::size_t>>;

struct Cut {
  std::string resolved;
  Severed severed;
  std::string inside, outside;  // the names of the two parts, where there are two
};

struct ShapeWeight {
  std::string_view shape;
  std::uint64_t weight;
  std::size_t least_nodes;
};
constexpr std::array<ShapeWeight, 7> shapes = {{{"leader", 30, 2},
                                                {"halves", 20, 2},
                                                {"majority-ring", 15, 3},
                                                {"one", 10, 2},
                                                {"bridge", 10, 3},
                                                {"leader-minority", 10, 5},
                                                {"random", 5, 3}}};

std::string names_of(Group group, const std::vector<std::string>& nodes) {
  std::sort(group.begin(), group.end());
  std::string text;
  for (const std::size_t node : group) text += (text.empty() ? "" : " ") + nodes[node];
  return text;
}

Severed between(const Group& inside, const Group& outside) {
  Severed severed;
  for (const std::size_t a : inside) {
    for (const std::size_t b : outside) severed.emplace_back(a, b);
  }
  return severed;
}

// The first `size` nodes against the rest.
Cut split(const Group& order, std::size_t size, const std::vector<std::string>& nodes) {
  const Group inside(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(size));
  const Group outside(order.begin() + static_cast<std::ptrdiff_t>(size), order.end());
  const std::string first = names_of(inside, nodes), second = names_of(outside, nodes);
  return {first + " | " + second, between(inside, outside), first, second};
}

Cut one_apart(std::size_t node, const std::vector<std::string>& nodes) {
  Group order(nodes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::swap(order[0], order[node]);
  return split(order, 1, nodes);
}

Cut leader_apart(std::optional<std::size_t> leader, const Group& order,
                 const std::vector<std::string>& nodes) {
  Cut cut = one_apart(leader.value_or(order.front()), nodes);
  if (!leader) cut.resolved += " (no leader known: one drawn at random)";
  return cut;
}

// The leader with as many others as still are a minority.
Cut leader_with_minority(std::optional<std::size_t> leader, Group order,
                         const std::vector<std::string>& nodes) {
  const auto at = std::find(order.begin(), order.end(), leader.value_or(order.front()));
  std::iter_swap(order.begin(), at);
  Cut cut = split(order, std::max<std::size_t>((order.size() - 1) / 2, 1), nodes);
  if (!leader) cut.resolved += " (no leader known: one drawn at random)";
  return cut;
}

// Each directed link by itself, with a chance of a half; at least one.
Cut at_random(const Group& order, const std::vector<std::string>& nodes, Rng rng) {
  Cut cut;
  for (const std::size_t a : order) {
    for (const std::size_t b : order) {
      if (a != b && (rng.chance(0.5) || cut.severed.empty())) cut.severed.emplace_back(a, b);
    }
  }
  for (const auto& [from, to] : cut.severed)
    cut.resolved +=
        fmt::format("{}{}>{}", cut.resolved.empty() ? "cut " : " ", nodes[from], nodes[to]);
  return cut;
}

Cut bridge(const Group& order, const std::vector<std::string>& nodes) {
  const Group rest(order.begin() + 1, order.end());
  Cut cut = split(rest, rest.size() / 2, nodes);
  cut.resolved += fmt::format(" ({} sees both)", nodes[order.front()]);
  return cut;
}

// Neighbours on a ring see each other, as far as an odd majority needs; for an even one, every node
// gets one chord across the ring as well (with an odd number of nodes, one of them gets two).
Cut majority_ring(const Group& order, const std::vector<std::string>& nodes) {
  const std::size_t n = order.size();
  const std::size_t others = n / 2;  // that a node must see to be in a majority
  std::set<std::pair<std::size_t, std::size_t>> seen;
  const auto see = [&](std::size_t a, std::size_t b) {
    seen.emplace(std::min(a, b), std::max(a, b));
  };
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t step = 1; step <= others / 2; ++step) see(i, (i + step) % n);
  }
  if (others % 2 == 1) {
    for (std::size_t i = 0; i < n / 2; ++i) see(i, i + n / 2);
    if (n % 2 == 1) see(n - 1, n / 2 - 1);
  }
  Cut cut;
  for (std::size_t a = 0; a < n; ++a) {
    Group view = {order[a]};
    for (std::size_t b = 0; b < n; ++b) {
      if (b == a) continue;
      if (seen.count({std::min(a, b), std::max(a, b)}) != 0) {
        view.push_back(order[b]);
      } else if (a < b) {
        cut.severed.emplace_back(order[a], order[b]);
      }
    }
    cut.resolved += fmt::format("{}{} sees {}", a == 0 ? "" : ", ", nodes[order[a]],
                                names_of({view.begin() + 1, view.end()}, nodes));
  }
  return cut;
}

// Empty when the parameter is not there; nothing when it is no text.
std::optional<std::string> text_parameter(const FaultSpec& spec, const std::string& name) {
  const auto found = spec.parameters.find(name);
  if (found == spec.parameters.end()) return "";
  const std::string* text = found->second.as_string();
  return text == nullptr ? std::nullopt : std::optional(*text);
}

Result<std::string> way_of(const FaultSpec& spec) {
  const std::optional<std::string> one_way = text_parameter(spec, "one_way");
  if (one_way && (one_way->empty() || *one_way == "mute" || *one_way == "deaf")) return *one_way;
  return error("fault {}: a partition's \"one_way\" must be mute or deaf, or be left out", spec.id);
}

Links directed(const Cut& cut, const std::string& one_way, std::size_t nodes) {
  Links links{cut.resolved, std::vector<std::set<std::size_t>>(nodes)};
  for (const auto& [inside, outside] : cut.severed) {
    if (one_way != "deaf") links.deaf_to[outside].insert(inside);
    if (one_way != "mute") links.deaf_to[inside].insert(outside);
  }
  if (one_way.empty()) return links;
  links.resolved += ", cut one way";
  const bool mute = one_way == "mute";
  if (!cut.inside.empty()) {
    links.resolved +=
        fmt::format(": {} to {}", mute ? cut.inside : cut.outside, mute ? cut.outside : cut.inside);
  }
  return links;
}

Links each_its_own_way(const Cut& cut, std::size_t nodes) {
  Links links{cut.resolved, std::vector<std::set<std::size_t>>(nodes)};
  for (const auto& [from, to] : cut.severed) links.deaf_to[to].insert(from);
  return links;
}

}  // namespace

bool is_shape(std::string_view text) {
  return std::any_of(shapes.begin(), shapes.end(),
                     [&](const ShapeWeight& known) { return known.shape == text; });
}

Result<Links> cut_apart(const FaultSpec& spec, const std::vector<std::string>& nodes,
                        const std::vector<std::size_t>& apart) {
  const Result<std::string> one_way = way_of(spec);
  if (!one_way) return pass_on(one_way.error());
  if (apart.size() == nodes.size())
    return error("fault {}: all nodes are on one side of the partition", spec.id);
  Group order = apart;
  for (std::size_t node = 0; node < nodes.size(); ++node) {
    if (std::find(apart.begin(), apart.end(), node) == apart.end()) order.push_back(node);
  }
  return directed(split(order, apart.size(), nodes), *one_way, nodes.size());
}

FaultSpec draw_links(Rng& rng, std::size_t nodes) {
  FaultSpec spec;
  std::uint64_t total = 0;
  for (const ShapeWeight& choice : shapes) total += nodes >= choice.least_nodes ? choice.weight : 0;
  std::uint64_t ticket = rng.below(std::max<std::uint64_t>(total, 1));
  for (const ShapeWeight& choice : shapes) {
    if (nodes < choice.least_nodes) continue;
    if (ticket < choice.weight) {
      spec.parameters["shape"] = std::string(choice.shape);
      break;
    }
    ticket -= choice.weight;
  }
  const std::uint64_t way = rng.below(6);  // a third is one-way
  if (way == 0) spec.parameters["one_way"] = "mute";
  if (way == 1) spec.parameters["one_way"] = "deaf";
  spec.draw = rng.next();
  return spec;
}

Result<Links> resolve_links(const FaultSpec& spec, const std::vector<std::string>& nodes,
                            std::optional<std::size_t> leader) {
  const std::optional<std::string> shape = text_parameter(spec, "shape");
  const auto* known = std::find_if(shapes.begin(), shapes.end(), [&](const ShapeWeight& candidate) {
    return candidate.shape == shape;
  });
  if (known == shapes.end()) {
    return error(
        "fault {}: a partition's \"shape\" must be halves, one, majority-ring, bridge, leader, "
        "leader-minority or random",
        spec.id);
  }
  const Result<std::string> one_way = way_of(spec);
  if (!one_way) return pass_on(one_way.error());
  if (nodes.size() < known->least_nodes) {
    return error("fault {}: a partition of shape {} needs at least {} nodes, there are {}", spec.id,
                 *shape, known->least_nodes, nodes.size());
  }
  Group order(nodes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  Rng(spec.draw).shuffle(order);
  Cut cut;
  if (*shape == "halves")
    cut = split(order, std::max<std::size_t>((nodes.size() - 1) / 2, 1), nodes);
  if (*shape == "one") cut = one_apart(order.front(), nodes);
  if (*shape == "leader") cut = leader_apart(leader, order, nodes);
  if (*shape == "bridge") cut = bridge(order, nodes);
  if (*shape == "majority-ring") cut = majority_ring(order, nodes);
  if (*shape == "leader-minority") cut = leader_with_minority(leader, order, nodes);
  if (*shape == "random") cut = at_random(order, nodes, Rng(spec.draw).fork("links"));

  return *shape == "random" ? each_its_own_way(cut, nodes.size())
                            : directed(cut, *one_way, nodes.size());
}

}  // namespace ordeal::nemesis
