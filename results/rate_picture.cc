#include "results/rate_picture.h"

#include <algorithm>

#include <fmt/format.h>

#include "results/html.h"

namespace ordeal::results {

namespace {

constexpr double left = 70, wide = 820, top = 14, high = 170, lane = 20;
constexpr std::size_t most_bands = 300;

double seconds(Nanoseconds time) { return static_cast<double>(time.count()) / 1e9; }

// The 1, 2 or 5 times a power of ten that gives at most `marks` marks up to `most`.
double step_for(double most, int marks) {
  double power = 1e-3;
  while (true) {
    for (const double digit : {1.0, 2.0, 5.0}) {
      if (most / (digit * power) <= marks) return digit * power;
    }
    power *= 10;
  }
}

struct Frame {
  double longest, most;  // seconds, operations a second
  [[nodiscard]] double x(double at) const {
    return left + std::clamp(at / longest, 0.0, 1.0) * wide;
  }
  [[nodiscard]] double y(double rate) const { return top + high - rate / most * high; }
};

std::string axes(const Frame& frame) {
  std::string text;
  const double across = step_for(frame.longest, 10);
  for (int i = 0; i * across <= frame.longest; ++i) {
    const double at = frame.x(i * across);
    text += fmt::format(
        R"(<line x1="{0:.1f}" y1="{1}" x2="{0:.1f}" y2="{2}" class="tick"/><text x="{0:.1f}" )"
        R"(y="{3}" class="time" text-anchor="middle">{4:g} s</text>)",
        at, top, top + high, top + high + 16, i * across);
  }
  const double up = step_for(frame.most, 4);
  for (int i = 0; i * up <= frame.most; ++i) {
    const double at = frame.y(i * up);
    text += fmt::format(
        R"(<line x1="{0}" y1="{1:.1f}" x2="{2}" y2="{1:.1f}" class="tick"/><text x="{3}" )"
        R"(y="{4:.1f}" class="time" text-anchor="end">{5:g}</text>)",
        left, at, left + wide, left - 8, at + 4, i * up);
  }
  return text;
}

std::string line(const Frame& frame, const RateLine& run, std::string_view css_class) {
  std::string points;
  for (std::size_t i = 0; i < run.per_second.size(); ++i) {
    const double at = (static_cast<double>(i) + 0.5) * seconds(run.step);
    points += fmt::format("{:.1f},{:.1f} ", frame.x(at), frame.y(run.per_second[i]));
  }
  return fmt::format(R"(<polyline points="{}" class="{}"/>)", points, css_class);
}

std::string faults(const Frame& frame, const RateLine& run, std::string_view name, double y) {
  std::string text =
      fmt::format(R"(<text x="{}" y="{}" class="name" text-anchor="end">faults of {}</text>)",
                  left - 8, y + 12, name);
  for (std::size_t i = 0; i < std::min(run.faults.size(), most_bands); ++i) {
    const RateLine::Band& band = run.faults[i];
    const double from = frame.x(seconds(band.from));
    const double to = std::max(frame.x(seconds(band.to)), from + 2);
    text +=
        fmt::format(R"(<rect x="{:.1f}" y="{}" width="{:.1f}" height="14" rx="3" class="fault"/>)",
                    from, y, to - from);
    const std::string kind = html(band.kind, 16);
    if (to - from > 8.0 * static_cast<double>(kind.size()))
      text +=
          fmt::format(R"(<text x="{:.1f}" y="{}" class="time">{}</text>)", from + 4, y + 11, kind);
  }
  return text;
}

}  // namespace

std::string draw_rates(const RateLine& a, const RateLine& b) {
  if (a.per_second.empty() && b.per_second.empty()) return {};
  Frame frame{1e-3, 1};
  for (const RateLine* run : {&a, &b}) {
    frame.longest =
        std::max(frame.longest, seconds(run->step) * static_cast<double>(run->per_second.size()));
    for (const double rate : run->per_second) frame.most = std::max(frame.most, rate);
  }
  const double below = top + high + 28;
  const double height = below + 2 * lane + 4;
  return fmt::format(
      R"(<svg class="picture" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img" )"
      R"(aria-label="operations a second answered ok, of both runs">{2}{3}{4}{5}{6}</svg>)"
      "\n",
      left + wide + 20, height, axes(frame), line(frame, a, "rate a"), line(frame, b, "rate b"),
      faults(frame, a, "a", below), faults(frame, b, "b", below + lane));
}

}  // namespace ordeal::results
