#include "nemesis/admin.h"

#include <algorithm>

#include <fmt/format.h>

#include "nemesis/server.h"
#include "nemesis/targets.h"
#include "nemesis/turns.h"

namespace ordeal::nemesis {

namespace {

constexpr std::string_view removes = "remove-member", adds = "add-member";

std::vector<std::string> maintenance(const clusters::Cluster& cluster) {
  std::vector<std::string> actions = cluster.actions();
  actions.erase(
      std::remove_if(actions.begin(), actions.end(),
                     [](const std::string& action) { return action == removes || action == adds; }),
      actions.end());
  return actions;
}

class Admin final : public Fault {
 public:
  std::string_view kind() const override { return "admin"; }
  std::string_view summary() const override {
    return "maintenance under load, by the system's own interface: compaction, defragmentation, "
           "snapshots, another leader";
  }
  Drawing drawing() const override { return {"#999999", "A"}; }
  Touches touches() const override { return Touches::everything; }
  bool can_roll() const override { return true; }
  Result<void> fits(const clusters::Cluster& cluster) const override {
    if (!maintenance(cluster).empty()) return {};
    return error("{} offers no maintenance", cluster.name());
  }
  std::string probe(const Arena&, std::size_t) const override { return "true"; }
  std::string sweep(const std::string&) const override { return "true"; }

  FaultSpec draw(Rng& rng, std::size_t nodes) const override {
    return draw_fault(kind(), rng, nodes);
  }

  Result<Injection> plan(const FaultSpec& spec, const Arena& arena) const override {
    const Result<Targets> targets = resolve_targets(spec, arena);
    if (!targets) return pass_on(targets.error());
    const std::vector<std::string> offered = maintenance(*arena.cluster);
    const std::string action = text_of(spec, "action").value_or(Rng(spec.draw).pick(offered));
    if (std::find(offered.begin(), offered.end(), action) == offered.end()) {
      return error("fault {}: {} offers {}, not \"{}\"", spec.id, arena.cluster->name(),
                   fmt::join(offered, ", "), action);
    }
    Injection injection{fmt::format("{}: {}", targets->resolved, action), {}};
    for (const std::size_t node : targets->nodes) {
      NodeAction act;
      act.node = node;
      act.administer = action;
      act.undo = "true";  // it is done, and nothing of it stays on
      injection.actions.push_back(std::move(act));
      if (action == "transfer-leader") break;  // there is one leader
    }
    return injection;
  }
};

class Membership final : public Fault {
 public:
  std::string_view kind() const override { return "membership"; }
  std::string_view summary() const override {
    return "a node is removed from the cluster, loses its data, and joins again";
  }
  Drawing drawing() const override { return {"#882255", "M"}; }
  std::size_t least_nodes() const override { return 3; }
  Touches touches() const override { return Touches::everything; }
  Result<void> fits(const clusters::Cluster& cluster) const override {
    const auto actions = cluster.actions();
    const bool both = std::count(actions.begin(), actions.end(), removes) == 1 &&
                      std::count(actions.begin(), actions.end(), adds) == 1;
    if (both && !cluster.data_directory(0).empty()) return {};
    return error("{} does not say how members are removed and added", cluster.name());
  }
  std::string probe(const Arena&, std::size_t) const override { return "true"; }
  std::string sweep(const std::string&) const override { return "true"; }

  FaultSpec draw(Rng& rng, std::size_t) const override {
    FaultSpec spec;
    spec.kind = kind();
    spec.targets = rng.chance(0.5) ? "leader" : "one";
    spec.draw = rng.next();
    return spec;
  }

  Result<Injection> plan(const FaultSpec& spec, const Arena& arena) const override {
    const Result<Targets> targets = resolve_targets(spec, arena);
    if (!targets) return pass_on(targets.error());
    if (targets->nodes.size() != 1)
      return error("fault {}: the membership of one node is changed at a time, not of {}", spec.id,
                   targets->nodes.size());
    const std::size_t node = targets->nodes.front();
    NodeAction action;
    action.node = node;
    action.administer = removes;
    action.inject = fmt::format("(\n{}\n) && rm -rf {}\n", arena.cluster->kill_command(node),
                                clusters::shell_quote(arena.cluster->data_directory(node)));
    action.restore = adds;
    action.undo = arena.cluster->rejoin_command(node);
    action.healed = prove_running(arena, node);
    return Injection{targets->resolved, {std::move(action)}};
  }
};

}  // namespace

std::unique_ptr<Fault> make_admin() { return std::make_unique<Admin>(); }
std::unique_ptr<Fault> make_membership() { return std::make_unique<Membership>(); }

}  // namespace ordeal::nemesis
