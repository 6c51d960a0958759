#pragma once
// SIGINT and SIGTERM as a request to stop. The first one ends the run by its one way out; the
// second ends the process at once: the guards on the nodes then undo the faults by themselves.
// SIGUSR1 asks what everybody is doing, like the key t.

#include <stop_token>
#include <string>
#include <thread>

#include "harness/controls.h"

namespace ordeal::harness {

// Blocks the signals in the constructing thread and in all threads that it starts later; construct
// it before any of them. One at a time.
class Signals {
 public:
  // Both outlive it.
  Signals(std::stop_source& stop, Controls& controls);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  std::jthread thread_;
};

}  // namespace ordeal::harness
