#pragma once
// What the checkers of single anomalies share: operations copied into a witness, and a report
// filled in. Pure.

#include <string>
#include <vector>

#include "core/history.h"
#include "core/verdict.h"

namespace ordeal::checkers {

// All that a reader needs of an operation; `breaks` marks the one at which no order is left.
[[nodiscard]] WitnessOperation witness_of(const History& history, const Operation& op,
                                          bool breaks = false);

// Positions of operations by key, keys in the order of their first operation.
struct KeyGroup {
  Value key;
  std::vector<const Operation*> ops;  // by invocation
};
[[nodiscard]] std::vector<KeyGroup> group_by_key(const History& history,
                                                 const std::vector<Function>& functions);

// Orders the findings by when they broke, numbers them, keeps the first `most` and sets the answer.
void conclude(CheckReport& report, std::size_t most = 10);

// "op 8841".
[[nodiscard]] std::string name_of(const Operation& op);
// "308 ms": from the completion of one to the invocation of the other.
[[nodiscard]] std::string gap_between(const Operation& before, const Operation& after);

}  // namespace ordeal::checkers
