#pragma once
// A history taken apart by key, with values interned to small numbers: what the register algorithms
// read. Pure; any thread.
//
// An operation is what it observes and what it sets: a read observes, a write sets, a
// compare-and-set does both. That is all the algorithms know of the functions, so a register-like
// model needs no more than this.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "checkers/check.h"
#include "core/history.h"

namespace ordeal::checkers {

using ValueId = std::uint32_t;
inline constexpr ValueId nil_value = 0;
inline constexpr ValueId no_value = ~ValueId{0};

struct RegisterOp {
  EventIndex invoked = 0;
  EventIndex completed = never;  // never: unknown, it may have no effect at all
  ValueId observes = no_value;   // the state that it found, for it to have happened
  ValueId sets = no_value;       // the state that it left
  ValueId denies = no_value;     // a state that it did not find (a compare-and-set that failed)
  std::uint32_t source = 0;      // position in History::operations

  [[nodiscard]] bool is_certain() const { return completed != never; }
  [[nodiscard]] bool is_read() const { return sets == no_value; }
  // Tells something about the state that it found.
  [[nodiscard]] bool is_answer() const { return observes != no_value || denies != no_value; }
  // Before in real time: in every order.
  [[nodiscard]] bool precedes(const RegisterOp& other) const { return completed < other.invoked; }
};

// The operations of one key as positions in History::operations, ascending.
struct KeyOperations {
  Value key;
  std::vector<std::uint32_t> positions;
};

// Keys in the order of their first operation.
[[nodiscard]] std::vector<KeyOperations> split_by_key(const History& history);
[[nodiscard]] KeyOperations operations_on(const Value& key, const History& history);

// Whether the operation is a compare-and-set that was answered: another value was found. One that
// failed without a word counts, too: foreign histories give no reasons.
[[nodiscard]] bool is_mismatch(const History& history, const Operation& op);

// What of a key's history can bear on the verdict. Left out are operations that failed and reads
// without an answer: they had no effect and saw nothing that we know of. A failed compare-and-set
// denies the value that it expected where that is evidence.
struct Register {
  std::vector<RegisterOp> ops;  // by invocation, ascending
  std::vector<Value> values;    // by ValueId; values[nil_value] is nil
  std::size_t unknown = 0;      // writes and compare-and-sets of unknown outcome
  std::string malformed;        // why the key cannot be judged, empty when it can
};

[[nodiscard]] Register read_register(const History& history, const KeyOperations& key,
                                     FailedCas failed_cas = FailedCas::ignored);

// Takes out unknown operations that no order needs: those that set a value which nobody observes.
// Any order stays right without such an operation: whatever came between it and the next write
// would have observed its value. Nobody is a certain operation or an unknown one that is itself
// still in. So a chain of unknown compare-and-sets goes from its end. Where values are denied
// nothing goes: any value may be what was there instead.
void drop_unobservable(std::vector<RegisterOp>& ops, std::size_t value_count);

}  // namespace ordeal::checkers
