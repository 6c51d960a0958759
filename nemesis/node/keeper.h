#pragma once
// A keeper is a process of this program in the background that keeps one fault up. It is known by
// a name: DIRECTORY/keep/NAME.pid holds its id and start time, NAME.told its words about the
// effect. It is to end on SIGTERM, or when nobody holds the lock of the guard any more, and to take
// its harm back before it does.

#include <functional>
#include <string>

#include "nemesis/node/arguments.h"

namespace ordeal::node {

// What a task in the background can ask and tell.
class Keeper {
 public:
  explicit Keeper(const Arguments& arguments);

  // Waits so long, and less when it is time to end. False when it is.
  bool wait_ms(long long milliseconds);
  [[nodiscard]] bool is_to_end();
  // Replaces what NAME.told holds.
  void tell(const std::string& words) const;

 private:
  std::string lock_file_, told_file_;
  long long looked_at_guard_ = 0;
  int without_guard_ = 0;
};

// Runs `prepare` here, where it can still fail with a sentence on stderr (status 1), and `task` in
// a session of its own. Returns the exit status once the keeper is on record.
int start_keeper(const Arguments& arguments, const std::function<bool(std::string&)>& prepare,
                 const std::function<void(Keeper&)>& task);
int end_keeper(const Arguments& arguments);
int tell_of_keeper(const Arguments& arguments);  // prints NAME.told; 1 when it tells nothing
int is_keeper_gone(const Arguments& arguments);  // 0 when it is
int end_all_keepers(const Arguments& arguments);

}  // namespace ordeal::node
