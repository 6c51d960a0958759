#pragma once
// Linearizability of texts and lists that grow by append and are replaced by put, where no two
// pieces that were written are alike: in as much time as it takes to read the answers.
//
// What was written last in an answer is the state, since every piece is there once; what stands
// before it is the state that it was appended to. So the append was a compare-and-set between two
// states, each set once; one that nobody saw may as well have been a put, since nobody saw what
// came of it; and the rest is a register whose values are new (checkers/zones). Pure; any thread.

#include <optional>
#include <vector>

#include "checkers/call.h"

namespace ordeal::checkers {

// `calls` by invocation, of one key: reads, puts and appends. nullopt: pieces that are alike, or
// texts of which one begins another, so that an answer does not tell its pieces.
[[nodiscard]] std::optional<bool> decide_appends(const std::vector<Call>& calls);

}  // namespace ordeal::checkers
