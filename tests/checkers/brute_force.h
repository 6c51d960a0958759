#pragma once
// The slow, obvious twin of the checker: tries every order of every choice of unknown operations.
// For up to about eight operations of one key.

#include <vector>

#include "checkers/split.h"
#include "core/history.h"

namespace ordeal::checkers::test {

// Straight from the history, without the checker's splitting.
[[nodiscard]] bool is_linearizable_by_force(const History& history, const Value& key,
                                            FailedCas failed_cas = FailedCas::ignored);
[[nodiscard]] bool is_linearizable_by_force(const std::vector<RegisterOp>& ops);

}  // namespace ordeal::checkers::test
