#pragma once
// Judges what the replicas held at rest: one that holds something else than another at the same
// revision is a finding. One that has not applied what is committed may only be slow, which no
// waiting tells from stuck: that leaves the run inconclusive. Pure.

#include <string>
#include <vector>

#include "core/run.h"

namespace ordeal::harness {

// Every node answered, has applied all that is committed (where the system tells), and all that can
// be compared is equal.
[[nodiscard]] bool at_rest_and_equal(const std::vector<Replica>& replicas);

// Nodes that did not answer, and what a system does not tell, accuse nobody. `at`: when they were
// asked.
[[nodiscard]] CheckReport check_replicas(const std::vector<Replica>& replicas, Nanoseconds at);
// A sentence for each that is behind.
[[nodiscard]] std::vector<std::string> replicas_behind(const std::vector<Replica>& replicas);

}  // namespace ordeal::harness
