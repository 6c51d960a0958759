#pragma once
// What a run leaves, as data: samples of the nodes while it ran, and run.json, the record of
// verdict, coverage and health that every renderer prints and none recomputes. Schema 1; additions
// only.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/fault.h"
#include "core/finding.h"
#include "core/verdict.h"

namespace ordeal {

// What a node said of itself at a moment of the run: one line of nodes.jsonl, written when it
// differs from the line before.
struct NodeSample {
  Nanoseconds at{};
  std::string node;
  bool answers = false;  // the rest is meaningless when it does not
  std::string leader;    // the node it follows, or itself; empty: it knows none
  std::uint64_t term = 0;
  std::string error;  // why it does not answer
};

// A change of leader as the samples show it.
struct LeaderChange {
  Nanoseconds at{};
  std::string from;  // empty: the first leader
  std::string to;
  std::uint64_t term = 0;
};

// Leaders by rising term: a node counts as leader of a term once it says so itself.
[[nodiscard]] std::vector<LeaderChange> leader_changes(const std::vector<NodeSample>& samples);

// What a PASS is worth.
struct Coverage {
  struct PerFunction {
    std::size_t ok = 0, fail = 0, info = 0;
  };
  std::map<std::string, PerFunction> functions;
  struct PerFault {
    std::size_t planned = 0, took_effect = 0, healed = 0;
  };
  std::map<std::string, PerFault> faults;  // by kind
  std::size_t operations = 0;
  std::size_t ok_during_faults = 0;  // completed ok between begin and end of a fault
  std::size_t operations_during_faults = 0;
  std::size_t leader_changes = 0;  // elections won after the first
  std::size_t leaders_deposed_by_faults =
      0;  // changes while a fault was on, or within 5 s of its end
  std::size_t keys = 0, keys_checked = 0;
};

// Whether the machinery itself was well.
struct Health {
  std::size_t nodes = 0;
  std::size_t nodes_up_at_end = 0;
  std::size_t logs_collected = 0;
  std::optional<Nanoseconds>
      recovery;  // from the last heal until every node answered and agreed on a leader
  std::vector<std::string> holes;  // evidence that is missing: "n3's log was not collected: ..."
};

// run.json
struct RunRecord {
  std::string name;  // of the run directory
  std::string cluster, workload;
  std::vector<std::string> nemeses;
  std::map<std::string, std::string>
      options;          // what was asked for and is not the default: {"reads", "serializable"}
  std::string version;  // what the tested system says of itself
  std::uint64_t seed = 0;
  std::size_t nodes = 0, clients = 0;
  std::string started;     // ISO 8601, UTC
  Nanoseconds duration{};  // of the main phase
  bool interrupted = false;
  Verdict verdict = Verdict::broken;
  std::vector<VerdictReason> reasons;  // empty for PASS
  Coverage coverage;
  Health health;
  std::vector<CheckReport> checks;  // findings inside
  std::vector<FaultSummary> faults;
  std::vector<LeaderChange> leaders;  // the first leader included
  std::string ordeal_version;
};

}  // namespace ordeal
