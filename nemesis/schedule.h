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
  // Faults at once, at most. Every second or third fault then has company, of another kind, that
  // touches something else and ends before it does, so that the calm stays.
  std::size_t overlap = 1;
  // No single fault harms every node for longer than this.
  Nanoseconds longest_for_all = 8s;
  // The run itself is drawn: which of the kinds take part, how long faults and calm are, how many
  // faults at once.
  bool swarm = false;
};

// Kinds take turns in shuffled rounds, so that none is left out by chance. Fewer than one fault of
// each kind that fit into the time is an Error that says how long the time must be. In a swarm as
// many kinds are drawn as the time has room for.
[[nodiscard]] Result<std::vector<FaultSpec>> draw_schedule(const ScheduleOptions& options, Rng rng,
                                                           std::size_t nodes);

}  // namespace ordeal::nemesis
