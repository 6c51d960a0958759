#include "checkers/columns.h"

#include <algorithm>
#include <thread>
#include <unordered_map>

#include <fmt/format.h>

namespace ordeal::checkers {

namespace {

constexpr std::size_t least_per_thread = 20'000;  // operations
constexpr std::int64_t direct_keys = 1 << 20;

// Keys to numbers from 0, in order of appearance.
class KeyNumbers {
 public:
  std::uint32_t operator()(const Value& key) {
    const std::int64_t* integer = key.as_integer();
    if (integer == nullptr || *integer < 0 || *integer >= direct_keys) return slowly(key);
    const auto place = static_cast<std::size_t>(*integer);
    if (place >= direct_.size()) direct_.resize(std::max(2 * direct_.size(), place + 1), 0);
    if (direct_[place] == 0) {
      keys_.push_back(key);
      direct_[place] = static_cast<std::uint32_t>(keys_.size());
    }
    return direct_[place] - 1;
  }
  [[nodiscard]] const std::vector<Value>& keys() const { return keys_; }

 private:
  std::uint32_t slowly(const Value& key) {
    const auto [entry, added] = others_.try_emplace(key, static_cast<std::uint32_t>(keys_.size()));
    if (added) keys_.push_back(key);
    return entry->second;
  }

  std::vector<Value> keys_;
  std::vector<std::uint32_t> direct_;  // by small integer: one more than its number
  std::unordered_map<Value, std::uint32_t, ValueHash> others_;
};

}  // namespace

ValueId ValueNumbers::odd(const Value& value) {
  const auto next = static_cast<ValueId>(first_odd + odd_.size());
  return odd_.try_emplace(value, next).first->second;
}

std::vector<ValueId> ValueNumbers::take_over(const ValueNumbers& those) {
  std::vector<ValueId> names(those.odd_.size());
  for (const auto& [value, number] : those.odd_) names[number - first_odd] = odd(value);
  return names;
}

struct Columns::Part {
  std::size_t begin = 0;
  std::size_t end = 0;
  KeyNumbers key_of;
  ValueNumbers value_of;
  std::vector<RegisterOp> ops;      // what can bear on the verdict
  std::vector<std::uint32_t> keys;  // by those, its own numbers
  std::vector<std::size_t> counts;  // by its own key numbers, and so on
  std::vector<std::uint32_t> names;
  std::vector<std::size_t> next;  // place in Columns::ops_
  std::vector<ValueId> odd_names;
  std::vector<std::pair<std::uint32_t, std::string>> malformed;
};

void Columns::read(const History& history, FailedCas failed_cas, Part& part) {
  part.ops.reserve(part.end - part.begin);
  part.keys.reserve(part.end - part.begin);
  for (std::size_t i = part.begin; i < part.end; ++i) {
    const Operation& op = history.operations[i];
    const std::uint32_t key = part.key_of(op.key);
    if (key == part.counts.size()) part.counts.push_back(0);
    RegisterOp found;
    const Reading reading = read_operation(history, i, failed_cas, part.value_of, found);
    if (reading == Reading::taken) {
      part.ops.push_back(found);
      part.keys.push_back(key);
      ++part.counts[key];
    } else if (reading == Reading::malformed) {
      part.malformed.emplace_back(
          key, op.function == Function::cas
                   ? fmt::format("operation {} is a compare-and-set with argument {}; it must be a "
                                 "list of the expected and the new value",
                                 op.invoked, to_text(op.argument))
                   : fmt::format("operation {} is a {}, which a register does not know", op.invoked,
                                 to_text(op.function)));
    }
  }
}

// One numbering for all parts, and where the operations of each belong.
void Columns::merge(std::vector<Part>& parts) {
  KeyNumbers all;
  ValueNumbers values;
  for (Part& part : parts) {
    for (const Value& key : part.key_of.keys()) part.names.push_back(all(key));
    part.odd_names = values.take_over(part.value_of);
  }
  keys_.resize(all.keys().size());
  for (std::size_t i = 0; i < keys_.size(); ++i) keys_[i].key = all.keys()[i];
  for (const Part& part : parts) {
    for (std::size_t i = 0; i < part.names.size(); ++i) {
      keys_[part.names[i]].count += part.counts[i];
    }
    for (const auto& [key, why] : part.malformed) keys_[part.names[key]].malformed = why;
  }
  std::vector<std::size_t> next;
  std::size_t count = 0;
  for (Key& key : keys_) {
    key.first = count;
    next.push_back(count);
    count += key.count;
  }
  ops_.resize(count);
  for (Part& part : parts) {
    for (std::size_t i = 0; i < part.names.size(); ++i) {
      part.next.push_back(next[part.names[i]]);
      next[part.names[i]] += part.counts[i];
    }
  }
}

// Nobody else writes at these places.
void Columns::put_in_place(Part& part) {
  for (std::size_t i = 0; i < part.ops.size(); ++i) {
    RegisterOp& op = part.ops[i];
    if (!part.odd_names.empty()) {
      for (ValueId* value : {&op.observes, &op.sets, &op.denies}) {
        const bool is_odd = *value != no_value && *value >= ValueNumbers::first_odd;
        if (is_odd) *value = part.odd_names[*value - ValueNumbers::first_odd];
      }
    }
    ops_[part.next[part.keys[i]]++] = op;
  }
}

Columns::Columns(const History& history, const CheckOptions& options) {
  const std::size_t count = history.operations.size();
  const std::size_t threads = std::clamp<std::size_t>(count / least_per_thread, 1,
                                                      std::max<std::size_t>(options.threads, 1));
  std::vector<Part> parts(threads);
  const auto each_part = [&](auto work) {
    std::vector<std::jthread> helpers;
    for (std::size_t i = 1; i < threads; ++i) helpers.emplace_back([&, i] { work(parts[i]); });
    work(parts[0]);
  };
  for (std::size_t i = 0; i < threads; ++i) {
    parts[i].begin = i * count / threads;
    parts[i].end = (i + 1) * count / threads;
  }
  each_part([&](Part& part) { read(history, options.failed_cas, part); });
  merge(parts);
  each_part([&](Part& part) { put_in_place(part); });
}

std::size_t make_dense(std::vector<RegisterOp>& ops) {
  std::unordered_map<ValueId, ValueId> ids = {{nil_value, nil_value}};
  for (RegisterOp& op : ops) {
    for (ValueId* value : {&op.observes, &op.sets, &op.denies}) {
      if (*value == no_value) continue;
      *value = ids.try_emplace(*value, static_cast<ValueId>(ids.size())).first->second;
    }
  }
  return ids.size();
}

}  // namespace ordeal::checkers
