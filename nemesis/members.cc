#include "nemesis/members.h"

#include <algorithm>

#include <fmt/core.h>

#include "nemesis/server.h"
#include "nemesis/targets.h"
#include "nemesis/turns.h"

namespace ordeal::nemesis {

namespace {

Result<void> offers(const clusters::Cluster& cluster, const std::vector<std::string>& needed) {
  const auto actions = cluster.actions();
  const bool all = std::all_of(needed.begin(), needed.end(), [&](const std::string& action) {
    return std::count(actions.begin(), actions.end(), action) == 1;
  });
  if (all && !cluster.data_directory(0).empty()) return {};
  return error("{} does not say how members are removed and added", cluster.name());
}

std::string lose_everything(const Arena& arena, std::size_t node) {
  return fmt::format("(\n{}\n) && rm -rf {}\n", arena.cluster->kill_command(node),
                     clusters::shell_quote(arena.cluster->data_directory(node)));
}

class MemberFault : public Fault {
 public:
  std::size_t least_nodes() const override { return 3; }
  Touches touches() const override { return Touches::everything; }
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
    const auto injection = on_targets(spec, arena, "", [&](NodeAction& action) {
      action.healed = prove_running(arena, action.node);
      return act(spec, arena, action);
    });
    // The others must be all there, or nobody could be let in again.
    if (injection && injection->actions.size() != 1)
      return error("fault {}: one node is taken out of the cluster at a time, not {}", spec.id,
                   injection->actions.size());
    return injection;
  }

 protected:
  virtual Result<void> act(const FaultSpec& spec, const Arena& arena, NodeAction& action) const = 0;
};

class Membership final : public MemberFault {
 public:
  std::string_view kind() const override { return "membership"; }
  std::string_view summary() const override {
    return "a node is removed from the cluster, loses its data, and joins again";
  }
  Drawing drawing() const override { return {"#882255", "M"}; }
  Result<void> fits(const clusters::Cluster& cluster) const override {
    return offers(cluster, {"remove-member", "add-member"});
  }

  FaultSpec draw(Rng& rng, std::size_t nodes) const override {
    FaultSpec spec = MemberFault::draw(rng, nodes);
    if (Rng(spec.draw).fork("as").chance(0.4)) spec.parameters["as"] = "learner";
    return spec;
  }

 protected:
  Result<void> act(const FaultSpec& spec, const Arena& arena, NodeAction& action) const override {
    const std::string as = text_of(spec, "as").value_or("voter");
    if (as != "voter" && as != "learner")
      return error("fault {}: \"as\" of a membership fault must be voter or learner", spec.id);
    action.administer = "remove-member";
    action.inject = lose_everything(arena, action.node);
    // Where there are no learners, who joins votes at once.
    const bool is_learner = as == "learner" && offers(*arena.cluster, {"add-learner"});
    action.restore = is_learner ? "add-learner" : "add-member";
    action.undo = arena.cluster->rejoin_command(action.node);
    return {};
  }
};

class Wipe final : public MemberFault {
 public:
  std::string_view kind() const override { return "wipe"; }
  std::string_view summary() const override {
    return "a node loses all its data, as with its disk, and is replaced by a new member";
  }
  Drawing drawing() const override { return {"#661100", "W"}; }
  Result<void> fits(const clusters::Cluster& cluster) const override {
    return offers(cluster, {"replace-member"});
  }

 protected:
  Result<void> act(const FaultSpec&, const Arena& arena, NodeAction& action) const override {
    action.inject = need_server(arena, action.node) + lose_everything(arena, action.node);
    action.effect = prove_gone(arena, action.node) +
                    fmt::format(
                        "[ ! -e {} ] || {{ echo 'its data are there' >&2; exit 1; }}\n"
                        "echo 'server and data gone'\n",
                        clusters::shell_quote(arena.cluster->data_directory(action.node)));
    action.restore = "replace-member";
    // Nothing that a node can do alone: started as the member that it was, but without what it had
    // promised as that member, it could break the cluster.
    action.undo = "true";
    return {};
  }
};

}  // namespace

std::unique_ptr<Fault> make_membership() { return std::make_unique<Membership>(); }
std::unique_ptr<Fault> make_wipe() { return std::make_unique<Wipe>(); }

}  // namespace ordeal::nemesis
