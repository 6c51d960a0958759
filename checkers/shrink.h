#pragma once
// From an impossible history of one register to the few operations that cannot all be true: first
// the shortest impossible prefix (what is impossible stays so when more follows), then operations
// are left out until none can be. Pure; any thread.

#include <cstddef>
#include <vector>

#include "checkers/decide.h"
#include "checkers/split.h"

namespace ordeal::checkers {

// Which operations may be left out of a history: those whose absence cannot make a possible history
// impossible. A read always may. A write or compare-and-set may when nobody who stays can have read
// from it: nobody who observes its value, except those who completed before it began, and those who
// began after another certain write or compare-and-set had come in between for certain. (In a right
// order every observer finds what the last setter before it left. That setter stays, so what is
// left of the order is right too.)
//
// For the reader's sake more is kept than that: an observer keeps one setter of its value that had
// begun, if there is any, so that what is left is impossible in itself and not for want of a
// writer.
class SoundSubsets {
 public:
  // Keeps a reference to `ops`, which are by invocation.
  SoundSubsets(const std::vector<RegisterOp>& ops, std::size_t value_count);

  // The smallest sound subset that has all operations in `wanted` (by position).
  [[nodiscard]] std::vector<bool> around(std::vector<bool> wanted) const;

 private:
  // The setters that must stay when `observer` does.
  void add_sources(const RegisterOp& observer, std::vector<std::size_t>& sources) const;

  const std::vector<RegisterOp>& ops_;
  std::vector<std::vector<std::size_t>> setters_;  // by value
  std::vector<EventIndex> replaced_at_;  // by operation: by then something else was set for certain
};

struct Core {
  std::vector<RegisterOp>
      prefix;  // the shortest impossible prefix; what completes later counts as unknown
  std::vector<RegisterOp> ops;  // the part of it that is left
  RegisterOp breaks;            // the operation whose completion ends the prefix; one of `ops`
  bool is_minimal = false;      // none can be left out; false when time ran out first
};

// `ops` as of read_register, found to be impossible. Works until the budget's deadline;
// `first_took` is how long that verdict took: no step is given much more.
[[nodiscard]] Core shrink(const std::vector<RegisterOp>& ops, std::size_t value_count,
                          const Budget& budget, Nanoseconds first_took);

// The operations that had begun by event `end`. What completed later is unknown; reads among it are
// left out.
[[nodiscard]] std::vector<RegisterOp> prefix_of(const std::vector<RegisterOp>& ops, EventIndex end);

}  // namespace ordeal::checkers
