#pragma once
// The workload `pipeline`: a group of clients sends events to a partition, polls it, and
// acknowledges what it was given, judged by the pipeline checker. Every event is sent once.

#include <memory>

#include "workloads/workload.h"

namespace ordeal::workloads {

[[nodiscard]] std::unique_ptr<Workload> make_pipeline(const WorkloadOptions& options);

}  // namespace ordeal::workloads
