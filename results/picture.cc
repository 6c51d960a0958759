#include "results/picture.h"

#include <algorithm>

#include <fmt/format.h>

#include "results/html.h"
#include "results/text.h"
#include "results/words.h"

namespace ordeal::results {

namespace {

constexpr std::size_t gutter = 118;  // for the names of lanes
constexpr std::size_t step = 9;      // a column of the axis
constexpr std::size_t margin = 270;  // to the right, for labels
constexpr std::size_t row = 30;
constexpr std::size_t bar = 16;
constexpr std::size_t letter = 7;  // width of a character of a label

class Svg {
 public:
  explicit Svg(const Axis& axis) : axis_(axis) {}

  [[nodiscard]] std::size_t x(Nanoseconds at) const {
    return gutter + axis_.column(within_reason(at)) * step;
  }
  [[nodiscard]] std::size_t left() const { return gutter; }
  [[nodiscard]] std::size_t right() const { return gutter + axis_.width() * step; }
  [[nodiscard]] std::size_t width() const { return right() + margin; }

  void rect(std::size_t from, std::size_t to, std::size_t y, std::size_t height,
            std::string_view css_class) {
    body_ += fmt::format(R"(<rect x="{}" y="{}" width="{}" height="{}" rx="3" class="{}"/>)", from,
                         y, std::max<std::size_t>(to > from ? to - from : 0, 3), height, css_class);
  }
  void line(std::size_t x1, std::size_t y1, std::size_t x2, std::size_t y2,
            std::string_view css_class) {
    body_ += fmt::format(R"(<line x1="{}" y1="{}" x2="{}" y2="{}" class="{}"/>)", x1, y1, x2, y2,
                         css_class);
  }
  void text(std::size_t at, std::size_t y, std::string_view raw, std::string_view css_class,
            std::string_view anchor = "start") {
    body_ += fmt::format(R"(<text x="{}" y="{}" class="{}" text-anchor="{}">{}</text>)", at, y,
                         css_class, anchor, html(raw, 80));
  }
  [[nodiscard]] std::string finish(std::size_t height, std::string_view title) && {
    return fmt::format(
        R"(<svg class="picture" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img" )"
        "aria-label=\"{2}\">{3}</svg>\n",
        width(), height, title, body_);
  }

 private:
  const Axis& axis_;
  std::string body_;
};

// Times of invocations, where they fit; the breaking operation's first.
void draw_times(Svg& svg, const Scene& scene) {
  std::vector<std::size_t> placed;
  const auto place = [&](const WitnessOperation& op) {
    const std::size_t x = svg.x(op.invoked_at);
    const bool taken = std::any_of(placed.begin(), placed.end(), [&](std::size_t other) {
      return (x > other ? x - other : other - x) < 11 * letter;
    });
    if (taken) return;
    placed.push_back(x);
    svg.text(x, 14, seconds_text(op.invoked_at) + " s", "time");
    svg.line(x, 20, x, 26, "tick");
  };
  for (const WitnessOperation& op : scene.operations) {
    if (op.breaks) place(op);
  }
  for (const WitnessOperation& op : scene.operations) place(op);
}

void draw_operation(Svg& svg, const WitnessOperation& op, std::size_t y) {
  const std::size_t from = svg.x(op.invoked_at);
  std::size_t to = op.completed_at ? svg.x(*op.completed_at) : from;
  const std::string_view state = op.breaks                     ? "op breaks"
                                 : op.outcome == Outcome::ok   ? "op ok"
                                 : op.outcome == Outcome::fail ? "op fail"
                                                               : "op info";
  if (op.outcome == Outcome::info) {  // it may still take effect after the client gave up
    svg.line(to, y + bar / 2, svg.right(), y + bar / 2, "open");
    to = std::max(to, from + 6);
  }
  svg.text(gutter - 10, y + 12, fmt::format("{} {}", clean(op.node, 10), op.id), "name", "end");
  svg.rect(from, to, y, bar, state);
  const std::string label =
      fmt::format("{} → {}{}", clean(asked(op), 30), clean(answered_in_short(op), 30),
                  op.breaks ? "  impossible" : "");
  const std::size_t wide = columns(label) * letter;
  const bool to_the_left = to + 8 + wide > svg.width() && from > gutter + wide + 8;
  if (to_the_left) {
    svg.text(from - 8, y + 12, label, op.breaks ? "label breaks" : "label", "end");
  } else {
    svg.text(to + 8, y + 12, label, op.breaks ? "label breaks" : "label");
  }
}

void draw_fault(Svg& svg, const FaultBar& fault, std::size_t y, std::size_t height) {
  const std::size_t from = svg.x(fault.from);
  const std::size_t to = fault.to ? svg.x(*fault.to) : svg.right();
  svg.rect(from, std::max(to, from + 4), 24, height - 24, "shade");
  svg.rect(from, std::max(to, from + 4), y, bar, "fault");
  svg.text(gutter - 10, y + 12, fault.kind, "name", "end");
  const std::string hit = fault.hit + (fault.to ? "" : " (not undone)");
  const bool inside = columns(hit) * letter + 12 < (to > from ? to - from : 0);
  svg.text(inside ? from + 6 : std::max(to, from + 4) + 8, y + 12, hit,
           inside ? "label on-fault" : "label");
}

void draw_leaders(Svg& svg, const Scene& scene, std::size_t y) {
  svg.text(gutter - 10, y + 12, "leader", "name", "end");
  std::size_t from = svg.left();
  std::string who = scene.first_leader;
  const auto stretch = [&](std::size_t to, bool last) {
    svg.rect(from, to, y + 5, 6, "leader");
    if (columns(who) * letter < (to > from ? to - from : 0) || last)
      svg.text(from + 4, y + 26, who, "time");
  };
  for (const LeaderChange& change : scene.changes) {
    const std::size_t at = std::max(svg.x(change.at), from);
    stretch(at > 2 ? at - 2 : at, false);
    svg.line(at, 24, at, y + 14, "change");
    from = at + 2;
    who = leader_words(change);
  }
  stretch(std::max(svg.right(), from + 40), true);
}

}  // namespace

std::string draw_picture(const Scene& scene) {
  Svg svg(scene.axis);
  const std::size_t lanes = scene.operations.size() + scene.faults.size();
  const std::size_t height = 36 + lanes * row + (scene.first_leader.empty() ? 0 : row + 4);
  std::size_t y = 32;
  // Bands first, so that bars stand on them.
  for (std::size_t i = 0; i < scene.faults.size(); ++i)
    draw_fault(svg, scene.faults[i], y + (scene.operations.size() + i) * row, height);
  draw_times(svg, scene);
  for (const WitnessOperation& op : scene.operations) {
    draw_operation(svg, op, y);
    y += row;
  }
  y += scene.faults.size() * row;
  if (!scene.first_leader.empty()) draw_leaders(svg, scene, y);
  return std::move(svg).finish(height, "the operations of the finding on a time axis");
}

}  // namespace ordeal::results
