#pragma once
// Who may be on at once. A fault that harms servers waits until the one before is undone, and one
// that touches everything is alone, however long the undo takes. Who waits is let in in the order
// of coming, and overtaken only by who touches something else: on a machine too slow for its
// schedule the last faults miss their time, and not any.

#include <condition_variable>
#include <list>
#include <mutex>
#include <stop_token>

#include "nemesis/fault.h"

namespace ordeal::nemesis {

// Threads: any.
class Gate {
  struct Visitor {
    Touches touches;
    bool is_in = false;
  };

 public:
  using Place = std::list<Visitor>::iterator;

  // Takes the next place; who has one enters, at once or later.
  [[nodiscard]] Place come(Touches touches);
  // Waits for its turn; false when stop came before it, and then the place is given up.
  [[nodiscard]] bool enter(Place place, const std::stop_token& stop);
  void leave(Place place);  // who is in

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::list<Visitor> visitors_;  // who is in or waits, in the order of coming
};

}  // namespace ordeal::nemesis
