#pragma once
// All that is known of a key whose history is impossible, and the words for it that explanations
// share.

#include <string>
#include <string_view>
#include <vector>

#include "checkers/shrink.h"
#include "checkers/split.h"
#include "core/history.h"

namespace ordeal::checkers {

// Views of what the checker holds; valid while that lives.
struct BadKey {
  const History& history;
  const KeyOperations& operations;  // all of the key, failed ones included
  const Register& reg;
  const Core& core;

  [[nodiscard]] const Operation& recorded(const RegisterOp& op) const {
    return history.operations[op.source];
  }
  // Operations of the shortest impossible prefix that set the value.
  [[nodiscard]] std::size_t times_set(ValueId value) const;
  // The first of them; null when there is none.
  [[nodiscard]] const RegisterOp* setter_of(ValueId value) const;
  // Nobody can put the value back: it was set once, or it is nil and was never set.
  [[nodiscard]] bool is_unrepeated(ValueId value) const {
    return times_set(value) == (value == nil_value ? 0U : 1U);
  }

  // "x", "key 7": a number alone would read as a value.
  [[nodiscard]] std::string key() const {
    return (operations.key.as_integer() != nullptr ? "key " : "") + to_text(operations.key);
  }
  [[nodiscard]] std::string value(ValueId id) const { return to_text(reg.values[id]); }
  // "op 8841".
  [[nodiscard]] static std::string name(const RegisterOp& op);
  // "wrote 7", "saw 7", "found x = 3 and made it 7".
  [[nodiscard]] std::string deed(const RegisterOp& op) const;
  // "308 ms before", from the completion of one to the invocation of the other; "before" when the
  // clock cannot tell.
  [[nodiscard]] std::string gap(const RegisterOp& before, const RegisterOp& after) const;
  // "all 214 operations on x are accounted for, 2 writes of unknown outcome".
  [[nodiscard]] std::string accounting() const;
  // " through n1, n2, n4": the nodes that the operations went to; empty when the history does not
  // name them.
  [[nodiscard]] std::string through(const std::vector<RegisterOp>& ops) const;
};

// "1 later read", "41 later reads".
[[nodiscard]] std::string count_of(std::size_t number, std::string_view noun);

}  // namespace ordeal::checkers
