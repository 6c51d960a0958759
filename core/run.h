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

// How long the system took to serve again, for one fault. "Served" is an operation that began after
// the moment and was answered ok. What never happened is absent.
struct Recovery {
  struct PerNode {
    std::string node;
    std::optional<Nanoseconds> served_after_end;  // through this node, from the end of the fault
  };
  int fault = 0;                                  // FaultSpec::id
  std::optional<Nanoseconds> served_after_begin;  // by any node, from the begin of the fault
  std::optional<Nanoseconds> served_after_end;    // by any node
  std::optional<Nanoseconds> longest_silence;     // between two ok answers, from begin to recovery
  Nanoseconds leaderless{};  // in the same time: no leader that a majority of the nodes follows
  std::uint64_t terms = 0;   // terms begun in the same time
  std::vector<PerNode> nodes;
};

// What a node held at the end, when no client asked for anything any more.
struct Replica {
  std::string node;
  bool answers = false;  // the rest is meaningless when it does not
  std::string error;     // why it does not
  std::uint64_t term = 0;
  std::uint64_t applied = 0, committed = 0;  // positions in the replicated log
  std::int64_t revision = 0;
  std::string hash;  // of the whole state at that revision; empty: the system has none
};

// How far a node's clock is ahead of ours; it places log lines and nothing else.
struct ClockOffset {
  std::string node;
  Nanoseconds ahead{};
  Nanoseconds uncertainty{};
};

// How often a plan shows the same finding.
struct Reproduction {
  std::size_t runs = 0, seen = 0;
  std::optional<Nanoseconds> median;  // of the time from start to finding, of those that saw it
};

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
  bool canary = false;  // it must end FAIL: a night in which it does not has tested nothing
  Verdict verdict = Verdict::broken;
  std::vector<VerdictReason> reasons;  // empty for PASS
  Coverage coverage;
  Health health;
  std::vector<CheckReport> checks;  // findings inside
  std::vector<FaultSummary> faults;
  std::vector<LeaderChange> leaders;  // the first leader included
  std::vector<Recovery> recoveries;   // by fault, in plan order; faults that began only
  std::vector<Replica> replicas;      // empty: nobody looked
  std::vector<ClockOffset> clocks;
  std::string kernel;                        // of the nodes: "Linux 6.1.0"
  std::vector<std::string> definite_errors;  // the rules by which an answer counted as fail
  std::optional<Reproduction> reproduction;
  std::vector<Command> commands;
  std::string ordeal_version;
};

}  // namespace ordeal
