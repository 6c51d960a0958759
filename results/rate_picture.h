#pragma once
// The rates of two runs on one time axis, from the start of each, with their faults: an SVG that
// needs no script. Pure.

#include <string>
#include <vector>

#include "core/time.h"

namespace ordeal::results {

struct RateLine {
  std::vector<double> per_second;  // answered ok, in equal steps
  Nanoseconds step{};
  struct Band {
    std::string kind;
    Nanoseconds from{};
    Nanoseconds to{};
  };
  std::vector<Band> faults;
};

// Empty when neither has a rate.
[[nodiscard]] std::string draw_rates(const RateLine& a, const RateLine& b);

}  // namespace ordeal::results
