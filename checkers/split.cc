#include "checkers/split.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

namespace ordeal::checkers {

namespace {

class Interner {
 public:
  Interner(std::vector<Value>& values, std::size_t most) : values_(values) {
    values_.reserve(most);
    values_.assign(1, Value());
    ids_.emplace(Value(), nil_value);
  }

  ValueId operator()(const Value& value) {
    const std::int64_t* integer = value.as_integer();
    if (integer == nullptr || *integer < 0 || *integer >= most_direct) return slowly(value);
    const auto place = static_cast<std::size_t>(*integer);
    if (place >= direct_.size()) direct_.resize(std::max(2 * direct_.size(), place + 1), nil_value);
    if (direct_[place] == nil_value) {
      direct_[place] = static_cast<ValueId>(values_.size());
      values_.push_back(value);
    }
    return direct_[place];
  }

 private:
  static constexpr std::int64_t most_direct = 1 << 24;

  ValueId slowly(const Value& value) {
    const auto [entry, added] = ids_.try_emplace(value, static_cast<ValueId>(values_.size()));
    if (added) values_.push_back(value);
    return entry->second;
  }

  std::vector<Value>& values_;
  std::vector<ValueId> direct_;  // of small integers; nil: none as yet
  std::unordered_map<Value, ValueId, ValueHash> ids_;
};

}  // namespace

std::vector<KeyOperations> split_by_key(const History& history) {
  std::vector<KeyOperations> keys;
  std::unordered_map<Value, std::size_t, ValueHash> places;
  for (std::size_t i = 0; i < history.operations.size(); ++i) {
    const Value& key = history.operations[i].key;
    const auto [entry, added] = places.try_emplace(key, keys.size());
    if (added) keys.push_back({key, {}});
    keys[entry->second].positions.push_back(static_cast<std::uint32_t>(i));
  }
  return keys;
}

KeyOperations operations_on(const Value& key, const History& history) {
  KeyOperations found = {key, {}};
  for (std::size_t i = 0; i < history.operations.size(); ++i) {
    if (history.operations[i].key == key) found.positions.push_back(static_cast<std::uint32_t>(i));
  }
  return found;
}

bool is_mismatch(const History& history, const Operation& op) {
  if (op.function != Function::cas || op.outcome != Outcome::fail || op.completed == never) {
    return false;
  }
  const std::string& error = history.error_of(op);
  return error.empty() || error.starts_with(cas_mismatch);
}

Register read_register(const History& history, const KeyOperations& key, FailedCas failed_cas) {
  Register result;
  result.ops.reserve(key.positions.size());
  Interner id(result.values, key.positions.size() + 1);
  for (const std::uint32_t position : key.positions) {
    const Operation& op = history.operations[position];
    const bool denies = failed_cas == FailedCas::evidence && is_mismatch(history, op);
    const bool certain = denies || (op.outcome == Outcome::ok && op.completed != never);
    if ((op.outcome == Outcome::fail && !denies) || (op.function == Function::read && !certain))
      continue;

    RegisterOp entry;
    entry.invoked = op.invoked;
    entry.completed = certain ? op.completed : never;
    entry.source = position;
    if (op.function == Function::read) {
      entry.observes = id(op.result);
    } else if (op.function == Function::write) {
      entry.sets = id(op.argument);
    } else {
      const auto* pair = op.argument.as_list();
      if (op.function != Function::cas || pair == nullptr || pair->size() != 2) {
        result.malformed = fmt::format(
            "operation {} is a {} with argument {}; a register knows read, write, and cas with a "
            "list of the expected and the new value",
            op.invoked, op.function == Function::cas ? "compare-and-set" : to_text(op.function),
            to_text(op.argument));
        return result;
      }
      (denies ? entry.denies : entry.observes) = id(pair->at(0));
      if (!denies) entry.sets = id(pair->at(1));
    }
    if (!certain) ++result.unknown;
    result.ops.push_back(entry);
  }
  return result;
}

void drop_unobservable(std::vector<RegisterOp>& ops, std::size_t value_count) {
  const auto denies = [](const RegisterOp& op) { return op.denies != no_value; };
  if (std::ranges::any_of(ops, denies)) return;
  std::vector<std::uint32_t> observers(value_count, 0);
  std::vector<std::vector<std::uint32_t>> unknown_setters(value_count);
  for (std::uint32_t i = 0; i < ops.size(); ++i) {
    if (ops[i].observes != no_value) ++observers[ops[i].observes];
    if (!ops[i].is_certain()) unknown_setters[ops[i].sets].push_back(i);
  }
  std::vector<ValueId> unseen;
  for (ValueId value = 0; value < value_count; ++value) {
    if (observers[value] == 0 && !unknown_setters[value].empty()) unseen.push_back(value);
  }
  std::vector<bool> dropped(ops.size(), false);
  while (!unseen.empty()) {
    const ValueId value = unseen.back();
    unseen.pop_back();
    for (const std::uint32_t i : unknown_setters[value]) {
      dropped[i] = true;
      const ValueId expected = ops[i].observes;
      if (expected != no_value && --observers[expected] == 0) unseen.push_back(expected);
    }
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < ops.size(); ++i) {
    if (!dropped[i]) ops[kept++] = ops[i];
  }
  ops.resize(kept);
}

}  // namespace ordeal::checkers
