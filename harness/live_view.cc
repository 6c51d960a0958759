#include "harness/live_view.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "results/text.h"

namespace ordeal::harness {

namespace {

using results::columns;

constexpr std::string_view dim = "2", red = "31", yellow = "33", bold = "1";

class Painter {
 public:
  explicit Painter(const LiveStyle& style) : style_(style) {}
  [[nodiscard]] const char* pick(const char* symbol, const char* plain) const {
    return style_.unicode ? symbol : plain;
  }

  // Adds a piece, or what of it still fits.
  void put(std::string_view text, std::string_view code = {}) {
    std::string shown = style_.unicode ? std::string(text) : results::to_ascii(text);
    if (used_ + columns(shown) > style_.width) shown = cut(shown);
    used_ += columns(shown);
    const bool paint = style_.colour && !code.empty() && !shown.empty();
    line_ += paint ? fmt::format("\x1b[{}m{}\x1b[0m", code, shown) : shown;
  }
  [[nodiscard]] std::size_t room() const { return style_.width - std::min(used_, style_.width); }
  void end() {
    lines_.push_back(std::move(line_));
    line_.clear();
    used_ = 0;
  }
  [[nodiscard]] std::vector<std::string> finish() && { return std::move(lines_); }

 private:
  [[nodiscard]] std::string cut(const std::string& text) const {
    std::string kept;
    std::size_t wide = 0;
    for (const std::string& character : results::characters(text)) {
      wide += columns(character);
      if (wide > room()) break;
      kept += character;
    }
    return kept;
  }

  LiveStyle style_;
  std::string line_;
  std::size_t used_ = 0;
  std::vector<std::string> lines_;
};

std::string spark(const std::vector<double>& values) {
  constexpr std::array bars = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  double most = 1;
  for (const double value : values) most = std::max(most, value);
  std::string text;
  for (const double value : values)
    text += bars.at(std::min<std::size_t>(7, static_cast<std::size_t>(value / most * 7.99)));
  return text;
}

std::string minutes(Nanoseconds time) {
  const auto seconds = std::max<std::int64_t>(0, time.count() / 1'000'000'000);
  return fmt::format("{:02}:{:02}", seconds / 60, seconds % 60);
}

std::uint64_t total(const LiveState& state) { return state.ok + state.fail + state.info; }

double rate(const LiveState& now, const LiveHistory& history) {
  if (history.seconds <= 0) return 0;
  return static_cast<double>(total(now) - total(history.before)) / history.seconds;
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "-";
  return fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string latency(const LiveState& now, const LiveHistory& history, double share) {
  const auto found = now.latencies.quantile(share, history.before.latencies);
  return found ? to_text(*found) : "-";
}

void put_title(Painter& painter, const LiveState& now, const LiveStyle& style) {
  painter.put("  " + now.title, bold);
  if (now.planned <= Nanoseconds::zero()) return painter.end();
  const std::string clock = fmt::format("  {} / {}  ", minutes(now.elapsed), minutes(now.planned));
  constexpr std::size_t bar = 18;
  if (painter.room() < columns(clock) + bar) return painter.end();
  painter.put(std::string(painter.room() - columns(clock) - bar, ' ') + clock);
  const double done = std::clamp(
      static_cast<double>(now.elapsed.count()) / static_cast<double>(now.planned.count()), 0.0,
      1.0);
  const auto full = static_cast<std::size_t>(done * bar);
  std::string text;
  for (std::size_t i = 0; i < bar; ++i)
    text += i < full ? (style.unicode ? "█" : "#") : (style.unicode ? "░" : ".");
  painter.put(text, dim);
  painter.end();
}

void put_rates(Painter& painter, const LiveState& now, const LiveHistory& history,
               const LiveStyle& style) {
  painter.put(
      fmt::format("  ops     {}  {:.0f}/s ", results::grouped(total(now)), rate(now, history)));
  if (style.unicode && style.width >= 90) painter.put(spark(history.per_second), dim);
  painter.put(fmt::format("  ok {}", percent(now.ok, total(now))));
  painter.put(fmt::format("  fail {}", percent(now.fail, total(now))), dim);
  painter.put(fmt::format("  unknown {}", percent(now.info, total(now))),
              now.info > 0 ? yellow : dim);
  painter.put(
      fmt::format("  p50 {}  p99 {}", latency(now, history, 0.5), latency(now, history, 0.99)));
  painter.end();
}

void put_nodes(Painter& painter, const LiveState& now) {
  painter.put("  nodes   ");
  for (const NodeSample& node : now.nodes) {
    const bool leads = node.answers && node.leader == node.node;
    const std::string_view mark = !node.answers ? painter.pick("✕", "x")
                                  : leads       ? painter.pick("★", "*")
                                                : painter.pick("●", "o");
    std::string text = fmt::format("{} {}", node.node, mark);
    if (node.answers)
      text += fmt::format(" {}{}", leads ? "leader " : "",
                          node.term > 0 ? fmt::format("t{}", node.term) : "");
    if (node.answers && node.leader.empty()) text += " no leader";
    if (columns(text) + 2 > painter.room()) {
      painter.end();
      painter.put("          ");
    }
    painter.put(text + "   ", !node.answers ? red : leads ? bold : dim);
  }
  painter.end();
}

}  // namespace

std::size_t LatencyCounts::bucket(Nanoseconds latency) {
  const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(1, latency.count() / 1000));
  const auto power = static_cast<std::size_t>(std::bit_width(us) - 1);
  const std::size_t quarter = power >= 2 ? us >> (power - 2) & 3U : 0;
  return std::min<std::size_t>(power * 4 + quarter, 95);
}

std::optional<Nanoseconds> LatencyCounts::quantile(double share,
                                                   const LatencyCounts& before) const {
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) all += counts.at(i) - before.counts.at(i);
  if (all == 0) return std::nullopt;
  const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(all - 1));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    seen += counts.at(i) - before.counts.at(i);
    if (seen <= wanted) continue;
    const double us = static_cast<double>(std::uint64_t{1} << (i / 4)) *
                      (1 + (static_cast<double>(i % 4) + 0.5) / 4);
    return Nanoseconds(static_cast<std::int64_t>(us * 1000));
  }
  return std::nullopt;
}

