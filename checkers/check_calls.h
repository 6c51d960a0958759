#pragma once
// Linearizability of calls by a named model: keys apart where the model allows it, the fast path of
// a container where it applies, the general search otherwise. The answer is exact: valid, invalid,
// or unknown at the deadline or memory limit.
//
// A finding names the calls that cannot all be right, shrunk by what is sound for the model: calls
// that only look, and all calls on one element of a container, may be left out of a right order.
// Pure; any thread.

#include <functional>
#include <string>
#include <vector>

#include "checkers/models.h"
#include "core/verdict.h"

namespace ordeal::checkers {

// A right order of the calls of one key, as it is asked for; or why none was found, though the key
// is right.
using OnOrder =
    std::function<void(const Value& key, const std::vector<Call>& calls,
                       const std::vector<std::uint32_t>& order, const std::string& why_none)>;

// `calls` by invocation. With `on_order`, fast paths give no order and are not taken.
[[nodiscard]] CheckReport check_calls(const std::vector<Call>& calls, const ModelKind& model,
                                      const CheckOptions& options, const OnOrder& on_order = {});

// A right order of each key of calls that are known to be right.
void find_orders(const std::vector<Call>& calls, const ModelKind& model, const Budget& budget,
                 const OnOrder& on_order);

// One key, or a model without keys.
[[nodiscard]] Decision decide_calls(const std::vector<Call>& calls, const ModelKind& model,
                                    const Budget& budget);

}  // namespace ordeal::checkers
