#pragma once
// How old the answers of a register were that is not linearizable: "every read is at most one write
// old" is worth more than "no". For keys whose written values differ and that have no successful
// compare-and-sets, which stale answers would have had to stop. O(n log n). Pure; any thread.
//
// After k-atomicity (Aiyer, Alvisi and Bazzi 2005; Golab, Li and Shah 2011): an order of the
// operations in agreement with real time in which every read gives one of the last k values. The
// order is not searched for, it is this one: writes by the first completion or the last beginning
// among them and those who read them, what comes first; each read as early as it can be. So
// `writes` is certain to suffice, fewer might; it is 0 if and only if the history is linearizable
// (see zones.cc: that is an order of zones).

#include <cstddef>
#include <optional>
#include <vector>

#include "checkers/split.h"
#include "core/history.h"

namespace ordeal::checkers {

struct Staleness {
  std::size_t reads = 0;   // with an answer
  std::size_t stale = 0;   // of them
  std::size_t writes = 0;  // by how many writes an answer was behind, at most
  Nanoseconds longest{};   // between the proof that a value was replaced and the beginning of
                           // a read that gave it all the same
};

// `ops` as of read_register; `history` for their times. nullopt: another kind of history, or a
// value read that nobody had begun to write.
[[nodiscard]] std::optional<Staleness> measure_staleness(const std::vector<RegisterOp>& ops,
                                                         const History& history);

}  // namespace ordeal::checkers
