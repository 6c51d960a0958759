#include "checkers/columns.h"

#include <algorithm>
#include <limits>
#include <thread>
#include <unordered_map>

#include <fmt/format.h>

namespace ordeal::checkers {

namespace {

constexpr std::uint32_t left_out = std::numeric_limits<std::uint32_t>::max();
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

struct Columns::Part {
  std::size_t begin = 0;
  std::size_t end = 0;
  KeyNumbers number;
  std::vector<std::size_t> counts;   // by its own key numbers
  std::vector<std::uint32_t> names;  // of its own key numbers among all
};

// As read_operation: what bears on the verdict, or may be malformed.
bool Columns::bears(const Operation& op) const {
  if (op.outcome == Outcome::fail) {
    return failed_cas_ == FailedCas::evidence && is_mismatch(history_, op);
  }
  return op.function != Function::read || (op.outcome == Outcome::ok && op.completed != never);
}

void Columns::read_keys(Part& part) {
  for (std::size_t i = part.begin; i < part.end; ++i) {
    const Operation& op = history_.operations[i];
    const std::uint32_t key = part.number(op.key);
    if (key == part.counts.size()) part.counts.push_back(0);
    const bool taken = bears(op);
    key_of_[i] = taken ? key : left_out;
    if (taken) ++part.counts[key];
  }
}

template <class Work>
void Columns::in_parallel(Work work) const {
  std::vector<std::jthread> helpers;
  for (std::size_t i = 1; i < threads_; ++i) helpers.emplace_back([&work, i] { work(i); });
  work(0);
}

void Columns::merge(std::vector<Part>& parts) {
  KeyNumbers all;
  for (Part& part : parts) {
    for (const Value& key : part.number.keys()) part.names.push_back(all(key));
  }
  keys_.resize(all.keys().size());
  for (std::size_t i = 0; i < keys_.size(); ++i) keys_[i].key = all.keys()[i];
  for (const Part& part : parts) {
    for (std::size_t i = 0; i < part.names.size(); ++i) {
      keys_[part.names[i]].count += part.counts[i];
    }
  }
  for (std::size_t i = 1; i < keys_.size(); ++i) {
    keys_[i].first = keys_[i - 1].first + keys_[i - 1].count;
  }
}

// Of the keys from first to end, without it: nobody else writes there.
void Columns::read_operations(std::size_t first_key, std::size_t end_key,
                              std::vector<std::size_t>& next) {
  ValueNumbers number;
  for (std::size_t i = 0; i < key_of_.size(); ++i) {
    const std::uint32_t key = key_of_[i];
    if (key < first_key || key >= end_key) continue;
    RegisterOp& to = ops_[next[key]++];
    if (read_operation(history_, i, failed_cas_, number, to) == Reading::taken) continue;
    const Operation& op = history_.operations[i];
    keys_[key].malformed =
        op.function == Function::cas
            ? fmt::format(
                  "operation {} is a compare-and-set with argument {}; it must be a list "
                  "of the expected and the new value",
                  op.invoked, to_text(op.argument))
            : fmt::format("operation {} is a {}, which a register does not know", op.invoked,
                          to_text(op.function));
  }
}

Columns::Columns(const History& history, const CheckOptions& options)
    : history_(history),
      failed_cas_(options.failed_cas),
      threads_(std::clamp<std::size_t>(history.operations.size() / least_per_thread, 1,
                                       std::max<std::size_t>(options.threads, 1))) {
  const std::size_t count = history.operations.size();
  key_of_.resize(count);
  std::vector<Part> parts(threads_);
  in_parallel([&](std::size_t thread) {
    parts[thread].begin = thread * count / threads_;
    parts[thread].end = (thread + 1) * count / threads_;
    read_keys(parts[thread]);
  });
  merge(parts);
  if (threads_ > 1) {
    in_parallel([&](std::size_t thread) {
      const Part& part = parts[thread];
      for (std::size_t i = part.begin; i < part.end; ++i) {
        if (key_of_[i] != left_out) key_of_[i] = part.names[key_of_[i]];
      }
    });
  }
  ops_.resize(keys_.empty() ? 0 : keys_.back().first + keys_.back().count);
  std::vector<std::size_t> next;
  for (const Key& key : keys_) next.push_back(key.first);
  in_parallel([&](std::size_t thread) {
    read_operations(thread * keys_.size() / threads_, (thread + 1) * keys_.size() / threads_, next);
  });
  key_of_ = {};
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
