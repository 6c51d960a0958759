#pragma once
// Keys of a run on a terminal: t tells what every node and client is doing, f holds new faults back
// and lets them go on, q ends the run by its one way out, like Ctrl-C.

#include <stop_token>
#include <thread>

#include "harness/controls.h"

namespace ordeal::harness {

// Reads single keys from standard input while it lives, and only when that is a terminal whose
// foreground we are; otherwise it does nothing. Changes the terminal's mode and puts it back. One
// at a time.
class Keys {
 public:
  // Both outlive it.
  Keys(std::stop_source& stop, Controls& controls);
  ~Keys();
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;

 private:
  std::jthread thread_;
};

// Puts the terminal back as it was found, for those who end the process without a farewell. Safe in
// a signal handler.
void restore_terminal() noexcept;

}  // namespace ordeal::harness
