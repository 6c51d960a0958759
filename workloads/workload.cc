#include "workloads/workload.h"

#include "workloads/lock.h"
#include "workloads/pipeline.h"
#include "workloads/register.h"
#include "workloads/set.h"
#include "workloads/steps.h"

namespace ordeal::workloads {

const std::vector<WorkloadKind>& workload_kinds() {
  static const std::vector<WorkloadKind> kinds = {
      {"register", "read, write and compare-and-set on single keys: linearizable", make_register},
      {"set", "add to sets and read all their members: nothing lost, stale or doubled", make_set},
      {"lock", "hold locks for a moment: one holder at a time, growing fencing tokens", make_lock},
      {"pipeline", "send, poll and acknowledge events: none lost, none early, in order",
       make_pipeline},
      {"saga", "orders in steps with compensations: each ends once, done or undone", make_saga},
      {"tcc", "try, confirm, cancel: confirmed or cancelled on all branches, once", make_tcc},
  };
  return kinds;
}

}  // namespace ordeal::workloads
