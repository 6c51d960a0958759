#pragma once
// Linearizability of a register by search: any values, any mix, exact, exponential in the worst
// case.
//
// After Wing and Gong (1993) and Lowe, "Testing for linearizability" (2017): depth-first, just in
// time (an operation takes effect only when one must return), with a memory of the configurations
// already tried. The search stands at a completion, so a configuration needs only the operations
// pending there, not the whole history. Pure; any thread.

#include <vector>

#include "checkers/decide.h"
#include "checkers/split.h"

namespace ordeal::checkers {

// `ops` should have been through drop_unobservable; the answer does not depend on it, the time
// does.
[[nodiscard]] Decision decide_by_search(const std::vector<RegisterOp>& ops, const Budget& budget);

}  // namespace ordeal::checkers
