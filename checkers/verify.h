#pragma once
// The second opinion: decides small register histories by trying all orders. It shares no code with the
// checker and is short enough to be read in a minute; a finding may be called proven only after it agrees.

#include <optional>
#include <vector>

#include "core/finding.h"

namespace ordeal::checkers {

// True: some order of these operations, in agreement with their event indices, gives every answer. False: none
// does. nullopt: too many operations to try (more than 12).
[[nodiscard]] std::optional<bool> some_order_exists(const std::vector<WitnessOperation>& operations);

}  // namespace ordeal::checkers
