#pragma once
// What a run tested, counted from its history, ledger and samples, and what of it is too little for
// a PASS. Pure functions.

#include <vector>

#include "core/history.h"
#include "core/run.h"

namespace ordeal::harness {

[[nodiscard]] Coverage measure_coverage(const History& history,
                                        const std::vector<FaultSummary>& faults,
                                        const std::vector<LeaderChange>& leaders,
                                        const std::vector<CheckReport>& checks);

// Why this coverage is no basis for a PASS; empty when it is one. `needed` are the workload's
// functions.
[[nodiscard]] std::vector<VerdictReason> vacuity(const Coverage& coverage,
                                                 const std::vector<FaultSummary>& faults,
                                                 const std::vector<Function>& needed);

// Nearest fault edge and leader change to a finding, in words, and its signature.
void place(Finding& finding, const std::vector<FaultSummary>& faults,
           const std::vector<LeaderChange>& leaders);

}  // namespace ordeal::harness
