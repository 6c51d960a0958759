#pragma once
// A large history taken apart for deciding: the operations of each key side by side, small and
// without pointers. One pass over the history; it is the only part of a check that reads it whole.
// Each thread reads a part of it, so that no two ask for the same memory.
//
// Values are small numbers here: an integer from 0 to 2^30 is itself plus one, nil is zero, every
// other value gets a number of its own above those. Memory: 24 bytes an operation, 28 more while it
// is built. Pure; threads of its own while it is built, any thread after.

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "checkers/check.h"
#include "checkers/split.h"

namespace ordeal::checkers {

// For the values that are no small integers.
class ValueNumbers {
 public:
  static constexpr ValueId first_odd = ValueId{1} << 30U;

  ValueId operator()(const Value& value) {
    const std::int64_t* integer = value.as_integer();
    if (integer != nullptr && static_cast<std::uint64_t>(*integer) < first_odd - 1) {
      return static_cast<ValueId>(*integer + 1);
    }
    return value.is_nil() ? nil_value : odd(value);
  }
  // What the numbers from first_odd on of those are here.
  [[nodiscard]] std::vector<ValueId> take_over(const ValueNumbers& those);

 private:
  ValueId odd(const Value& value);
  std::unordered_map<Value, ValueId, ValueHash> odd_;
};

enum class Reading : std::uint8_t {
  left_out,  // it cannot bear on the verdict
  taken,
  malformed,
};
// What the operation at that position is to a register.
[[nodiscard]] Reading read_operation(const History& history, std::size_t i, FailedCas failed_cas,
                                     ValueNumbers& number, RegisterOp& to);

class Columns {
 public:
  Columns(const History& history, const CheckOptions& options);

  [[nodiscard]] std::size_t keys() const { return keys_.size(); }
  [[nodiscard]] const Value& key(std::size_t i) const { return keys_[i].key; }
  // Why the key cannot be judged, empty when it can.
  [[nodiscard]] const std::string& malformed(std::size_t i) const { return keys_[i].malformed; }
  [[nodiscard]] std::span<const RegisterOp> ops(std::size_t i) const {
    return {ops_.data() + keys_[i].first, keys_[i].count};
  }

 private:
  struct Key {
    Value key;
    std::size_t first = 0;  // in ops_
    std::size_t count = 0;  // of what can bear on the verdict
    std::string malformed;
  };
  struct Part;  // of the history, read by one thread

  void read(const History& history, FailedCas failed_cas, Part& part);
  void merge(std::vector<Part>& parts);
  void put_in_place(Part& part);

  std::vector<Key> keys_;
  std::vector<RegisterOp> ops_;
};

// Written so that the processor need not guess whether an operation is a read or a write: nobody
// can know, and a wrong guess costs as much as all the rest.
inline Reading read_operation(const History& history, std::size_t i, FailedCas failed_cas,
                              ValueNumbers& number, RegisterOp& to) {
  const Operation& op = history.operations[i];
  const bool fails = op.outcome == Outcome::fail;
  if (fails && !(failed_cas == FailedCas::evidence && is_mismatch(history, op))) {
    return Reading::left_out;
  }
  to.invoked = op.invoked;
  to.completed = op.outcome == Outcome::info ? never : op.completed;
  to.source = static_cast<std::uint32_t>(i);
  if (op.function <= Function::write) {
    static_assert(Function::read < Function::write && Function::write < Function::cas);
    const auto writes = static_cast<unsigned>(op.function);  // 0 or 1
    if (to.completed == never && writes == 0) return Reading::left_out;
    const Value* const told[] = {&op.result, &op.argument};
    const ValueId value = number(*told[writes]);
    to.observes = value | (0U - writes);  // no_value is all ones
    to.sets = value | (writes - 1U);
    return Reading::taken;
  }
  const auto* pair = op.argument.as_list();
  if (op.function != Function::cas || pair == nullptr || pair->size() != 2) {
    return Reading::malformed;
  }
  (fails ? to.denies : to.observes) = number(pair->front());
  if (!fails) to.sets = number(pair->back());
  return Reading::taken;
}

// The operations with values from 0 on without gaps; how many there are.
std::size_t make_dense(std::vector<RegisterOp>& ops);

}  // namespace ordeal::checkers
