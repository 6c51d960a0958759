#pragma once
// The workload `lock`: a group of clients contends for each lock, holds it for a moment and
// releases it with its fencing token, judged by the lock checker. A hold is shorter than the
// checker takes any lock to last (LockOptions::lasts).

#include <memory>

#include "workloads/workload.h"

namespace ordeal::workloads {

[[nodiscard]] std::unique_ptr<Workload> make_lock(const WorkloadOptions& options);

}  // namespace ordeal::workloads
