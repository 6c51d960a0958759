#pragma once
// The guard on a node: holds the undo of every fault and runs them all, newest first, when its
// standard input ends, when it hears nothing for too long, or when it is told to quit. Speaks
// protocol.h. One guard a node and directory: a second one waits until the first has undone what it
// held.

#include <string>

namespace ordeal::node {

struct GuardSettings {
  std::string directory = "/var/lib/ordeal";  // of guard.log and guard.lock
  long long silence_ms = 2000;    // longer than this without a word: the controller is gone
  long long command_ms = 10'000;  // for each run of a command
  long long wait_ms = 15'000;     // to wait for the guard before this one
};

// Returns the exit status: 0 when everything is undone, 1 when an undo failed to the last, 2 when
// it could not start.
[[nodiscard]] int run_guard(const GuardSettings& settings);

}  // namespace ordeal::node
