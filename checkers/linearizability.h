#pragma once
// Linearizability of registers, per key: is there one order of the operations, in agreement with real time,
// in which every answer is right? (Herlihy and Wing 1990; per key by locality, Horn and Kroening 2015.)
//
// Semantics. `ok` happened between invocation and completion, both included. `fail` did not happen and is left
// out; a failed compare-and-set is not evidence. `info` may have happened at any time from its invocation on, or
// never. Order is that of event indices alone; times are not looked at. A key that nobody has written reads nil.
//
// The answer is exact: valid, invalid, or unknown at the deadline or memory limit with the keys named.

#include "checkers/check.h"
#include "core/history.h"
#include "core/verdict.h"

namespace ordeal::checkers {

// Reads, writes and compare-and-sets of each key of the history, as an atomic register that starts as nil.
// Findings carry a minimal witness that verify_witness has been asked about.
[[nodiscard]] CheckReport check_linearizable_register(const History& history, const CheckOptions& options);

}  // namespace ordeal::checkers
