#pragma once
// Liveness: once every fault is undone, operations through every node must succeed again. Clients
// go on with their workload after healing until each node has served one, and what became of it is
// judged from what was recorded.
//
// A slow machine must not accuse anybody. So a node is given twice the deadline, all the while a
// command that does nothing is run on it over SSH, and a server that has ended is started once, as
// whoever runs it would. Only a node through which nothing at all succeeded in that time, although
// the machine answered promptly to the last, is a finding; anything between is inconclusive.

#include <memory>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/verdict.h"
#include "workloads/generator.h"

namespace ordeal::harness {

// What was seen of one node after healing.
struct NodeService {
  std::string node;
  std::size_t tried = 0;                    // operations that were answered, or were not in time
  std::optional<Nanoseconds> served_after;  // from healing; the answer to the first that succeeded
  std::string last_error;                   // of those that did not
  bool was_started = false;                 // its server had ended, and nothing had ended it
  Nanoseconds slowest_command{};            // that does nothing, over SSH
};

struct Liveness {
  Nanoseconds healed{};    // on the clock of the run
  Nanoseconds deadline{};  // after healing
  Nanoseconds watched{};   // how long a node that served nothing was tried
  Nanoseconds operation_timeout{};
  bool all_undone = false;         // every fault, proven
  std::vector<NodeService> nodes;  // empty: nobody looked
};

// Findings only; who was late, or cannot be accused, is for unsure_of().
[[nodiscard]] CheckReport check_liveness(const Liveness& liveness);
[[nodiscard]] std::vector<std::string> unsure_of(const Liveness& liveness);

// Hands on what `inner` (which is shared with the main phase, and goes on where that ended,
// `passed` later) answers, until every node that has a client has served. Writes to `nodes` under
// the lock of the workers, whose `first_node` is that of WorkersOptions.
[[nodiscard]] workloads::Generator until_served(std::shared_ptr<workloads::Generator> inner,
                                                Nanoseconds passed,
                                                std::shared_ptr<std::vector<NodeService>> nodes,
                                                std::size_t first_node = 0);
// The same without an end: what the main phase asks.
[[nodiscard]] workloads::Generator shared(std::shared_ptr<workloads::Generator> inner);

[[nodiscard]] Json to_json(const Liveness& liveness);
[[nodiscard]] Result<Liveness> liveness_from_json(const Json& json);

}  // namespace ordeal::harness
