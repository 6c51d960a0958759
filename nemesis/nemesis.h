#pragma once
// Carries out a schedule on a cluster: for each fault ledger, guard, inject, evidence, hold, heal,
// evidence.

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "clusters/cluster.h"
#include "core/fault.h"
#include "core/file.h"
#include "nemesis/fault.h"

namespace ordeal::nemesis {

struct NemesisOptions {
  std::filesystem::path ledger;               // faults.jsonl
  Nanoseconds step_timeout = 10s;             // for each command on a node
  std::string directory = "/var/lib/ordeal";  // on the nodes, of the guard
  // Leave out kinds that a node cannot take, and say so in the ledger, instead of refusing the run.
  bool leave_out = false;
};

// What is going on outside, as far as the schedule depends on it. Any may be empty.
struct Outside {
  std::function<std::optional<std::size_t>()> leader;  // position of the current one
  std::function<std::uint64_t()> operations;           // completed so far
  std::function<bool()> held = {};                     // while true no fault begins
};

class Nemesis {
 public:
  // Starts a guard on every node (and so waits until that of a run that died has undone its
  // faults), sweeps what earlier runs left, asks each node whether it can take the planned kinds,
  // and learns the addresses. An Error names node, kind and reason.
  [[nodiscard]] static Result<std::unique_ptr<Nemesis>> prepare(
      std::vector<clusters::Remote*> remotes, clusters::Cluster& cluster,
      const std::vector<FaultSpec>& plan, const NemesisOptions& options, RunClock clock);
  ~Nemesis();

  // Carries out the plan, its times counted from `main_start` on the run clock, until it ends or
  // stop is requested; heals what is on in either case. Each fault has a thread of its own; one
  // that harms servers comes later than planned when another one is still on. `observe` is called
  // with every ledger record, one at a time.
  void run(const std::vector<FaultSpec>& plan, Nanoseconds main_start, const Outside& outside,
           const std::function<void(const FaultRecord&)>& observe, std::stop_token stop);

  // The kinds of the plan that some node cannot take, and why; only where `leave_out` allows it.
  [[nodiscard]] const std::map<std::string, std::string>& left_out() const;

  // Undoes everything that is still on; called once more on the way out, whatever happened. What
  // could not be undone is an Error that names node and command.
  [[nodiscard]] Result<void> heal_all();

 private:
  struct State;
  explicit Nemesis(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// What a ledger still holds: undo commands that were registered and never proven healed, newest
// first.
struct PendingUndo {
  int fault = 0;
  std::string node, command;
  std::string restore;  // first, what only the cluster's interface can do (NodeAction::restore)
};
[[nodiscard]] std::vector<PendingUndo> pending_undos(const std::vector<FaultRecord>& ledger);

// Reads faults.jsonl; a torn last line is left out.
[[nodiscard]] Result<std::vector<FaultRecord>> read_ledger(const std::filesystem::path& file);

}  // namespace ordeal::nemesis
