#pragma once
// The guards of all nodes, and what they are holding: how one fault is registered, injected and
// undone on its nodes. Inside of the nemesis only. All methods may be called from any thread, for
// different faults at a time.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "core/file.h"
#include "nemesis/guard.h"
#include "nemesis/nemesis.h"

namespace ordeal::nemesis {

// A fault on one node, from the moment its undo is in the ledger until it is proven healed.
struct Active {
  int fault = 0;
  NodeAction action;
};

class Crew {
 public:
  Crew(std::vector<clusters::Remote*> remotes, clusters::Cluster& cluster,
       const NemesisOptions& options, RunClock clock, LineLog ledger);

  void observe(std::function<void(const FaultRecord&)> observer);
  // For the records without which healing must go on.
  void note(int fault, FaultStep step, std::string node, std::string detail);

  [[nodiscard]] std::size_t size() const { return remotes_.size(); }
  [[nodiscard]] clusters::Remote& remote(std::size_t node) const { return *remotes_[node]; }
  [[nodiscard]] const std::string& name(std::size_t node) const {
    return remotes_[node]->node().name;
  }

  // A guard on the node, a new one when there is none, or when that one is lost.
  [[nodiscard]] Result<void> guard_node(std::size_t node);
  [[nodiscard]] bool is_guarded(std::size_t node) const;

  // Undo in the ledger, on the disk here, then with the guards there. False when it is not so
  // everywhere; why is in the ledger.
  [[nodiscard]] bool register_undos(int fault, const std::vector<NodeAction>& actions);
  // Nothing when it failed on a node (why is in the ledger), else how far apart first and last
  // were.
  [[nodiscard]] std::optional<Nanoseconds> inject(int fault,
                                                  const std::vector<NodeAction>& actions);
  // What proves that the fault is in effect on a node; an Error while it does not show.
  [[nodiscard]] Result<std::string> effect(int fault, const NodeAction& action,
                                           Nanoseconds timeout);
  // Undoes the fault on all nodes that have it, and proves it; what cannot be undone stays active.
  [[nodiscard]] Result<void> heal(int fault);
  // Faults that are on somewhere, newest first.
  [[nodiscard]] std::vector<int> active() const;

  // The last line that a command printed; an Error made of it when the command failed.
  [[nodiscard]] Result<std::string> look(std::size_t node, const std::string& command,
                                         Nanoseconds timeout) const;

 private:
  Result<void> write(FaultRecord record);
  Result<std::string> undo(const Active& active);
  Result<std::string> ask_cluster(const std::string& action, std::size_t node);
  void await_answer(const NodeAction& action);
  std::shared_ptr<Guard> guard_of(std::size_t node) const;

  const std::vector<clusters::Remote*> remotes_;
  clusters::Cluster& cluster_;
  const NemesisOptions options_;
  const RunClock clock_;

  std::mutex writing_;  // of the ledger, and calls of the observer
  LineLog ledger_;
  std::function<void(const FaultRecord&)> observer_;

  mutable std::mutex mutex_;  // of the following
  std::vector<std::shared_ptr<Guard>> guards_;
  std::vector<Active> actives_;
  std::map<std::pair<int, std::size_t>, std::string> answers_;  // of the cluster, by fault and node
  std::vector<std::unique_ptr<std::mutex>> starting_;           // one start of a guard a node
};

}  // namespace ordeal::nemesis
