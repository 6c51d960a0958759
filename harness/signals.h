#pragma once
// SIGINT and SIGTERM as a request to stop. The first one ends the run by its one way out; the
// second ends the process at once: the guards on the nodes then undo the faults by themselves.

#include <stop_token>
#include <string>
#include <thread>

namespace ordeal::harness {

// Blocks the signals in the constructing thread and in all threads that it starts later; construct
// it before any of them. One at a time.
class Signals {
 public:
  explicit Signals(std::stop_source& stop);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  std::jthread thread_;
};

}  // namespace ordeal::harness
