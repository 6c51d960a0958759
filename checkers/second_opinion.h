#pragma once
// The second opinion on violations of containers, locks and stores: tries all orders of a few
// calls, one after the other. It shares no code with the checkers or their models: what the objects
// do is written down here once more, as plainly as it can be. Only calls on which it agrees that no
// order exists may be called proven. Pure; any thread.

#include <optional>
#include <string_view>
#include <vector>

#include "checkers/call.h"

namespace ordeal::checkers {

// True: some order of the calls, in agreement with real time, gives every answer, unknown ones left
// out or not. False: none does. nullopt: it cannot say: a model that it does not know, or more
// orders than it is willing to try (a second's worth).
[[nodiscard]] std::optional<bool> some_order_exists(const std::vector<Call>& calls,
                                                    std::string_view model);

}  // namespace ordeal::checkers
