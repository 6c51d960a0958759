#include "nemesis/schedule.h"

#include <algorithm>

#include <fmt/format.h>

#include "nemesis/fault.h"

namespace ordeal::nemesis {

namespace {

struct Range {
  Nanoseconds low, high;
};

// +-40 %, in whole nanoseconds.
Range around(Nanoseconds average) { return {average * 3 / 5, average * 7 / 5}; }

Result<void> check(const ScheduleOptions& options, std::size_t nodes) {
  for (const std::string& kind : options.kinds) {
    const Fault* fault = fault_named(kind);
    if (fault == nullptr) {
      std::string known;
      for (const auto& each : faults())
        known += fmt::format("{}{}", known.empty() ? "" : ", ", each->kind());
      return error("there is no fault named {}; there are {}", kind, known);
    }
    if (nodes < fault->least_nodes()) {
      return error("{} needs at least {} nodes, there are {}", kind, fault->least_nodes(), nodes);
    }
  }
  const auto count = static_cast<std::int64_t>(options.kinds.size());
  const Nanoseconds least = options.quiet_start + options.quiet_end +
                            count * around(options.duration).low +
                            (count - 1) * around(options.calm).low;
  if (options.time < least) {
    return error("{} is too short for one fault of each kind ({}): make the time at least {}",
                 to_text(options.time), fmt::join(options.kinds, ", "), to_text(least));
  }
  return {};
}

}  // namespace

Result<std::vector<FaultSpec>> draw_schedule(const ScheduleOptions& options, Rng rng,
                                             std::size_t nodes) {
  std::vector<FaultSpec> schedule;
  if (options.kinds.empty()) return schedule;
  if (const Result<void> fits = check(options, nodes); !fits) return pass_on(fits.error());
  // Three streams, so that a fault that draws more does not move the times of the others.
  Rng order = rng.fork("order"), times = rng.fork("times"), draws = rng.fork("draws");
  const Range duration = around(options.duration), calm = around(options.calm);
  const Nanoseconds end = options.time - options.quiet_end;
  Nanoseconds begin = options.quiet_start;
  for (std::size_t turn = 0;; ++turn) {
    std::vector<std::string> round = options.kinds;
    order.fork(fmt::format("round/{}", turn)).shuffle(round);
    for (std::size_t i = 0; i < round.size(); ++i) {
      // The first round leaves room for one of each kind.
      const auto to_come = static_cast<std::int64_t>(turn == 0 ? round.size() - 1 - i : 0);
      const Nanoseconds room = end - begin - to_come * (duration.low + calm.low);
      if (room < duration.low) return schedule;
      FaultSpec spec = fault_named(round[i])->draw(draws, nodes);
      spec.id = static_cast<int>(schedule.size()) + 1;
      spec.begin = begin;
      spec.duration = times.between(duration.low, std::min(duration.high, room));
      const Nanoseconds spare = room - spec.duration + calm.low;
      const Nanoseconds pause =
          times.between(calm.low, to_come > 0 ? std::min(calm.high, spare) : calm.high);
      begin += spec.duration + pause;
      schedule.push_back(std::move(spec));
    }
  }
}

}  // namespace ordeal::nemesis
