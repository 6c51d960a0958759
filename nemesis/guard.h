#pragma once
// The guard: a small static program at the far end of an SSH channel of every node, which holds the undo of every
// fault and runs them all when the channel closes or the heartbeat stops. A SIGKILL of Ordeal, a cut cable or a
// hung controller therefore heals the node within seconds.

#include <memory>
#include <string>

#include "clusters/remote.h"

namespace ordeal::nemesis {

class Guard {
 public:
  // Pushes the program, starts it and waits until it answers. Beats its heart from a thread of its own.
  [[nodiscard]] static Result<std::unique_ptr<Guard>> start(clusters::Remote& remote, Nanoseconds timeout);
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard();  // closes the channel: the node undoes what is left

  // Returns once the node has acknowledged that it holds the undo.
  [[nodiscard]] Result<void> hold(const std::string& id, const std::string& undo_command);
  // Runs the undo on the node and forgets it when it succeeded; its output on failure.
  [[nodiscard]] Result<void> undo(const std::string& id);
  // False once the channel is lost: what it held has been, or is being, undone.
  [[nodiscard]] bool alive() const;

 private:
  struct State;
  explicit Guard(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ordeal::nemesis
