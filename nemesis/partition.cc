#include "nemesis/partition.h"

#include <charconv>

#include <fmt/core.h>

#include "nemesis/links.h"
#include "nemesis/rules.h"
#include "nemesis/targets.h"
#include "nemesis/turns.h"

namespace ordeal::nemesis {

namespace {

// Packets to, and answers from, the ports that `ports` names: "peer", "client" or numbers with
// commas between them. No port: everything.
Result<std::vector<std::uint16_t>> ports_of(const FaultSpec& spec, const Arena& arena) {
  const std::string wanted = text_of(spec, "ports").value_or("");
  std::vector<std::uint16_t> ports;
  if (wanted == "peer") ports = arena.cluster->peer_ports();
  if (wanted == "client") ports = arena.cluster->client_ports();
  if (wanted == "peer" || wanted == "client") {
    if (ports.empty())
      return error("fault {}: {} does not tell its {} ports", spec.id, arena.cluster->name(),
                   wanted);
    return ports;
  }
  const char* at = wanted.data();
  const char* end = wanted.data() + wanted.size();
  while (at != end) {
    std::uint16_t port = 0;
    const auto read = std::from_chars(at, end, port);
    if (read.ec != std::errc() || port == 0 || (read.ptr != end && *read.ptr != ','))
      return error("fault {}: \"ports\" must be peer, client or numbers with commas between them",
                   spec.id);
    ports.push_back(port);
    at = read.ptr == end ? end : read.ptr + 1;
  }
  return ports;
}

// `how`: absent, packets vanish; "reject", their senders are told.
Result<std::vector<Harmed>> harmed_by(const FaultSpec& spec, const Arena& arena) {
  const std::string how = text_of(spec, "how").value_or("drop");
  if (how != "drop" && how != "reject")
    return error("fault {}: \"how\" of a partition must be drop or reject, or be left out",
                 spec.id);
  const auto ports = ports_of(spec, arena);
  if (!ports) return pass_on(ports.error());
  const std::string reset = "REJECT --reject-with tcp-reset";
  std::vector<Harmed> harmed;
  for (const std::uint16_t port : *ports) {
    for (const char* side : {"dport", "sport"})
      harmed.push_back({fmt::format("-p tcp --{} {}", side, port), how == "drop" ? "DROP" : reset});
  }
  if (!harmed.empty()) return harmed;
  if (how == "reject") return std::vector<Harmed>{{"-p tcp", reset}, {"", "REJECT"}};
  return std::vector<Harmed>{{"", "DROP"}};
}

class Partition final : public Fault {
 public:
  std::string_view kind() const override { return "partition"; }
  std::string_view summary() const override {
    return "cuts the network: halves, one node, majority ring, bridge, the leader, or links at "
           "random; both ways or one way; all packets or some ports";
  }
  Drawing drawing() const override { return {"#0072b2", "P"}; }
  std::size_t least_nodes() const override { return 2; }
  Touches touches() const override { return Touches::network; }
  bool can_flap() const override { return true; }
  std::string probe(const Arena&, std::size_t) const override {
    return probe_rules(before_others, "DROP");
  }

  FaultSpec draw(Rng& rng, std::size_t nodes) const override {
    FaultSpec spec = draw_links(rng, nodes);
    spec.kind = kind();
    Rng more = Rng(spec.draw).fork("how");
    if (more.chance(0.15)) spec.parameters["how"] = "reject";
    return spec;
  }

  Result<Injection> plan(const FaultSpec& spec, const Arena& arena) const override {
    const Result<Links> links = links_of(spec, arena);
    if (!links) return pass_on(links.error());
    const auto harmed = harmed_by(spec, arena);
    if (!harmed) return pass_on(harmed.error());
    Injection injection{links->resolved, {}};
    if (const auto ports = text_of(spec, "ports")) injection.resolved += ", only ports " + *ports;
    if (text_of(spec, "how") == "reject") injection.resolved += ", refusing at once";
    for (std::size_t node = 0; node < arena.nodes.size(); ++node) {
      if (links->deaf_to[node].empty()) continue;
      const auto commands =
          chain_commands(spec, arena, node, links->deaf_to[node], before_others, *harmed);
      if (!commands) return pass_on(commands.error());
      injection.actions.push_back(act(node, *commands));
    }
    return injection;
  }

  std::string sweep(const std::string&) const override { return sweep_rules(); }

 private:
  // Nodes by name, or a zone, apart from the others; else one of the shapes.
  static Result<Links> links_of(const FaultSpec& spec, const Arena& arena) {
    const std::string shape = text_of(spec, "shape").value_or("");
    if (is_shape(shape)) return resolve_links(spec, arena.nodes, arena.leader);
    FaultSpec named = spec;
    named.targets = shape;
    const auto apart = resolve_targets(named, arena);
    if (!apart) {
      return error(
          "fault {}: a partition's \"shape\" must be halves, one, majority-ring, bridge, leader, "
          "leader-minority, random, zone, zone:NAME or names of nodes, not \"{}\"",
          spec.id, shape);
    }
    return cut_apart(spec, arena.nodes, apart->nodes);
  }

  static NodeAction act(std::size_t node, const ChainCommands& commands) {
    NodeAction action;
    action.node = node;
    action.inject = commands.inject;
    action.undo = commands.undo + "exit $status\n";
    action.effect = fmt::format(
        "{} | {{\n"
        "  n=0\n"
        "  while read -r packets _ target _; do\n"
        "    case $target in DROP|REJECT) n=$((n+packets));; esac\n"
        "  done\n"
        "  s=s; [ $n -eq 1 ] && s=\n"
        "  echo \"$n packet$s dropped\"; [ $n -gt 0 ]\n"
        "}}\n",
        commands.counters);
    action.healed = commands.gone + "echo 'no rule of this fault is left'\n";
    return action;
  }
};

}  // namespace

std::unique_ptr<Fault> make_partition() { return std::make_unique<Partition>(); }

}  // namespace ordeal::nemesis
