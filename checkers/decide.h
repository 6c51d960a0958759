#pragma once
// Decides one register: the one place that chooses the algorithm, by looking at the operations. A
// further fast path is one more line there; a further model is one more translation into observes
// and sets.

#include <string>
#include <vector>

#include "checkers/split.h"
#include "core/time.h"

namespace ordeal::checkers {

struct Budget {
  Deadline deadline;
  std::size_t memory;       // bytes
  std::size_t threads = 1;  // that a search may use
};

struct Decision {
  enum class Answer { valid, invalid, unknown };
  Answer answer = Answer::unknown;
  std::string why;  // unknown only: what ran out, and what to change
};

// Whether one order of the operations exists that agrees with real time and gives every answer.
// `ops` are those of one key by invocation, `value_count` bounds their values.
[[nodiscard]] Decision decide_register(std::vector<RegisterOp> ops, std::size_t value_count,
                                       const Budget& budget);

}  // namespace ordeal::checkers
