#include "nemesis/schedule.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "nemesis/fault.h"
#include "nemesis/turns.h"

namespace ordeal::nemesis {

namespace {

struct Range {
  Nanoseconds low, high;
};

// +-40 %, in whole nanoseconds.
Range around(Nanoseconds average) { return {average * 3 / 5, average * 7 / 5}; }

// The shortest time into which one fault of each kind fits.
Nanoseconds least_time(const ScheduleOptions& options) {
  const auto count = static_cast<std::int64_t>(options.kinds.size());
  return options.quiet_start + options.quiet_end + count * around(options.duration).low +
         (count - 1) * around(options.calm).low;
}

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
  const Nanoseconds least = least_time(options);
  if (options.time < least && !options.swarm) {
    return error("{} is too short for one fault of each kind ({}): make the time at least {}",
                 to_text(options.time), fmt::join(options.kinds, ", "), to_text(least));
  }
  return {};
}

// What this run of the swarm is like.
ScheduleOptions draw_options(ScheduleOptions options, Rng rng) {
  rng.shuffle(options.kinds);
  options.kinds.resize(1 + rng.below(options.kinds.size()));
  const auto scaled = [&](Nanoseconds average) {
    return average * rng.between(2, 20) / 10;  // a fifth to twice as long
  };
  options.duration = std::max<Nanoseconds>(scaled(options.duration), 1s);
  options.calm = std::max<Nanoseconds>(scaled(options.calm), 1s);
  options.overlap = 1 + rng.below(2);
  while (options.kinds.size() > 1 && options.time < least_time(options)) options.kinds.pop_back();
  return options;
}

bool harms_most(const FaultSpec& spec) {
  return spec.targets == "all" || spec.targets == "majority" || spec.targets == "followers";
}

// At one moment: a rolling fault has one node at a time.
bool harms_all(const FaultSpec& spec) {
  const auto mode = text_of(spec, "mode");
  return spec.targets == "all" && mode != "rolling";
}

// A fault of another kind within the time of `main`; nothing when none fits.
std::optional<FaultSpec> draw_company(const FaultSpec& main, const std::vector<std::string>& kinds,
                                      Rng& rng, std::size_t nodes) {
  constexpr Nanoseconds least = 1s;
  const Touches touched = fault_named(main.kind)->touches();
  std::vector<std::string> others;
  for (const std::string& kind : kinds) {
    const Touches touches = fault_named(kind)->touches();
    if (touches != touched && touches != Touches::everything && touched != Touches::everything)
      others.push_back(kind);
  }
  if (others.empty() || harms_most(main) || main.duration < 2 * least) return std::nullopt;
  FaultSpec spec = fault_named(rng.pick(others))->draw(rng, nodes);
  // A server that is down for all of a rolling restart's others is more than what was asked for.
  if (harms_most(spec)) return std::nullopt;
  const Nanoseconds late = rng.between(0s, main.duration - 2 * least + least / 2);
  spec.begin = main.begin + late;
  spec.duration =
      rng.between(least, std::max<Nanoseconds>(main.duration - late - least / 2, least));
  return spec;
}

// Company for some of the faults, in the order of their begins.
std::vector<FaultSpec> with_company(std::vector<FaultSpec> schedule,
                                    const std::vector<std::string>& kinds, std::size_t overlap,
                                    Rng rng, std::size_t nodes) {
  std::vector<FaultSpec> all;
  for (FaultSpec& main : schedule) {
    const std::size_t at = all.size();
    all.push_back(std::move(main));
    for (std::size_t more = 1; more < overlap; ++more) {
      if (!rng.chance(0.4)) continue;
      const FaultSpec beside = all[at];
      const auto company = draw_company(beside, kinds, rng, nodes);
      const bool is_free = company && std::none_of(all.begin() + static_cast<std::ptrdiff_t>(at),
                                                   all.end(), [&](const FaultSpec& other) {
                                                     return fault_named(other.kind)->touches() ==
                                                            fault_named(company->kind)->touches();
                                                   });
      if (is_free) all.push_back(*company);
    }
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const FaultSpec& a, const FaultSpec& b) { return a.begin < b.begin; });
  for (std::size_t i = 0; i < all.size(); ++i) all[i].id = static_cast<int>(i) + 1;
  return all;
}

}  // namespace

Result<std::vector<FaultSpec>> draw_schedule(const ScheduleOptions& wanted, Rng rng,
                                             std::size_t nodes) {
  std::vector<FaultSpec> schedule;
  if (wanted.kinds.empty()) return schedule;
  if (const Result<void> fits = check(wanted, nodes); !fits) return pass_on(fits.error());
  const ScheduleOptions options = wanted.swarm ? draw_options(wanted, rng.fork("swarm")) : wanted;
  Rng modes = rng.fork("modes");
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
      if (room < duration.low) {
        return with_company(std::move(schedule), options.kinds, options.overlap,
                            rng.fork("company"), nodes);
      }
      const Fault& fault = *fault_named(round[i]);
      FaultSpec spec = fault.draw(draws, nodes);
      if (spec.parameters.count("mode") == 0) draw_mode(spec, fault, modes);
      spec.id = static_cast<int>(schedule.size()) + 1;
      spec.begin = begin;
      spec.duration = times.between(duration.low, std::min(duration.high, room));
      if (harms_all(spec)) spec.duration = std::min(spec.duration, options.longest_for_all);
      const Nanoseconds spare = room - spec.duration + calm.low;
      const Nanoseconds pause =
          times.between(calm.low, to_come > 0 ? std::min(calm.high, spare) : calm.high);
      begin += spec.duration + pause;
      schedule.push_back(std::move(spec));
    }
  }
}

}  // namespace ordeal::nemesis
