#pragma once
// One right order of a possible register whose values are each written once, in O(n log n): the
// constructive side of checkers/zones.
//
// The operations on a value stand together: what sets it, then what observes it; a compare-and-set
// joins two values to one block. Let f be the first completion in a block and s its last
// invocation. One block must come before another when its f is before the other's s. Where an order
// exists, blocks with f < s do not overlap, and none with s <= f lies inside of [f, s] of another
// (Gibbons and Korach): so blocks by the smaller of f and s are in order. Pure; any thread.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "checkers/split.h"

namespace ordeal::checkers {

// `ops` by invocation, values below `value_count`. Positions, without unknown operations that need
// not have happened. nullopt: not of that kind. An order of operations that are impossible, or deny
// values, is of no use: whoever asks verifies it.
[[nodiscard]] std::optional<std::vector<std::uint32_t>> order_by_zones(
    std::span<const RegisterOp> ops, std::size_t value_count);

}  // namespace ordeal::checkers
