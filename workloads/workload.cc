#include "workloads/workload.h"

#include <fmt/format.h>

#include "core/json_fields.h"
#include "workloads/bank.h"
#include "workloads/custom.h"
#include "workloads/lock.h"
#include "workloads/pipeline.h"
#include "workloads/register.h"
#include "workloads/set.h"
#include "workloads/steps.h"
#include "workloads/watch.h"

namespace ordeal::workloads {

const std::vector<WorkloadKind>& workload_kinds() {
  static const std::vector<WorkloadKind> kinds = {
      {"register", "read, write and compare-and-set on single keys: linearizable", make_register},
      {"set", "add to sets and read all their members: nothing lost, stale or doubled", make_set},
      {"lock", "hold locks for a moment: one holder at a time, growing fencing tokens", make_lock},
      {"pipeline", "send, poll and acknowledge events: none lost, none early, in order",
       make_pipeline},
      {"watch", "write and watch keys: every change is shown once, in order", make_watch},
      {"bank", "move money between accounts: none appears, vanishes or is overdrawn", make_bank},
      {"saga", "orders in steps with compensations: each ends once, done or undone", make_saga},
      {"tcc", "try, confirm, cancel: confirmed or cancelled on all branches, once", make_tcc},
  };
  return kinds;
}

Result<std::unique_ptr<Workload>> make_workload(std::string_view name,
                                                const WorkloadOptions& options) {
  if (!options.definition.empty()) {
    auto definition = parse_workload(options.definition, options.definition_file.string());
    if (!definition) return pass_on(definition.error());
    return make_custom(*std::move(definition), options);
  }
  std::vector<std::string_view> names;
  for (const WorkloadKind& kind : workload_kinds()) {
    if (kind.name == name) return kind.make(options);
    names.push_back(kind.name);
  }
  const std::string_view near = nearest_word(name, names);
  return error("--workload {}: there is no such workload{}. There is: {}; or FILE.toml.", name,
               near.empty() ? "" : fmt::format("; did you mean {}?", near), fmt::join(names, ", "));
}

}  // namespace ordeal::workloads
