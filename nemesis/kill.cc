#include "nemesis/kill.h"

#include <algorithm>
#include <array>
#include <numeric>

#include <fmt/core.h>

namespace ordeal::nemesis {

namespace {

struct TargetWeight {
  std::string_view targets;
  std::uint64_t weight;
  std::size_t least_nodes;
};
constexpr std::array<TargetWeight, 5> rules = {
    {{"leader", 35, 1}, {"one", 20, 2}, {"minority", 15, 5}, {"majority", 15, 3}, {"all", 15, 1}}};

struct Targets {
  std::vector<std::size_t> nodes;
  std::string note;
};

Result<Targets> resolve(const FaultSpec& spec, const Arena& arena) {
  const std::size_t count = arena.nodes.size();
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Rng(spec.draw).shuffle(order);
  Targets targets;
  const auto first = [&](std::size_t size) {
    targets.nodes.assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(size));
  };
  if (spec.targets == "one") {
    first(1);
  } else if (spec.targets == "minority") {
    first(std::max<std::size_t>((count - 1) / 2, 1));
  } else if (spec.targets == "majority") {
    first(count / 2 + 1);
  } else if (spec.targets == "all") {
    first(count);
  } else if (spec.targets == "leader") {
    first(1);
    if (arena.leader) {
      targets.nodes = {*arena.leader};
    } else {
      targets.note = " (no leader known: one drawn at random)";
    }
  } else {
    return error(
        "fault {}: the targets of a kill must be one, minority, majority, leader or all, not "
        "\"{}\"",
        spec.id, spec.targets);
  }
  std::sort(targets.nodes.begin(), targets.nodes.end());
  return targets;
}

class Kill final : public Fault {
 public:
  std::string_view kind() const override { return "kill"; }
  std::string_view summary() const override {
    return "kills servers (SIGKILL) and starts them again: one, a minority, a majority, the leader "
           "or all";
  }
  Drawing drawing() const override { return {"#d55e00", "K"}; }
  // A cluster that is deployed is a server that can be killed.
  std::string probe() const override { return "true"; }

  FaultSpec draw(Rng& rng, std::size_t nodes) const override {
    FaultSpec spec;
    spec.kind = kind();
    std::uint64_t total = 0;
    for (const TargetWeight& rule : rules) total += nodes >= rule.least_nodes ? rule.weight : 0;
    std::uint64_t ticket = rng.below(total);
    for (const TargetWeight& rule : rules) {
      if (nodes < rule.least_nodes) continue;
      if (ticket < rule.weight) {
        spec.targets = rule.targets;
        break;
      }
      ticket -= rule.weight;
    }
    spec.draw = rng.next();
    return spec;
  }

  Result<Injection> plan(const FaultSpec& spec, const Arena& arena) const override {
    const Result<Targets> targets = resolve(spec, arena);
    if (!targets) return pass_on(targets.error());
    Injection injection;
    for (const std::size_t node : targets->nodes) {
      injection.resolved += (injection.resolved.empty() ? "" : " ") + arena.nodes[node];
      const std::string pid = arena.cluster->pid_command(node);
      NodeAction action;
      action.node = node;
      action.undo = arena.cluster->start_command(node);
      // A server that was dead before would make the evidence worthless.
      action.inject = fmt::format(
          "(\n{}\n) >/dev/null || {{ echo 'the server was not running' >&2; exit 1; }}\n(\n{}\n)\n",
          pid, arena.cluster->kill_command(node));
      action.effect = fmt::format(
          "if pid=$(\n{}\n); then echo \"process $pid still runs\" >&2; exit 1; fi\necho 'process "
          "gone'\n",
          pid);
      action.healed = fmt::format(
          "pid=$(\n{}\n) || {{ echo 'the server does not run' >&2; exit 1; }}\necho \"runs again "
          "as process $pid\"\n",
          pid);
      injection.actions.push_back(std::move(action));
    }
    injection.resolved += targets->note;
    return injection;
  }

  // Deploying a cluster brings its servers to a known state.
  std::string sweep() const override { return "true"; }
};

}  // namespace

std::unique_ptr<Fault> make_kill() { return std::make_unique<Kill>(); }

}  // namespace ordeal::nemesis
