#include "nemesis/gate.h"

#include <algorithm>

namespace ordeal::nemesis {

namespace {

// Faults of the network can be on together: a script may build one cut of two.
bool exclude(Touches a, Touches b) {
  return a == Touches::everything || b == Touches::everything ||
         (a == Touches::server && b == Touches::server);
}

}  // namespace

bool Gate::enter(Touches touches, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto self = visitors_.insert(visitors_.end(), {touches});
  const bool is_free = changed_.wait(lock, stop, [&] {
    return std::none_of(visitors_.begin(), self,
                        [&](const Visitor& before) { return exclude(before.touches, touches); }) &&
           std::none_of(self, visitors_.end(), [&](const Visitor& later) {
             return later.is_in && exclude(later.touches, touches);
           });
  });
  if (is_free && !stop.stop_requested()) {
    self->is_in = true;
    return true;
  }
  visitors_.erase(self);
  lock.unlock();
  changed_.notify_all();
  return false;
}

void Gate::leave(Touches touches) {
  {
    const std::lock_guard lock(mutex_);
    visitors_.erase(std::find_if(visitors_.begin(), visitors_.end(), [&](const Visitor& visitor) {
      return visitor.is_in && visitor.touches == touches;
    }));
  }
  changed_.notify_all();
}

}  // namespace ordeal::nemesis
