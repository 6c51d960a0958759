#pragma once
// Faults as data: what the plan says of one, and what the ledger says became of it. The code that
// injects them is in nemesis/; reports, coverage and `ordeal heal` read only this.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "core/value.h"

namespace ordeal {

// One planned fault. Targets are a rule ("leader", "minority"), not nodes: which nodes it meant is
// decided at injection and recorded in the ledger.
struct FaultSpec {
  int id = 0;           // within the plan, from 1
  std::string kind;     // "partition", "kill"
  std::string targets;  // the rule: "one", "minority", "leader", ... (nemesis/targets.h); empty
                        // where the kind has none
  std::map<std::string, Value> parameters;  // the kind's own: shape, one_way, ...
  std::uint64_t draw = 0;  // seed of what is left to chance at injection (which one, which half)
  Nanoseconds begin{};     // since the start of the main phase
  Nanoseconds duration{};
  friend bool operator==(const FaultSpec&, const FaultSpec&) = default;
};

// What happened to a fault, in ledger order. The undo of a node is on disk before the fault is on.
enum class FaultStep {
  undo,      // how to undo it on one node; written and synced before `inject`
  inject,    // injection starts; `detail` says what the targets resolved to
  injected,  // every node accepted it
  effect,    // evidence that it took effect
  heal,      // undoing starts
  healed,    // evidence that it is undone, on one node, or on all when `node` is empty
  failed,    // a step did not work; `detail` says which and why
  skipped,   // left out on purpose: a node cannot take it, or what it waited for did not happen
};

struct FaultRecord {
  int fault = 0;  // FaultSpec::id
  FaultStep step = FaultStep::inject;
  Nanoseconds at{};     // since the start of the run
  std::string node;     // empty: the whole fault
  std::string detail;   // for people: "n1 n2 | n3 n4 n5", "214 packets dropped"; of an undo: what
                        // the cluster is asked for before its command
  std::string command;  // undo only: shell command, idempotent
};

[[nodiscard]] std::string_view to_text(FaultStep step);
[[nodiscard]] std::optional<FaultStep> fault_step_named(std::string_view name);

// What a ledger amounts to for one fault.
struct FaultSummary {
  FaultSpec spec;
  std::string resolved;              // "n1 n2 | n3 n4 n5"
  std::optional<Nanoseconds> began;  // injected on all nodes
  std::optional<Nanoseconds> ended;  // undone on all nodes
  std::vector<std::string> evidence;
  bool took_effect = false;
  bool healed = false;
  std::optional<std::string> trouble;   // the first thing that failed
  std::optional<std::string> left_out;  // why it was not even tried
};

// One entry a planned fault, in plan order; faults that never began have neither `began` nor
// evidence.
[[nodiscard]] std::vector<FaultSummary> summarize(const std::vector<FaultSpec>& plan,
                                                  const std::vector<FaultRecord>& ledger);

}  // namespace ordeal
