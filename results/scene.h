#pragma once
// What a picture of a finding shows, before anybody draws it: the operations, the faults and
// leaders around them, and the axis that they share. Text and SVG are drawn from the same scene.

#include <optional>
#include <string>
#include <vector>

#include "core/run.h"
#include "results/axis.h"

namespace ordeal::results {

// A fault with times that can be drawn.
struct FaultBar {
  std::string kind;
  std::string hit;
  Nanoseconds from{};
  std::optional<Nanoseconds> to;  // absent: it was never seen to end
};

struct Scene {
  std::vector<WitnessOperation> operations;  // the first ones, when there are very many
  std::vector<FaultBar> faults;              // by begin; the nearest ones, when there are many
  std::vector<LeaderChange> changes;
  std::string first_leader;  // "n1, term 6", who led before the first change; empty: not known
  Axis axis;
};

// Nothing when the finding has no operation.
[[nodiscard]] std::optional<Scene> make_scene(const Finding& finding,
                                              const std::vector<FaultSummary>& faults,
                                              const std::vector<LeaderChange>& leaders);

// "n1, term 6".
[[nodiscard]] std::string leader_words(const LeaderChange& change);

}  // namespace ordeal::results