std::vector<std::string> live_block(const LiveState& now, const LiveHistory& history,
                                    const LiveStyle& style) {
  Painter painter(style);
  painter.end();
  put_title(painter, now, style);
  put_rates(painter, now, history, style);
  put_nodes(painter, now);
  painter.put("  faults  ");
  std::string on;
  for (const std::string& fault : now.faults_on) on += (on.empty() ? "" : "; ") + fault;
  painter.put(results::clean(on.empty() ? "none on" : on, 200), on.empty() ? dim : yellow);
  if (!now.faults_done.empty()) painter.put("   done: " + now.faults_done, dim);
  if (now.faults_held) painter.put("   held back: none begins", yellow);
  painter.end();
  for (const std::string& warning : now.warnings) {
    painter.put("  notice  " + results::clean(warning, 200), yellow);
    painter.end();
  }
  if (now.keys_are_read) {
    painter.put("  keys    t: what everybody is doing", dim);
    painter.put(now.faults_held ? "   f: let faults go on" : "   f: hold faults back", dim);
    painter.put("   q: end and judge", dim);
    painter.end();
  }
  return std::move(painter).finish();
}

std::vector<std::string> live_dump(const LiveState& now) {
  std::vector<std::string> lines;
  for (const NodeSample& node : now.nodes) {
    lines.push_back(
        fmt::format("{}: {}", node.node,
                    !node.answers ? "does not answer: " + results::clean(node.error, 200)
                    : node.leader == node.node
                        ? fmt::format("leader in term {}", node.term)
                        : fmt::format("follows {} in term {}",
                                      node.leader.empty() ? "nobody" : node.leader, node.term)));
  }
  for (const std::string& client : now.clients) lines.push_back(client);
  if (now.clients.empty()) lines.emplace_back("no client waits for an answer");
  for (const std::string& fault : now.faults_on)
    lines.push_back("fault on: " + results::clean(fault, 200));
  if (now.faults_on.empty()) lines.emplace_back("no fault is on");
  return lines;
}

std::string live_line(const LiveState& now, const LiveHistory& history) {
  std::size_t up = 0;
  std::string leader = "none";
  for (const NodeSample& node : now.nodes) {
    up += node.answers ? 1U : 0U;
    if (node.answers && node.leader == node.node)
      leader = fmt::format("{} (term {})", node.node, node.term);
  }
  std::string on;
  for (const std::string& fault : now.faults_on) on += (on.empty() ? "" : "; ") + fault;
  std::string line = fmt::format(
      "{} ops  {:.0f}/s  ok {}  fail {}  unknown {}  p50 {}  p99 {}  nodes up {}/{}  leader {}  {}",
      results::grouped(total(now)), rate(now, history), percent(now.ok, total(now)),
      percent(now.fail, total(now)), percent(now.info, total(now)), latency(now, history, 0.5),
      latency(now, history, 0.99), up, now.nodes.size(), leader,
      on.empty() ? "no fault on" : results::clean(on, 200));
  for (const std::string& warning : now.warnings)
    line += "  notice: " + results::clean(warning, 200);
  return line;
}

}  // namespace ordeal::harness
