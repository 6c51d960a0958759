#pragma once
// What surrounds a finding, gathered when a run is judged and stored with it, so that whoever
// renders it has nothing left to compute: by which rule each answer counts, what its node said of
// itself then, which node gave the impossible answer, and what the servers' logs say around it.

#include <filesystem>
#include <vector>

#include "core/run.h"

namespace ordeal::harness {

// The rule by which the answer counts as ok, fail or info. `definite_errors` as in execution.json,
// each "<error> because <argument>".
[[nodiscard]] std::string rule_for(const WitnessOperation& op,
                                   const std::vector<std::string>& definite_errors);

// What the node said of itself at that time: "leader in term 6", "follower of n1 in term 6", "not
// answering"; empty when nobody had asked it yet. `samples` by time.
[[nodiscard]] std::string role_of(const std::string& node, Nanoseconds at,
                                  const std::vector<NodeSample>& samples);

// Fills rule and role of each operation of the witness, and the context's answered_by.
void tell_witness(Finding& finding, const std::vector<std::string>& definite_errors,
                  const std::vector<NodeSample>& samples);

// Fills the context's log lines of all findings from nodes/*/ in the run directory, reading each
// file once. `wall_origin` is the start of the run's clock since 1970. Lines are placed with the
// nodes' clock offsets taken off. A log that cannot be read becomes a line in the returned list.
[[nodiscard]] std::vector<std::string> tell_log_lines(const std::filesystem::path& directory,
                                                      Nanoseconds wall_origin,
                                                      const std::vector<ClockOffset>& clocks,
                                                      const std::vector<Finding*>& findings);

}  // namespace ordeal::harness
