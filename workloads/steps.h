#pragma once
// The workloads `saga` and `tcc`: business transactions of three to five steps, of which some are
// made to fail (their name begins with !), while observers read the ledgers of recent ones. At the
// end, after a rest, every ledger is read, and those that are still open again, for as long as the
// checker has to watch one to call it stuck. Judged by the steps checker.

#include <memory>

#include "workloads/workload.h"

namespace ordeal::workloads {

[[nodiscard]] std::unique_ptr<Workload> make_saga(const WorkloadOptions& options);
[[nodiscard]] std::unique_ptr<Workload> make_tcc(const WorkloadOptions& options);

}  // namespace ordeal::workloads
