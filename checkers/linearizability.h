#pragma once
// Linearizability of registers, per key: is there one order of the operations, in agreement with
// real time, in which every answer is right? (Herlihy and Wing 1990; per key by locality, Horn and
// Kroening 2015.)
//
// Semantics. `ok` happened between invocation and completion, both included. `fail` did not happen
// and is left out; a failed compare-and-set is evidence only if the options say so. `info` may have
// happened at any time from its invocation on, or never. Order is that of event indices alone;
// times are not looked at. A key that nobody has written reads nil.
//
// The answer is exact: valid, invalid, or unknown at the deadline or memory limit with the keys
// named.

#include <string_view>

#include "checkers/check.h"
#include "core/history.h"
#include "core/verdict.h"

namespace ordeal::checkers {

// Findings explained in full, the earliest ones; if more keys are bad, one last finding without a
// witness counts and names the rest.
inline constexpr std::size_t most_findings = 10;

// Reads, writes and compare-and-sets of each key of the history, as an atomic register that starts
// as nil. Findings carry a minimal witness that some_order_exists() has been asked about; the run's
// number of the finding and its context are left to the caller. Shrinking goes on for up to five
// seconds after the deadline: a violation that was found is worth them. Uses options.threads
// threads of its own, and shares the memory limit between them.
[[nodiscard]] CheckReport check_linearizable_register(const History& history,
                                                      const CheckOptions& options);

}  // namespace ordeal::checkers
