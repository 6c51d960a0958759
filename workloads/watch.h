#pragma once
// Watches: writes of ever new values, and watches that go on from the last revision that their
// client has seen, after an unknown answer and a reconnect too. In the end, each key is watched
// from its beginning.

#include <memory>

#include "workloads/workload.h"

namespace ordeal::workloads {

[[nodiscard]] std::unique_ptr<Workload> make_watch(const WorkloadOptions& options);

}  // namespace ordeal::workloads
