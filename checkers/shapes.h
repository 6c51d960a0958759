#pragma once
// The shapes of contradiction that explain() tries, each in a file of its own with its words. A
// shape either fits, and then sets kind, headline, reasons and diagnosis, or leaves the finding
// alone. Pure.

#include "checkers/bad_key.h"
#include "core/finding.h"

namespace ordeal::checkers {

// The observed value, or one that it can only have been made from, had not been written.
[[nodiscard]] bool explain_phantom(const BadKey& bad, Finding& finding);
// Two compare-and-sets found a value that was set once.
[[nodiscard]] bool explain_lost_update(const BadKey& bad, Finding& finding);
// A value was seen by an operation that began after a later value had been written or seen.
[[nodiscard]] bool explain_stale(const BadKey& bad, Finding& finding);
// A value would have to lie between the two ends of a compare-and-set, or of a chain of them.
[[nodiscard]] bool explain_between(const BadKey& bad, Finding& finding);
// How far the orders get, and what cannot follow. Fits always.
void explain_furthest(const BadKey& bad, Finding& finding);

// Which of stale-read and lost-write it was, from who else saw the acknowledged value. `newer` was
// set or seen by `proof`, before the breaking operation began.
void diagnose_stale(const BadKey& bad, ValueId newer, const RegisterOp& proof, Finding& finding);
// "a read of x returned 3 although 7 had been written and acknowledged 308 ms before it began".
[[nodiscard]] std::string stale_headline(const BadKey& bad, ValueId newer, const RegisterOp& proof,
                                         FindingKind kind);

}  // namespace ordeal::checkers
