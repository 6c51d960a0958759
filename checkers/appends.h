#pragma once
// Linearizability of texts and lists that grow by append and are replaced by put. Two ways, both
// exact. Pure; any thread.
//
// Where no two pieces that were written are alike, in as much time as it takes to read the answers.
// What was written last in an answer is the state, since every piece is there once; what stands
// before it is the state that it was appended to. So the append was a compare-and-set between two
// states, each set once; one that nobody saw may as well have been a put, since nobody saw what
// came of it; and the rest is a register whose values are new (checkers/zones).
//
// Else by search over few states: those that an answer begins with, and one for all others, the
// unseen. What was answered cannot follow from an unseen one before the next put, so any two of
// them allow the same, and every state allows what they allow. Hence a write of a piece that stands
// in no answer happens as soon as the state is unseen, if not before. And where as many states end
// with a piece as there are calls that append it, each of these calls made one of them, so that
// none goes unseen: an append then follows few states, most often one.

#include <optional>
#include <vector>

#include "checkers/call.h"
#include "checkers/decide.h"

namespace ordeal::checkers {

struct KeyValueModel {
  using State = Value;
  static State start() { return {}; }
  // A key that nobody has touched reads as nil or as nothing. A text grows by texts; anything else
  // becomes a list.
  static std::optional<State> step(const State& state, const Call& call);
  static bool only_looks(const Call& call) { return call.act == Act::read; }
};

// All take the calls of one key by invocation: reads, puts and appends.

// nullopt: pieces that are alike, or texts of which one begins another, so that an answer does not
// tell its pieces.
[[nodiscard]] std::optional<bool> decide_appends(const std::vector<Call>& calls);
// For any pieces; see decide_by_search.
[[nodiscard]] Decision decide_appends_by_search(const std::vector<Call>& calls,
                                                const Budget& budget,
                                                std::vector<std::uint32_t>* order);

// By call: whether it wrote a piece that is known to stand in no answer. A right order stays right
// without such calls: what came of them, up to the next put, was in no answer either.
[[nodiscard]] std::vector<bool> unseen_writes(const std::vector<Call>& calls);

}  // namespace ordeal::checkers
