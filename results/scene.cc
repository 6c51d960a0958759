#include "results/scene.h"

#include <algorithm>

#include <fmt/format.h>

#include "results/text.h"

namespace ordeal::results {

namespace {

constexpr std::size_t most_operations = 14;
constexpr std::size_t most_faults = 4;
constexpr Nanoseconds before = 10s;  // how far around the operations faults and leaders are shown
constexpr Nanoseconds after = 2s;

struct Window {
  Nanoseconds from{};
  Nanoseconds to{};
  [[nodiscard]] bool holds(Nanoseconds at) const { return at >= from && at <= to; }
};

Window window_of(const std::vector<WitnessOperation>& operations) {
  Window window = {within_reason(operations.front().invoked_at),
                   within_reason(operations.front().invoked_at)};
  for (const WitnessOperation& op : operations) {
    const Nanoseconds invoked = within_reason(op.invoked_at);
    window.from = std::min(window.from, invoked);
    window.to = std::max({window.to, invoked, within_reason(op.completed_at.value_or(invoked))});
  }
  return {window.from - before, window.to + after};
}

// Those that were on at some moment of the window; when there are many, the ones nearest to the
// violation.
std::vector<FaultBar> faults_within(const Window& window, const Finding& finding,
                                    const std::vector<FaultSummary>& faults) {
  std::vector<FaultBar> bars;
  for (const FaultSummary& fault : faults) {
    if (!fault.began) continue;
    const Nanoseconds from = within_reason(*fault.began);
    const Nanoseconds to = within_reason(fault.ended.value_or(Nanoseconds::max()));
    if (from > window.to || to < window.from) continue;
    bars.push_back({clean(fault.spec.kind, 12), clean(fault.resolved, 40), from,
                    fault.ended ? std::optional(to) : std::nullopt});
  }
  const Nanoseconds at = within_reason(finding.at);
  const auto distance = [&](const FaultBar& bar) {
    const Nanoseconds to = bar.to.value_or(at);
    return bar.from > at ? bar.from - at : to < at ? at - to : Nanoseconds::zero();
  };
  std::stable_sort(bars.begin(), bars.end(),
                   [&](const FaultBar& a, const FaultBar& b) { return distance(a) < distance(b); });
  if (bars.size() > most_faults) bars.resize(most_faults);
  std::stable_sort(bars.begin(), bars.end(),
                   [](const FaultBar& a, const FaultBar& b) { return a.from < b.from; });
  return bars;
}

std::vector<LeaderChange> changes_within(const Window& window,
                                         const std::vector<LeaderChange>& leaders) {
  std::vector<LeaderChange> changes;
  for (const LeaderChange& change : leaders) {
    if (window.holds(change.at) && changes.size() < most_faults) changes.push_back(change);
  }
  return changes;
}

}  // namespace

std::string leader_words(const LeaderChange& change) {
  return fmt::format("{}, term {}", clean(change.to, 12), change.term);
}

std::optional<Scene> make_scene(const Finding& finding, const std::vector<FaultSummary>& faults,
                                const std::vector<LeaderChange>& leaders) {
  if (finding.witness.empty()) return std::nullopt;
  std::vector<WitnessOperation> operations = finding.witness;
  if (operations.size() > most_operations) operations.resize(most_operations);
  const Window window = window_of(operations);
  std::vector<FaultBar> bars = faults_within(window, finding, faults);
  std::vector<LeaderChange> changes = changes_within(window, leaders);

  std::vector<Nanoseconds> marks;
  for (const WitnessOperation& op : operations) {
    marks.push_back(within_reason(op.invoked_at));
    if (op.completed_at) marks.push_back(within_reason(*op.completed_at));
  }
  for (const FaultBar& bar : bars) {
    if (window.holds(bar.from)) marks.push_back(bar.from);
    if (bar.to && window.holds(*bar.to)) marks.push_back(*bar.to);
  }
  for (const LeaderChange& change : changes) marks.push_back(change.at);

  std::string leader =
      changes.empty() || changes.front().from.empty() ? "" : clean(changes.front().from, 12);
  for (const LeaderChange& change : leaders) {
    if (within_reason(change.at) < window.from) leader = leader_words(change);
  }
  if (leader.empty() && !changes.empty()) leader = "none";
  return Scene{std::move(operations), std::move(bars), std::move(changes), std::move(leader),
               Axis(std::move(marks))};
}

}  // namespace ordeal::results
