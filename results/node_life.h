#pragma once
// What the samples of a run say of each node: how often it fell silent, for how long, and how long
// it led. Pure.

#include <cstddef>
#include <string>
#include <vector>

#include "core/run.h"

namespace ordeal::results {

struct NodeLife {
  std::string node;
  std::size_t silences = 0;  // times at which it began not to answer
  Nanoseconds longest_silence{};
  Nanoseconds led{};  // while it said that it leads
};

// By name; `samples` by time, the last of them holds until `end`.
[[nodiscard]] std::vector<NodeLife> lives_of(const std::vector<NodeSample>& samples,
                                             Nanoseconds end);

}  // namespace ordeal::results
