#pragma once
// A register whose system tells revisions: a fast path for values that repeat, in O(n log n)
// whatever the concurrency.
//
// A revision is how far the answering node's own order of changes was (Operation::revision; etcd
// tells one with each answer). If the system is right, its writes in the order of their revisions,
// each before the reads at that revision, are an order that gives every answer. That order is
// tried, and nothing is taken on trust: an order that agrees with real time and gives every answer
// proves the history linearizable wherever it came from. So a revision is a hint and never
// evidence: a system that lies about it costs time, not the verdict. Pure; any thread.

#include <optional>
#include <span>
#include <vector>

#include "checkers/split.h"

namespace ordeal::checkers {

// The positions of operations in one right order, without the unknown ones that need not have
// happened. nullopt: the revisions show none; whether there is one is for others to decide. `ops`
// are those of one key, `history` is where their revisions stand.
[[nodiscard]] std::optional<std::vector<std::uint32_t>> order_by_revisions(
    std::span<const RegisterOp> ops, const History& history);

}  // namespace ordeal::checkers
