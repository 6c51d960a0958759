#pragma once
// Linearizability of a register whose values are each written once, in O(n log n) whatever the
// concurrency.
//
// After Gibbons and Korach, "Testing shared memories" (SIAM J. Computing 26(4), 1997), extended to
// chains of compare-and-sets, to writes of unknown outcome, and to the initial nil. Pure; any
// thread.

#include <optional>
#include <vector>

#include "checkers/split.h"

namespace ordeal::checkers {

// Whether an order exists; nullopt when the operations are not of the kind that this algorithm
// decides: a value written twice, nil written, or compare-and-sets that expect each other's values
// in a circle. `ops` must have been through drop_unobservable.
[[nodiscard]] std::optional<bool> decide_by_zones(const std::vector<RegisterOp>& ops,
                                                  std::size_t value_count);

}  // namespace ordeal::checkers
