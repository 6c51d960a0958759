#include "checkers/columns.h"

#include <algorithm>
#include <limits>
#include <memory>
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

struct ValueNumbers::Table {
  std::unordered_map<Value, ValueId, ValueHash> ids;
};

ValueId ValueNumbers::operator()(const Value& value) {
  if (is_small(value)) return small(value);
  if (!table_) table_ = std::make_shared<Table>();
  const auto next = static_cast<ValueId>(first_odd + table_->ids.size());
  return table_->ids.try_emplace(value, next).first->second;
}

struct Columns::Part {
  std::size_t begin = 0;
  std::size_t end = 0;
  KeyNumbers number;
  std::vector<std::size_t> counts;   // by its own key numbers; later, where the next one goes
  std::vector<std::uint32_t> names;  // of its own key numbers among all
  std::vector<std::pair<std::uint32_t, std::size_t>> malformed;  // key, operation
  bool has_odd = false;
};

void Columns::read_keys(Part& part) {
  const auto is_odd = [](const Value& value) { return !ValueNumbers::is_small(value); };
  for (std::size_t i = part.begin; i < part.end; ++i) {
    const Operation& op = history_.operations[i];
    const std::uint32_t key = part.number(op.key);
    if (key == part.counts.size()) part.counts.push_back(0);
    key_of_[i] = left_out;
    if (!bears(op)) continue;
    key_of_[i] = key;
    ++part.counts[key];
    if (op.function == Function::read) {
      part.has_odd |= is_odd(op.result);
    } else if (op.function == Function::write) {
      part.has_odd |= is_odd(op.argument);
    } else if (const auto* pair = op.argument.as_list();
               op.function == Function::cas && pair != nullptr && pair->size() == 2) {
      part.has_odd |= is_odd(pair->front()) || is_odd(pair->back());
    } else {
      part.malformed.emplace_back(key, i);
    }
  }
}

template <class Work>
void Columns::in_parallel(std::vector<Part>& parts, Work work) {
  std::vector<std::jthread> helpers;
  for (std::size_t i = 1; i < parts.size(); ++i) helpers.emplace_back([&, i] { work(parts[i]); });
  work(parts.front());
}

void Columns::merge(std::vector<Part>& parts) {
  KeyNumbers all;
  for (Part& part : parts) {
    for (const Value& key : part.number.keys()) part.names.push_back(all(key));
    has_odd_ |= part.has_odd;
  }
  keys_.resize(all.keys().size());
  for (std::size_t i = 0; i < keys_.size(); ++i) keys_[i].key = all.keys()[i];
  for (const Part& part : parts) {
    for (std::size_t i = 0; i < part.names.size(); ++i) {
      keys_[part.names[i]].count += part.counts[i];
    }
    for (const auto& [key, i] : part.malformed) {
      std::string& words = keys_[part.names[key]].malformed;
      const Operation& op = history_.operations[i];
      if (!words.empty()) continue;
      words = op.function == Function::cas
                  ? fmt::format(
                        "operation {} is a compare-and-set with argument {}; it must be a "
                        "list of the expected and the new value",
                        op.invoked, to_text(op.argument))
                  : fmt::format("operation {} is not one of a register", op.invoked);
    }
  }
  for (std::size_t i = 1; i < keys_.size(); ++i) {
    keys_[i].first = keys_[i - 1].first + keys_[i - 1].count;
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
  for (std::size_t i = 0; i < threads_; ++i) {
    parts[i].begin = i * count / threads_;
    parts[i].end = (i + 1) * count / threads_;
  }
  in_parallel(parts, [this](Part& part) { read_keys(part); });
  merge(parts);
  if (keys_.size() == 1) key_of_ = {};
  if (key_of_.empty() || threads_ == 1) return;
  in_parallel(parts, [this](Part& part) {
    for (std::size_t i = part.begin; i < part.end; ++i) {
      if (key_of_[i] != left_out) key_of_[i] = part.names[key_of_[i]];
    }
  });
}

void Columns::arrange() {
  std::size_t total = 0;
  for (const Key& key : keys_) total += key.count;
  ops_.resize(total);
  if (keys_.size() == 1) {
    auto to = ops_.begin();
    each([&](const RegisterOp& op) { *to++ = op; });
    return;
  }
  // Threads share the keys out, so that nobody writes where another does.
  const std::size_t threads = has_odd_ ? 1 : threads_;
  std::vector<std::size_t> next;
  for (const Key& key : keys_) next.push_back(key.first);
  std::vector<Part> parts(threads);
  for (std::size_t i = 0; i < threads; ++i) {
    parts[i].begin = i * keys_.size() / threads;
    parts[i].end = (i + 1) * keys_.size() / threads;
  }
  in_parallel(parts, [&](const Part& part) {
    ValueNumbers number;
    for (std::size_t i = 0; i < key_of_.size(); ++i) {
      const std::uint32_t key = key_of_[i];
      if (key >= part.begin && key < part.end) read(i, number, ops_[next[key]++]);
    }
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
