#pragma once
// The workload `register`: read, write and compare-and-set on many registers, a group of clients on
// each, judged by the linearizability checker.
//
// Every write and every compare-and-set of a key writes a value of its own, so that a read tells
// which operation it saw. A key is left for good after `operations_per_key`: that bounds what the
// checker has to search, and its last state waits for the final reads.

#include <memory>

#include "workloads/workload.h"

namespace ordeal::workloads {

[[nodiscard]] std::unique_ptr<Workload> make_register(const WorkloadOptions& options);

}  // namespace ordeal::workloads
