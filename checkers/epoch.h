#pragma once
// Linearizability of a register whose values repeat, by a search over epochs: exact, and fast where
// a search over orders drowns, with many clients, few values and many unknown outcomes.
//
// The idea. An epoch begins where a write takes effect. Just before that write, any other write
// that had begun by then can be slipped in, and nobody notices: it is covered. So most writes need
// no decision at all, and what distinguishes two ways to come to the same point of the history is
// little. Reference: Wing and Gong 1993 and Lowe 2017 for just-in-time search; epochs, laziness and
// dominance as follows are ours.
//
// A configuration stands behind the return of some operation. It is the state of the register; the
// time T at which the last write took effect; which pending compare-and-sets and writes have been
// used and which pending reads are satisfied; how many unknown operations of each class (those that
// observe and set the same) were used. It stands for an order of all that has returned, of what was
// used and satisfied, and of covered writes, with everything at its time.
//
// What is not tried, and why nothing is lost:
//
// Laziness. Take any right order. Something is decided only when an operation returns that is not
// yet accounted for; then the order's steps up to that operation are made, and none behind it: they
// can be made at the next return just as well, since state and choices stay. In between, a write
// directly before another write need not be made: it is covered by the second, and if a read wants
// it, write and read are slipped in together when that read returns (the read had begun before T,
// too). A compare-and-set cannot be covered, since it needs its state: those are chosen among at
// once.
//
// Reads take effect as soon as the state fits: they change nothing, so whatever could follow
// without them can follow with them. A compare-and-set that leaves what it found is a read.
//
// Symmetry. Of pending operations alike, the one that returns first is taken, and a certain one
// before an unknown one: in a right order the two can change places. Unknown operations alike are
// counted; uses of one class are made at times that do not decrease, so the count says it all.
//
// Dominance. Of two configurations with the same state behind the same return and the same
// compare-and-sets used, one is not needed if the other has T no earlier, has used no write and no
// unknown operation more, and has satisfied every read that the one has: it can do all that the one
// can.
//
// Outlook. Look at the answers that are still owed (pending and not accounted for, or not begun)
// and before whose return nobody else begins to set their value: what can give it to them has
// begun. Each compare-and-set among them takes the value away, so each needs the state as it is or
// an unused operation that sets it, none of them the same; an unsatisfied read needs one as well,
// to be the state or to be slipped in with it, but reads can share. If there are fewer, no order
// goes on from here. Steps only use up what there is, so it need not be asked before each. Without
// this, that the last write of a value was covered while a compare-and-set waited for it is found
// out only when that returns, and all that lies between is tried in all ways before.
//
// Dead values. A value that nobody can observe or deny any more is as good as any other such value.
//
// Pure; any thread. Declines (nullopt) histories with more than 256 certain operations pending at
// once.

#include <optional>
#include <vector>

#include "checkers/decide.h"
#include "checkers/split.h"

namespace ordeal::checkers {

// `ops` should have been through drop_unobservable; the answer does not depend on it, the time
// does.
[[nodiscard]] std::optional<Decision> decide_by_epochs(const std::vector<RegisterOp>& ops,
                                                       std::size_t value_count,
                                                       const Budget& budget);

}  // namespace ordeal::checkers
