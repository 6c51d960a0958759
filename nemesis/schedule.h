#pragma once
// When faults come: drawn once, at planning, from the nemesis' own stream.

#include <vector>

#include "core/fault.h"
#include "core/random.h"
#include "core/result.h"

namespace ordeal::nemesis {

struct ScheduleOptions {
  std::vector<std::string> kinds;
  Nanoseconds time{};  // of the main phase
  Nanoseconds quiet_start = 3s;
  Nanoseconds quiet_end = 3s;  // the cluster settles before the main phase ends
  Nanoseconds duration = 5s;   // of one fault, on average (drawn within +-40 %)
  Nanoseconds calm = 3s;       // between faults, on average (likewise)
};

// One fault at a time; kinds take turns in shuffled rounds, so that none is left out by chance.
// Fewer than one fault of each kind that fit into the time is an Error that says how long the time
// must be.
[[nodiscard]] Result<std::vector<FaultSpec>> draw_schedule(const ScheduleOptions& options, Rng rng,
                                                           std::size_t nodes);

}  // namespace ordeal::nemesis
