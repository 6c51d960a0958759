#pragma once
// How the system came back from each fault, measured from what clients and nodes said. Pure.

#include <vector>

#include "core/history.h"
#include "core/run.h"

namespace ordeal::harness {

// One entry a fault that began. Looks from the begin of a fault until the system served again after
// its end, and never beyond the begin of the next fault or the last event. A leader counts while a
// majority of the nodes, itself included, name it in one term; nodes are asked ten times a second,
// so times without one are that coarse.
[[nodiscard]] std::vector<Recovery> measure_recoveries(const History& history,
                                                       const std::vector<FaultSummary>& faults,
                                                       std::vector<NodeSample> samples);

}  // namespace ordeal::harness
