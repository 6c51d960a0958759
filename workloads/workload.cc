#include "workloads/workload.h"

#include "workloads/register.h"

namespace ordeal::workloads {

const std::vector<WorkloadKind>& workload_kinds() {
  static const std::vector<WorkloadKind> kinds = {
      {"register", "read, write and compare-and-set on single keys: linearizable", make_register},
  };
  return kinds;
}

}  // namespace ordeal::workloads
