#pragma once
// How a fault is on during its time. The parameter `mode` of any fault that can do it is
//   absent      on all its nodes from begin to end
//   "flapping"  on and off in turns: on for `period_ms`, off for as long, and so on
//   "rolling"   on one node after the other, an equal share of the time each
// Pure.

#include <optional>
#include <string>
#include <vector>

#include "nemesis/fault.h"

namespace ordeal::nemesis {

// A time in which some nodes have the fault, and a calm one after it.
struct Turn {
  std::vector<NodeAction> actions;
  Nanoseconds on{}, off{};
};
[[nodiscard]] std::vector<Turn> turns_of(const FaultSpec& spec, const Injection& injection);

// That mode and period are ones that the kind can do.
[[nodiscard]] Result<void> check_mode(const FaultSpec& spec, const Fault& fault);
// Draws a mode now and then; for a fault whose duration is known.
void draw_mode(FaultSpec& spec, const Fault& fault, Rng& rng);

// Parameters by name; nothing when absent or of another type.
[[nodiscard]] std::optional<std::int64_t> integer_of(const FaultSpec& spec,
                                                     const std::string& name);
[[nodiscard]] std::optional<std::string> text_of(const FaultSpec& spec, const std::string& name);

}  // namespace ordeal::nemesis
