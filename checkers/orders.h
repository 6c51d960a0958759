#pragma once
// The second opinion on a few operations of any small object: tries all orders that agree with real
// time, one after the other. It shares nothing with the checkers and is short enough to be read in
// a minute. Pure; any thread.

#include <functional>
#include <optional>
#include <vector>

#include "core/finding.h"

namespace ordeal::checkers {

// What an operation makes of a state; nullopt when its answer does not fit there. An operation
// without an answer fits every state.
using StepFunction =
    std::function<std::optional<Value>(const Value& state, const WitnessOperation& op)>;

// True: some order of the operations gives every answer, from `start` on; those of unknown outcome
// may be left out, failed ones are. nullopt: more than 9 operations, it would take too long.
[[nodiscard]] std::optional<bool> some_order_fits(const std::vector<WitnessOperation>& operations,
                                                  const Value& start, const StepFunction& step);

}  // namespace ordeal::checkers
