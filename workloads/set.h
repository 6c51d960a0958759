#pragma once
// The workload `set`: add and read all members of many sets that only grow, a group of clients on
// each, judged by the set checker. Every element is added once.

#include <memory>

#include "workloads/workload.h"

namespace ordeal::workloads {

[[nodiscard]] std::unique_ptr<Workload> make_set(const WorkloadOptions& options);

}  // namespace ordeal::workloads
