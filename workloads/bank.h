#pragma once
// Banks: a deposit into each account of a key, then transfers between them, and reads of all.
// Amounts are such that some transfers find too little in their account.

#include <memory>

#include "workloads/workload.h"

namespace ordeal::workloads {

[[nodiscard]] std::unique_ptr<Workload> make_bank(const WorkloadOptions& options);

}  // namespace ordeal::workloads
