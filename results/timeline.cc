#include "results/timeline.h"

#include <algorithm>

#include <fmt/format.h>

#include "results/scene.h"
#include "results/text.h"
#include "results/words.h"

namespace ordeal::results {

namespace {

constexpr std::size_t page_width = 108;

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
  const std::optional<Scene> scene = make_scene(finding, faults, leaders);
  if (!scene) return {};
  const Axis& axis = scene->axis;
  std::vector<std::pair<std::string, std::string>> lines = {
      {"", time_labels(scene->operations, axis)}, {"", axis.ruler()}};
  std::size_t gutter = 6;
  for (const WitnessOperation& op : scene->operations) {
    lines.emplace_back(fmt::format("{} {}", op.id, clean(op.node, 12)), "");
    gutter = std::max(gutter, columns(lines.back().first));
  }
  for (const FaultBar& bar : scene->faults) gutter = std::max(gutter, columns(bar.kind));
  const std::size_t room = page_width - gutter - 2;
  for (std::size_t i = 0; i < scene->operations.size(); ++i) {
    lines[i + 2].second = operation_lane(scene->operations[i], axis, room);
  }
  for (const FaultBar& bar : scene->faults) lines.emplace_back(bar.kind, fault_lane(bar, axis));
  if (!scene->first_leader.empty())
    lines.emplace_back("leader", leader_lane(scene->first_leader, scene->changes, axis));

  std::string picture;
  for (const auto& [name, lane] : lines) {
    picture += lane.empty() ? name + "\n" : pad(name, gutter) + "  " + lane + "\n";
  }
  return picture;
}

}  // namespace ordeal::results
