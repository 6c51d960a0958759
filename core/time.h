#pragma once
// Time in Ordeal: nanoseconds of one monotonic clock, counted from the start of the run, and
// deadlines on it. Wall-clock time appears once a run, as the moment the run clock was started.

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace ordeal {

using Nanoseconds = std::chrono::nanoseconds;
using SteadyClock = std::chrono::steady_clock;

using namespace std::chrono_literals;

// Ticks from the moment of its construction. Copies share the origin. Any thread may read it.
class RunClock {
 public:
  RunClock() : origin_(SteadyClock::now()), wall_origin_(std::chrono::system_clock::now()) {}

  [[nodiscard]] Nanoseconds now() const { return SteadyClock::now() - origin_; }
  [[nodiscard]] SteadyClock::time_point at(Nanoseconds since_start) const {
    return origin_ + since_start;
  }
  [[nodiscard]] std::chrono::system_clock::time_point wall_origin() const { return wall_origin_; }

 private:
  SteadyClock::time_point origin_;
  std::chrono::system_clock::time_point wall_origin_;
};

// The moment after which somebody stops waiting. Regular value.
class Deadline {
 public:
  [[nodiscard]] static Deadline after(Nanoseconds wait) {
    return Deadline(SteadyClock::now() + wait);
  }
  [[nodiscard]] static Deadline at(SteadyClock::time_point when) { return Deadline(when); }

  [[nodiscard]] bool passed() const { return SteadyClock::now() >= at_; }
  // Zero once passed, never negative.
  [[nodiscard]] Nanoseconds left() const {
    const auto left = at_ - SteadyClock::now();
    return left > Nanoseconds::zero() ? left : Nanoseconds::zero();
  }
  [[nodiscard]] SteadyClock::time_point when() const { return at_; }
  [[nodiscard]] Deadline sooner(Deadline other) const { return Deadline(std::min(at_, other.at_)); }

 private:
  explicit Deadline(SteadyClock::time_point at) : at_(at) {}
  SteadyClock::time_point at_;
};

// "1 min 3 s", "4.25 s", "812 ms", "37 us": for people.
[[nodiscard]] std::string to_text(Nanoseconds duration);
// "90s", "1.5m", "500ms", "2h"; nullopt when the text is no duration, is negative or needs more
// than 64 bits.
[[nodiscard]] std::optional<Nanoseconds> parse_duration(std::string_view text);
// "61.204" : seconds with milliseconds, for tables whose heading names the unit.
[[nodiscard]] std::string to_seconds(Nanoseconds duration);
// "2026-11-23T02:04:31Z".
[[nodiscard]] std::string to_iso8601(std::chrono::system_clock::time_point when);

}  // namespace ordeal
