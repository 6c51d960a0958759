#pragma once
// The second opinion: decides small histories of one register by trying all orders. It shares no
// code with the checker and is short enough to be read in a minute; a finding may be called proven
// only after it agrees. Pure; any thread.

#include <optional>
#include <vector>

#include "checkers/check.h"
#include "core/finding.h"

namespace ordeal::checkers {

// What an order must keep.
enum class Keep {
  real_time,     // what was answered before another began comes before it
  client_order,  // that only between operations of one client
  nothing,
};

// True: some order of these operations, in agreement with their event indices, gives every answer,
// starting from nil. False: none does. nullopt: it cannot say, there are more than 16 operations or
// several keys.
// A compare-and-set among them that failed found another value than it expected, where that is
// evidence; otherwise it did not happen.
[[nodiscard]] std::optional<bool> some_order_exists(const std::vector<WitnessOperation>& operations,
                                                    Keep keep = Keep::real_time,
                                                    FailedCas failed_cas = FailedCas::ignored);

}  // namespace ordeal::checkers
