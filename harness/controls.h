#pragma once
// What the user asks of a run while it goes on, by keys on a terminal (harness/keys.h) or SIGUSR1
// (harness/signals.h). Any thread.

#include <atomic>

namespace ordeal::harness {

struct Controls {
  std::atomic<unsigned> dumps{0};          // how often it was asked what everybody is doing
  std::atomic<bool> faults_held{false};    // no new fault begins; those that are on end in time
  std::atomic<bool> keys_are_read{false};  // so the live view names them
};

}  // namespace ordeal::harness
