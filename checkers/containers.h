#pragma once
// Linearizability of queues, stacks, priority queues, sets and counters in O(n log n) or less,
// where each element is put in once. nullopt: not of that kind, or a question that these algorithms
// leave open; then the general search must decide. Every precondition is looked at, none assumed.
// Proof sketches stand in containers.cc. Pure; any thread.
//
// `calls` by invocation, of one container. An unknown call that puts in an element which nobody
// took out is as if it had never been.

#include <optional>
#include <vector>

#include "checkers/call.h"
#include "checkers/decide.h"

namespace ordeal::checkers {

// After Henzinger, Sezgin and Vafeiadis, "Aspect-oriented linearizability proofs" (CONCUR 2013),
// and Bouajjani, Emmi, Enea and Hamza (ICALP 2015); unknown dequeues by matching.
[[nodiscard]] std::optional<bool> decide_queue(const std::vector<Call>& calls);
// Decrease and conquer, after Lee and Mathur (OOPSLA 2025), by intervals.
[[nodiscard]] std::optional<bool> decide_stack(const std::vector<Call>& calls);
[[nodiscard]] std::optional<bool> decide_priority_queue(const std::vector<Call>& calls);
// add, remove, contains: each element for itself; one that is added or removed more than once is a
// register of two values, within the budget. add, members: grow only, each element added once.
[[nodiscard]] std::optional<Decision> decide_set(const std::vector<Call>& calls,
                                                 const Budget& budget);
// Exact where every increment is by one; else only whether a read is out of all bounds.
[[nodiscard]] std::optional<bool> decide_counter(const std::vector<Call>& calls);

}  // namespace ordeal::checkers
