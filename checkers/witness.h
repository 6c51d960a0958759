#pragma once
// What the checkers of single anomalies share: operations copied into a witness, findings of what a
// few operations show by themselves, and a report filled in key by key. Pure.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/history.h"
#include "core/verdict.h"

namespace ordeal::checkers {

// All that a reader needs of an operation; `breaks` marks the one at which no order is left.
[[nodiscard]] WitnessOperation witness_of(const History& history, const Operation& op,
                                          bool breaks = false);

// Positions of operations by key, keys in the order of their first operation.
struct KeyGroup {
  Value key;
  std::vector<const Operation*> ops;  // by invocation
};
[[nodiscard]] std::vector<KeyGroup> group_by_key(const History& history,
                                                 const std::vector<Function>& functions);

struct Claim {
  FindingKind kind;
  std::string_view promise;
  std::string headline, reason;
};
// The finding that these operations make (nulls and repetitions do not count), known as soon as
// `breaks` was answered: suspected, until somebody proves it.
[[nodiscard]] Finding finding_of(const History& history, const KeyGroup& group, Claim claim,
                                 std::vector<const Operation*> ops, const Operation& breaks);

// What a checker says of a key.
struct KeyJudgement {
  std::vector<Finding> findings;
  std::string undecided;  // why, if it is
  void add(std::optional<Finding> finding);
};
// The report of a checker that judges each key by itself.
[[nodiscard]] CheckReport judge_keys(
    std::string_view checker, const History& history, const std::vector<Function>& functions,
    const std::function<void(const KeyGroup& group, KeyJudgement& key)>& judge);

// Orders the findings by when they broke, numbers them, keeps the first `most` and sets the answer.
void conclude(CheckReport& report, std::size_t most = 10);

// "op 8841".
[[nodiscard]] std::string name_of(const Operation& op);
// "308 ms": from the completion of one to the invocation of the other.
[[nodiscard]] std::string gap_between(const Operation& before, const Operation& after);

}  // namespace ordeal::checkers
