#pragma once
// Faults that wait for something to happen instead of for a time. The parameter `when` of any
// fault:
//   "operations N"    so many operations are completed
//   "leader-change"   another node leads than at the moment the fault began to wait
//   "log TEXT"        a server logs a line that holds TEXT
// It waits from `begin` on, for at most 10 times its duration; then it is left out, and the ledger
// says so.

#include <stop_token>

#include "nemesis/crew.h"
#include "nemesis/fault.h"
#include "nemesis/nemesis.h"

namespace ordeal::nemesis {

[[nodiscard]] Result<void> check_trigger(const FaultSpec& spec);

// Returns when the fault is due; false when it is not to come.
[[nodiscard]] bool await_trigger(const FaultSpec& spec, Crew& crew, const Arena& arena,
                                 const Outside& outside, const std::stop_token& stop);

}  // namespace ordeal::nemesis
