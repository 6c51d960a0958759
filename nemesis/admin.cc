#include "nemesis/admin.h"

#include <algorithm>

#include <fmt/format.h>

#include "nemesis/targets.h"
#include "nemesis/turns.h"

namespace ordeal::nemesis {

namespace {

// What changes the membership is not maintenance (see members.h).
std::vector<std::string> maintenance(const clusters::Cluster& cluster) {
  std::vector<std::string> actions = cluster.actions();
  std::erase_if(actions, [](const std::string& action) {
    return action.ends_with("-member") || action.ends_with("-learner");
  });
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

}  // namespace

std::unique_ptr<Fault> make_admin() { return std::make_unique<Admin>(); }

}  // namespace ordeal::nemesis
