#pragma once
// Linearizability of a register whose values are each written once, in O(n log n) whatever the
// concurrency.
//
// After Gibbons and Korach, "Testing shared memories" (SIAM J. Computing 26(4), 1997), extended to
// chains of compare-and-sets, to writes of unknown outcome, and to the initial nil. One pass over
// the operations; memory is 32 bytes a value. Pure; any thread.

#include <optional>
#include <span>

#include "checkers/columns.h"

namespace ordeal::checkers {

// Whether an order exists; nullopt when the operations are not of the kind that this algorithm
// decides: a value written twice, or nil written. Values are those of Columns or any others, nil
// being 0. Where values are denied it tells what is impossible even without that, and declines
// otherwise.
[[nodiscard]] std::optional<bool> decide_by_zones(std::span<const RegisterOp> ops);
// The same of a whole history, without copying it; declines also if it has several keys, or values
// that are no small integers.
[[nodiscard]] std::optional<bool> decide_by_zones(const History& history, FailedCas failed_cas);

// What makes the first `end` events impossible: values whose operations cannot all be true,
// whatever the others did. Empty when the events are possible; nullopt when this algorithm cannot
// tell. Faster with values that are dense.
[[nodiscard]] std::optional<std::vector<ValueId>> conflict_by_zones(std::span<const RegisterOp> ops,
                                                                    EventIndex end);

}  // namespace ordeal::checkers
