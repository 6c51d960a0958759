#pragma once
// Which nodes a fault means: a rule in the plan, resolved when the fault is injected. Pure.
//
// The rules: one, minority, majority, all, leader, followers, leader-minority (a minority that the
// leader is in), zone (all nodes of one failure domain), zone:NAME, and names of nodes, separated
// by commas. A minority is the largest one.

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/fault.h"
#include "core/random.h"
#include "nemesis/fault.h"

namespace ordeal::nemesis {

struct TargetWeight {
  std::string_view rule;
  std::uint64_t weight;
  std::size_t least_nodes;
};
// What most kinds draw from: a minority, or the leader, more often than all.
[[nodiscard]] const std::vector<TargetWeight>& usual_targets();
// For harm from which a majority could not come back: never more than a minority.
[[nodiscard]] const std::vector<TargetWeight>& minority_targets();

[[nodiscard]] std::string draw_targets(Rng& rng, const std::vector<TargetWeight>& rules,
                                       std::size_t nodes);

struct Targets {
  std::vector<std::size_t> nodes;  // rising; never empty
  std::string resolved;            // for people: "n1 n3"
};
[[nodiscard]] Result<Targets> resolve_targets(const FaultSpec& spec, const Arena& arena);

// A fault of that kind with targets and the seed of its own; its parameters are the kind's to draw.
[[nodiscard]] FaultSpec draw_fault(std::string_view kind, Rng& rng, std::size_t nodes);
// An action for each node that the fault means, filled in by `act`. What is resolved is told before
// `told`.
[[nodiscard]] Result<Injection> on_targets(const FaultSpec& spec, const Arena& arena,
                                           const std::string& told,
                                           const std::function<Result<void>(NodeAction&)>& act);

// All nodes, in an order that the fault's own draw decides.
[[nodiscard]] std::vector<std::size_t> drawn_order(const FaultSpec& spec, std::size_t nodes);

}  // namespace ordeal::nemesis
