#pragma once
// A finding as a picture in text: operations as bars on one time axis, with the faults and leaders
// around them. Drawn to scale; stretches in which nothing begins or ends are folded and marked, so
// that an operation of 2 ms can be seen beside a gap of 10 s. Whatever differs in time differs in
// columns, so the order is always exact.

#include <string>
#include <vector>

#include "core/run.h"

namespace ordeal::results {

// At most about 110 columns and 25 lines; empty when there is no operation to draw.
[[nodiscard]] std::string draw_timeline(const Finding& finding,
                                        const std::vector<FaultSummary>& faults,
                                        const std::vector<LeaderChange>& leaders);

}  // namespace ordeal::results
