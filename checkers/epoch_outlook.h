#pragma once
// Whether a configuration of the epoch search has a future: a value that is asked for more often
// than it can still be had is the end of it, long before the operation returns that misses it.

#include <algorithm>
#include <cstddef>

#include "checkers/epoch_plan.h"
#include "checkers/epoch_rows.h"
#include "checkers/epoch_walk.h"

namespace ordeal::checkers {

template <std::size_t words>
class EpochOutlook {
 public:
  using Set = SlotSet<words>;

  // `relaxed`: unknown operations are inexhaustible.
  EpochOutlook(const EpochPlan& plan, const EpochWalk<words>& walk, const Lanes& lanes,
               bool relaxed)
      : plan_(plan), walk_(walk), lanes_(lanes), relaxed_(relaxed) {}

  // For what follows from that configuration behind the return before which the walk stands.
  void look_from(const Configuration<words>& here) {
    needy_ = {};
    const EventIndex now = walk_.step().at;
    ((walk_.reads() | walk_.sets()) - here.used - here.satisfied).each([&](std::size_t slot) {
      const std::uint32_t op = walk_.occupant(slot);
      if (plan_.ops[op].observes != no_value && plan_.last_set[op] <= now) needy_.add(slot);
    });
  }

  [[nodiscard]] bool is_hopeless(const Current<words>& at) const {
    const Set needy = needy_ - at.head.used - at.head.satisfied;
    for (const ValueId value : walk_.asked_for()) {
      if (is_short_of(value, at, needy)) return true;
    }
    bool hopeless = false;
    needy.each([&](std::size_t slot) {
      hopeless = hopeless || is_short_of(walk_.in(slot).observes, at, needy);
    });
    return hopeless;
  }

  // How many unknown operations of a class, of which so many had begun, are unused.
  [[nodiscard]] std::size_t unused(const Current<words>& at, const EpochPlan::Class& unknown,
                                   std::size_t begun) const {
    if (relaxed_) return begun;
    return begun - std::min<std::size_t>(begun, lanes_.count(at.counts.data(), unknown.lane));
  }

 private:
  // Somebody asks for the value. Reads share it; each compare-and-set takes it away.
  [[nodiscard]] bool is_short_of(ValueId value, const Current<words>& at, const Set& needy) const {
    std::size_t asked = walk_.foreseen(value).sets;
    (needy & walk_.sets()).each([&](std::size_t slot) {
      asked += walk_.in(slot).observes == value;
    });
    asked = std::max<std::size_t>(asked, 1);
    std::size_t left = at.head.state == value;
    if (left >= asked) return false;
    ((walk_.writes() | walk_.sets()) - at.head.used).each([&](std::size_t slot) {
      left += walk_.in(slot).sets == value;
    });
    for (const auto* classes : {&walk_.unknown_writes(), &walk_.unknown_sets()}) {
      for (const std::uint32_t index : *classes) {
        if (left >= asked) return false;
        const EpochPlan::Class& unknown = plan_.classes[index];
        if (unknown.sets == value) left += unused(at, unknown, walk_.available(index));
      }
    }
    return left < asked;
  }

  const EpochPlan& plan_;
  const EpochWalk<words>& walk_;
  const Lanes& lanes_;
  bool relaxed_;
  Set needy_;  // pending answers of which all that gives them their value has begun
};

}  // namespace ordeal::checkers
