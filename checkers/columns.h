#pragma once
// A large history taken apart for deciding: the operations of each key side by side, small and
// without pointers. Two passes over the history; it is the only part of a check that reads it
// whole.
//
// Values are small numbers here: an integer from 0 to 2^30 is itself plus one, nil is zero, every
// other value gets a number of its own above those. Memory: 4 bytes an operation, and 24 once the
// operations of keys are asked for. Pure; threads of its own while it is built, any thread after.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "checkers/check.h"
#include "checkers/split.h"

namespace ordeal::checkers {

// For the values that are no small integers.
class ValueNumbers {
 public:
  static constexpr ValueId first_odd = ValueId{1} << 30U;

  [[nodiscard]] static bool is_small(const Value& value) {
    if (value.is_nil()) return true;
    const std::int64_t* integer = value.as_integer();
    return integer != nullptr && *integer >= 0 && *integer < first_odd - 1;
  }
  // Of a small value.
  [[nodiscard]] static ValueId small(const Value& value) {
    const std::int64_t* integer = value.as_integer();
    return integer == nullptr ? nil_value : static_cast<ValueId>(*integer + 1);
  }
  ValueId operator()(const Value& value);

 private:
  struct Table;
  std::shared_ptr<Table> table_;
};

class Columns {
 public:
  Columns(const History& history, const CheckOptions& options);

  [[nodiscard]] std::size_t keys() const { return keys_.size(); }
  [[nodiscard]] const Value& key(std::size_t i) const { return keys_[i].key; }
  // Why the key cannot be judged, empty when it can.
  [[nodiscard]] const std::string& malformed(std::size_t i) const { return keys_[i].malformed; }
  // Valid for a history of one key whose values are small, before arrange(): without copying it.
  [[nodiscard]] bool is_plain() const { return keys_.size() == 1 && !has_odd_; }
  template <class Action>
  void each(Action action) const {
    ValueNumbers number;
    for (std::size_t i = 0; i < history_.operations.size(); ++i) {
      RegisterOp op;
      if (read(i, number, op)) action(op);
    }
  }
  // Puts the operations of each key together. Once, before ops().
  void arrange();
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

  [[nodiscard]] bool bears(const Operation& op) const;
  // False when the operation is left out.
  bool read(std::size_t i, ValueNumbers& number, RegisterOp& op) const;
  void read_keys(Part& part);
  void merge(std::vector<Part>& parts);
  template <class Work>
  void in_parallel(std::vector<Part>& parts, Work work);

  const History& history_;
  FailedCas failed_cas_;
  std::size_t threads_;
  bool has_odd_ = false;
  std::vector<Key> keys_;
  std::vector<std::uint32_t> key_of_;  // by operation
  std::vector<RegisterOp> ops_;
};

inline bool Columns::bears(const Operation& op) const {
  if (op.outcome == Outcome::fail) {
    return failed_cas_ == FailedCas::evidence && is_mismatch(history_, op);
  }
  return op.function != Function::read || (op.outcome == Outcome::ok && op.completed != never);
}

inline bool Columns::read(std::size_t i, ValueNumbers& number, RegisterOp& to) const {
  const Operation& op = history_.operations[i];
  if (!bears(op)) return false;
  to.invoked = op.invoked;
  to.completed = op.outcome == Outcome::info ? never : op.completed;
  to.source = static_cast<std::uint32_t>(i);
  if (op.function == Function::read) {
    to.observes = number(op.result);
  } else if (op.function == Function::write) {
    to.sets = number(op.argument);
  } else if (const auto* pair = op.argument.as_list(); pair != nullptr && pair->size() == 2) {
    const bool denies = op.outcome == Outcome::fail;
    (denies ? to.denies : to.observes) = number(pair->front());
    if (!denies) to.sets = number(pair->back());
  }
  return true;
}

// The operations with values from 0 on without gaps; how many there are.
std::size_t make_dense(std::vector<RegisterOp>& ops);

}  // namespace ordeal::checkers
