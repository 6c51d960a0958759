#pragma once
// Watches: `watch` asks for the events of a key after a revision (nil: from the beginning) and is
// answered with [[revision, value], ...]. Values that were written once only are told apart by it;
// of others, order and loss are not judged.
//
// What must hold:
//   the revisions of an answer grow, and are greater than the one that was asked from;
//   a revision has one value, and a write one revision, in all answers;
//   a value was written, or being written, when it was shown;
//   a write that was over before another one began has the smaller revision;
//   an answer leaves out no event between the revision that was asked from and its last one, and
//   none that was acknowledged before it was asked for.
// So whoever goes on, after a reconnect too, from the last revision that it saw misses nothing,
// sees nothing twice, and all in order.
//
// O(n log n) in the events shown.

#include "checkers/check.h"
#include "core/history.h"
#include "core/verdict.h"

namespace ordeal::checkers {

[[nodiscard]] CheckReport check_watch(const History& history, const CheckOptions& options);

}  // namespace ordeal::checkers
