#include "core/time.h"

#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <utility>

#include <fmt/core.h>

namespace ordeal {

std::string to_text(Nanoseconds duration) {
  const auto ns = duration.count();
  if (ns < 0) return "-" + to_text(-std::max(duration, -Nanoseconds::max()));
  if (ns < 1'000) return fmt::format("{} ns", ns);
  if (ns < 1'000'000) return fmt::format("{} us", ns / 1'000);
  if (ns < 1'000'000'000) return fmt::format("{} ms", ns / 1'000'000);
  if (ns < 60'000'000'000) return fmt::format("{:.2f} s", static_cast<double>(ns) * 1e-9);
  const auto seconds = ns / 1'000'000'000;
  return fmt::format("{} min {} s", seconds / 60, seconds % 60);
}

std::optional<Nanoseconds> parse_duration(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, double>, 5> units = {
      {{"ms", 1e6}, {"us", 1e3}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}}};
  for (const auto& [unit, factor] : units) {
    if (!text.ends_with(unit)) continue;
    const std::string_view digits = text.substr(0, text.size() - unit.size());
    double number = 0;
    const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), number,
                                     std::chars_format::fixed);
    if (digits.empty() || end.ec != std::errc() || end.ptr != digits.data() + digits.size())
      return std::nullopt;
    const double ns = number * factor;
    if (!(ns >= 0) || ns > 9e18) return std::nullopt;
    return Nanoseconds(std::llround(ns));
  }
  return std::nullopt;
}

std::string to_seconds(Nanoseconds duration) {
  const auto ms = duration.count() / 1'000'000;
  return fmt::format("{}{}.{:03}", ms < 0 ? "-" : "", std::abs(ms) / 1'000, std::abs(ms) % 1'000);
}

std::string to_iso8601(std::chrono::system_clock::time_point when) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(when);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

}  // namespace ordeal
