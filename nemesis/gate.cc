#include "nemesis/gate.h"

#include <algorithm>
#include <iterator>

namespace ordeal::nemesis {

namespace {

// Faults of the network can be on together: a script may build one cut of two.
bool exclude(Touches a, Touches b) {
  return a == Touches::everything || b == Touches::everything ||
         (a == Touches::server && b == Touches::server);
}

}  // namespace

Gate::Place Gate::come(Touches touches) {
  const std::lock_guard lock(mutex_);
  return visitors_.insert(visitors_.end(), {touches});
}

bool Gate::enter(Place place, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto is_in_the_way = [&](const Visitor& other) {
    return exclude(other.touches, place->touches);
  };
  changed_.wait(lock, stop, [&] {
    return std::none_of(visitors_.begin(), place, is_in_the_way) &&
           std::none_of(std::next(place), visitors_.end(),
                        [&](const Visitor& later) { return later.is_in && is_in_the_way(later); });
  });
  if (!stop.stop_requested()) return place->is_in = true;
  lock.unlock();
  leave(place);
  return false;
}

void Gate::leave(Place place) {
  {
    const std::lock_guard lock(mutex_);
    visitors_.erase(place);
  }
  changed_.notify_all();
}

}  // namespace ordeal::nemesis
