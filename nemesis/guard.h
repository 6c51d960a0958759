#pragma once
// The guard: a small static program at the far end of an SSH channel of every node, which holds the
// undo of every fault and runs them all when the channel closes or the heartbeat stops. A SIGKILL
// of Ordeal, a cut cable or a hung controller therefore heals the node within seconds.
//
// Faults are injected through the guard too: it does one thing after the other, so that an
// injection that was under way when Ordeal died cannot come after its undo. All methods may be
// called from any thread.

#include <memory>
#include <string>

#include "clusters/remote.h"

namespace ordeal::nemesis {

struct GuardOptions {
  std::string directory = "/var/lib/ordeal";  // on the node: bin/ordeal-node, guard.log, guard.lock
  Nanoseconds silence = 2s;        // the node heals itself when it hears nothing for longer
  Nanoseconds step_timeout = 10s;  // for each command that the guard runs
  Nanoseconds wait = 15s;          // for the guard of a dead Ordeal to end
};

class Guard {
 public:
  // Pushes the program, starts it and waits until it answers. Beats its heart from a thread of its
  // own. A guard of a dead Ordeal is given the time to undo what it held; one of a living Ordeal is
  // an Error.
  [[nodiscard]] static Result<std::unique_ptr<Guard>> start(clusters::Remote& remote,
                                                            const GuardOptions& options);
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard();  // closes the channel: the node undoes what is left

  // Returns once the node has acknowledged that it holds the undo.
  [[nodiscard]] Result<void> hold(const std::string& id, const std::string& undo_command);
  // Runs a command on the node, only while the undo of that id is held; its last line on failure.
  [[nodiscard]] Result<void> inject(const std::string& id, const std::string& command);
  // Runs the undo on the node and forgets it when it succeeded; its last line on failure.
  [[nodiscard]] Result<void> undo(const std::string& id);
  // False once the channel is lost: what it held has been, or is being, undone.
  [[nodiscard]] bool alive() const;

 private:
  struct State;
  explicit Guard(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ordeal::nemesis
