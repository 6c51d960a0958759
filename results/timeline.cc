#include "results/timeline.h"

#include <algorithm>

#include <fmt/format.h>

#include "results/axis.h"
#include "results/text.h"
#include "results/words.h"

namespace ordeal::results {

namespace {

constexpr std::size_t page_width = 108;
constexpr std::size_t most_operations = 14;
constexpr std::size_t most_faults = 4;
constexpr Nanoseconds before = 10s;  // how far around the operations faults and leaders are shown
constexpr Nanoseconds after = 2s;

// A line of single characters that bars and labels are written into.
class Lane {
 public:
  void put(std::size_t column, std::string_view text) {
    for (std::string& character : characters(text)) set(column++, std::move(character));
  }
  void fill(std::size_t from, std::size_t to, const char* character) {
    for (std::size_t column = from; column < to; ++column) set(column, character);
  }
  [[nodiscard]] std::string text() const {
    std::string line;
    for (const std::string& cell : cells_) line += cell;
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
  }

 private:
  void set(std::size_t column, std::string character) {
    if (cells_.size() <= column) cells_.resize(column + 1, " ");
    cells_[column] = std::move(character);
  }
  std::vector<std::string> cells_;
};

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

// A fault with times that can be drawn; `to` absent: it was never seen to end.
struct FaultBar {
  std::string kind;
  std::string hit;
  Nanoseconds from{};
  std::optional<Nanoseconds> to;
};

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

// Times of invocations, where they fit; the breaking operation's first.
std::string time_labels(const std::vector<WitnessOperation>& operations, const Axis& axis) {
  std::vector<std::pair<std::size_t, std::string>> placed;
  const auto place = [&](const WitnessOperation& op) {
    const std::size_t column = axis.column(within_reason(op.invoked_at));
    std::string label = seconds_text(op.invoked_at) + " s";
    for (const auto& [taken, text] : placed) {
      if (column < taken + text.size() + 2 && taken < column + label.size() + 2) return;
    }
    placed.emplace_back(column, std::move(label));
  };
  for (const WitnessOperation& op : operations) {
    if (op.breaks) place(op);
  }
  for (const WitnessOperation& op : operations) place(op);
  Lane lane;
  for (const auto& [column, text] : placed) lane.put(column, text);
  return lane.text();
}

// Beside the bar from `begin` to `end`: to the right if there is room, else to the left.
void put_beside(Lane& lane, std::size_t begin, std::size_t end, const std::string& label,
                std::size_t room) {
  const std::size_t wide = columns(label);
  if (end + 2 + wide > room && begin > wide + 1) {
    lane.put(begin - wide - 1, label);
  } else {
    lane.put(end + 2, label);
  }
}

std::string operation_lane(const WitnessOperation& op, const Axis& axis, std::size_t room) {
  Lane lane;
  const std::size_t begin = axis.column(within_reason(op.invoked_at));
  std::size_t end = begin;
  if (op.completed_at) {
    end = std::max(begin + 1, axis.column(within_reason(*op.completed_at)));
    lane.fill(begin + 1, end, "─");
    lane.put(end, "┤");
  }
  if (op.outcome == Outcome::info) {  // it may still take effect after the client gave up
    const std::size_t edge = std::max(axis.width(), end + 2);
    lane.fill(end + 1, edge, "·");
    lane.put(edge, ">");
    end = edge;
  }
  lane.put(begin, "├");
  const std::string label =
      fmt::format("{}: {}{}", clean(asked(op), 30), clean(answered_in_short(op), 30),
                  op.breaks ? "  <- impossible" : "");
  put_beside(lane, begin, end, label, room);
  return lane.text();
}

std::string fault_lane(const FaultBar& bar, const Axis& axis) {
  Lane lane;
  const std::size_t begin = axis.column(bar.from);
  const std::size_t end = bar.to ? std::max(begin, axis.column(*bar.to)) : axis.width() - 1;
  lane.fill(begin, end + 1, "█");
  if (!bar.to) lane.put(end + 1, ">");
  const std::string label = " " + bar.hit + " ";
  if (bar.hit.empty()) return lane.text();
  if (columns(label) + 2 <= end + 1 - begin) {
    lane.put(begin + (end + 1 - begin - columns(label)) / 2, label);
  } else {
    lane.put(end + 2, bar.hit);
  }
  return lane.text();
}

std::string leader_words(const LeaderChange& change) {
  return fmt::format("{}, term {}", clean(change.to, 12), change.term);
}

// `first`: who led when the window opened.
std::string leader_lane(std::string first, const std::vector<LeaderChange>& changes,
                        const Axis& axis) {
  Lane lane;
  std::size_t begin = 0;
  const auto put_leader = [&](const std::string& who, std::size_t end) {
    lane.fill(begin, end, "─");
    if (columns(who) + 2 <= end - begin) lane.put(begin + 1, who);
    begin = end + 1;
  };
  std::string who = std::move(first);
  for (const LeaderChange& change : changes) {
    const std::size_t at = std::max(begin, axis.column(within_reason(change.at)));
    put_leader(" " + who + " ", at);
    lane.put(at, "┃");
    who = leader_words(change);
  }
  const std::size_t wide = columns(who) + 4;
  put_leader(" " + who + " ", std::max(axis.width(), begin + wide));
  return lane.text();
}

}  // namespace

std::string draw_timeline(const Finding& finding, const std::vector<FaultSummary>& faults,
                          const std::vector<LeaderChange>& leaders) {
  if (finding.witness.empty()) return {};
  std::vector<WitnessOperation> operations = finding.witness;
  if (operations.size() > most_operations) operations.resize(most_operations);
  const Window window = window_of(operations);
  const auto bars = faults_within(window, finding, faults);
  const auto changes = changes_within(window, leaders);

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
  const Axis axis(std::move(marks));

  std::vector<std::pair<std::string, std::string>> lines = {{"", time_labels(operations, axis)},
                                                            {"", axis.ruler()}};
  std::size_t gutter = 6;
  for (const WitnessOperation& op : operations) {
    lines.emplace_back(fmt::format("{} {}", op.id, clean(op.node, 12)), "");
    gutter = std::max(gutter, columns(lines.back().first));
  }
  for (const FaultBar& bar : bars) gutter = std::max(gutter, columns(bar.kind));
  const std::size_t room = page_width - gutter - 2;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    lines[i + 2].second = operation_lane(operations[i], axis, room);
  }
  for (const FaultBar& bar : bars) lines.emplace_back(bar.kind, fault_lane(bar, axis));
  std::string leader =
      changes.empty() || changes.front().from.empty() ? "" : clean(changes.front().from, 12);
  for (const LeaderChange& change : leaders) {
    if (within_reason(change.at) < window.from) leader = leader_words(change);
  }
  if (leader.empty() && !changes.empty()) leader = "none";
  if (!leader.empty()) lines.emplace_back("leader", leader_lane(leader, changes, axis));

  std::string picture;
  for (const auto& [name, lane] : lines) {
    picture += lane.empty() ? name + "\n" : pad(name, gutter) + "  " + lane + "\n";
  }
  return picture;
}

}  // namespace ordeal::results
