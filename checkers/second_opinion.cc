#include "checkers/second_opinion.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

namespace ordeal::checkers {

namespace {

constexpr std::size_t most_calls = 40;
constexpr std::size_t most_tries = 50'000;

// What an object holds, as rows: the elements of a container, oldest first; the [key, value] pairs
// of a store; the one value of a register; the holder and the last token of a lock.
using Rows = std::vector<Value>;

const Value& part(const Value& list, std::size_t i) {
  static const Value nil;
  const auto* items = list.as_list();
  return items != nullptr && i < items->size() ? (*items)[i] : nil;
}

std::int64_t number(const Value& value) {
  return value.as_integer() == nullptr ? 0 : *value.as_integer();
}

// The row of that key, behind the first `heads` rows; made when it is not there.
Value& row_of(Rows& rows, std::size_t heads, const Value& key) {
  for (std::size_t i = heads; i < rows.size(); ++i) {
    if (part(rows[i], 0) == key) return rows[i];
  }
  rows.push_back(Value::list({key, Value(), Value()}));
  return rows.back();
}

std::size_t place_of(const Rows& rows, const Value& element) {
  std::size_t i = 0;
  while (i < rows.size() && !(rows[i] == element)) ++i;
  return i;
}

// Takes one out: whether it is what the call was told.
bool gives(Rows& rows, std::size_t i, const Call& call) {
  const Value given = rows.empty() ? Value() : rows[i];
  if (!rows.empty()) rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(i));
  return !call.is_certain() || given == call.result;
}

bool on_register(Rows& rows, const Call& call) {
  rows.resize(1);
  switch (call.act) {
    case Act::read:
      return !call.is_certain() || rows[0] == call.result;
    case Act::write:
      rows[0] = call.argument;
      return true;
    case Act::mismatch:
      return !(rows[0] == part(call.argument, 0));
    default:
      if (!(rows[0] == part(call.argument, 0))) return false;
      rows[0] = part(call.argument, 1);
      return true;
  }
}

// Texts grow by texts, anything else is a list; nil, "" and () are the same before all writing.
bool on_key_value(Rows& rows, const Call& call) {
  rows.resize(1);
  Value& state = rows[0];
  if (call.act == Act::write) {
    state = call.argument;
    return true;
  }
  if (call.act == Act::read) {
    if (!call.is_certain() || state == call.result) return true;
    const bool is_nothing = call.result == Value("") || call.result == Value(Value::List());
    return state.is_nil() && is_nothing;
  }
  const bool grows_text =
      call.argument.as_string() != nullptr && (state.is_nil() || state.as_string() != nullptr);
  if (grows_text) {
    const std::string before = state.is_nil() ? std::string() : *state.as_string();
    state = Value(before + *call.argument.as_string());
    return true;
  }
  Value::List items;
  if (state.as_list() != nullptr) items = *state.as_list();
  if (state.as_list() == nullptr && !state.is_nil()) items.push_back(state);
  items.push_back(call.argument);
  state = Value(items);
  return true;
}

// Whether appends can still make one of the other, as far as their types tell.
bool may_begin(const Value& state, const Value& answer) {
  const auto* before = state.as_string();
  const auto* after = answer.as_string();
  if (before != nullptr && after != nullptr) return after->starts_with(*before);
  if (state.as_list() == nullptr || answer.as_list() == nullptr) return true;
  const Value::List& first = *state.as_list();
  const Value::List& all = *answer.as_list();
  return first.size() <= all.size() && std::equal(first.begin(), first.end(), all.begin());
}

bool on_registers(Rows& rows, const Call& call) {
  const auto* deeds = (call.is_certain() ? call.result : call.argument).as_list();
  if (deeds == nullptr) return false;
  for (const Value& deed : *deeds) {
    Value& row = row_of(rows, 0, part(deed, 1));
    if (part(deed, 0) == Value("write")) {
      row = Value::list({part(deed, 1), part(deed, 2)});
    } else if (call.is_certain() && !(part(row, 1) == part(deed, 2))) {
      return false;
    }
  }
  return true;
}

bool on_lock(Rows& rows, const Call& call, bool has_owner) {
  rows.resize(2);  // who holds it; the last token
  const Value who = has_owner ? Value(static_cast<std::int64_t>(call.process)) : Value("held");
  if (call.act == Act::release) {
    const bool may = rows[0] == who;
    rows[0] = {};
    return may;
  }
  if (!rows[0].is_nil()) return false;
  rows[0] = who;
  if (has_owner || call.result.as_integer() == nullptr) return true;
  const bool grows = rows[1].is_nil() || number(call.result) > number(rows[1]);
  rows[1] = call.result;
  return grows;
}

bool on_set(Rows& rows, const Call& call) {
  if (call.act == Act::members) {
    if (!call.is_certain()) return true;
    const auto* seen = call.result.as_list();
    if (seen == nullptr || seen->size() != rows.size()) return false;
    Rows left = rows;
    for (const Value& element : *seen) {
      const std::size_t i = place_of(left, element);
      if (i == left.size()) return false;
      left.erase(left.begin() + static_cast<std::ptrdiff_t>(i));
    }
    return true;
  }
  const std::size_t i = place_of(rows, call.argument);
  const bool was_there = i < rows.size();
  if (call.act == Act::contains) return !call.is_certain() || call.result == Value(was_there);
  const bool adds = call.act == Act::add;
  if (adds && !was_there) rows.push_back(call.argument);
  if (!adds && was_there) rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(i));
  const bool* told = call.result.as_boolean();
  return told == nullptr || *told == (adds != was_there);
}

bool on_counter(Rows& rows, const Call& call) {
  if (rows.empty()) rows.emplace_back(0);
  if (call.act == Act::read) return !call.is_certain() || rows[0] == call.result;
  std::int64_t sum = 0;
  if (__builtin_add_overflow(number(rows[0]), number(call.argument), &sum)) return false;
  rows[0] = Value(sum);
  return true;
}

bool on_queue(Rows& rows, const Call& call) {
  if (call.act == Act::dequeue) return gives(rows, 0, call);
  rows.push_back(call.argument);
  return true;
}

bool on_stack(Rows& rows, const Call& call) {
  if (call.act == Act::pop) return gives(rows, rows.empty() ? 0 : rows.size() - 1, call);
  rows.push_back(call.argument);
  return true;
}

bool on_priority_queue(Rows& rows, const Call& call) {
  if (call.act == Act::insert) {
    rows.push_back(call.argument);
    return true;
  }
  std::size_t smallest = 0;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    if (number(rows[i]) < number(rows[smallest])) smallest = i;
  }
  return gives(rows, smallest, call);
}

// The first row is the revision.
bool on_store(Rows& rows, const Call& call) {
  if (rows.empty()) rows.emplace_back(0);
  if (call.act == Act::read) {
    Rows copy = rows;
    const Value row = row_of(copy, 1, call.key);
    const Value seen = part(row, 2).is_nil() ? Value() : Value::list({part(row, 1), part(row, 2)});
    return !call.is_certain() || seen == call.result;
  }
  const Value revision(number(rows[0]) + 1);
  rows[0] = revision;
  row_of(rows, 1, call.key) = Value::list({call.key, call.argument, revision});
  return !call.is_certain() || call.result.is_nil() || call.result == revision;
}

// What a call does to an object: whether it can have been answered so.
bool act_on(std::string_view model, Rows& rows, const Call& call) {
  if (model == "register") return on_register(rows, call);
  if (model == "kv" || model == "list") return on_key_value(rows, call);
  if (model == "multi-register") return on_registers(rows, call);
  if (model == "mutex") return on_lock(rows, call, false);
  if (model == "owned-mutex") return on_lock(rows, call, true);
  if (model == "set") return on_set(rows, call);
  if (model == "counter") return on_counter(rows, call);
  if (model == "queue") return on_queue(rows, call);
  if (model == "stack") return on_stack(rows, call);
  if (model == "priority-queue") return on_priority_queue(rows, call);
  return on_store(rows, call);
}

bool knows(std::string_view model) {
  for (const std::string_view name :
       {"register", "kv", "list", "multi-register", "mutex", "owned-mutex", "set", "counter",
        "queue", "stack", "priority-queue", "revisioned-store"}) {
    if (name == model) return true;
  }
  return false;
}

class AllOrders {
 public:
  AllOrders(const std::vector<Call>& calls, std::string_view model)
      : calls_(calls), model_(model) {}

  // Tries to put one more call behind those in `placed`, which left the object as it is in `rows`.
  bool extend(std::uint64_t placed, const Rows& rows) {
    if (is_complete(placed)) return true;
    if (++tries_ > most_tries) gave_up_ = true;
    const Been here = {placed, rows};
    std::vector<Been>& been = tried_[Value(rows).hash() ^ placed * 0x9e3779b97f4a7c15U];
    if (std::find(been.begin(), been.end(), here) != been.end()) return false;
    been.push_back(here);
    for (std::size_t i = 0; i < calls_.size() && !gave_up_; ++i) {
      if (has(placed, i) || !may_be_next(placed, i)) continue;
      Rows next = rows;
      if (!act_on(model_, next, calls_[i])) continue;
      if (is_hopeless(placed, next)) continue;
      if (extend(placed | std::uint64_t{1} << i, next)) return true;
      // A read that can come now need not come later: it changes nothing.
      if (calls_[i].act == Act::read) return false;
    }
    return false;
  }
  [[nodiscard]] bool gave_up() const { return gave_up_; }

 private:
  static bool has(std::uint64_t set, std::size_t i) { return (set >> i & 1U) != 0; }
  bool is_complete(std::uint64_t placed) const {
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      if (calls_[i].is_certain() && !has(placed, i)) return false;
    }
    return true;
  }
  // Nothing that is still to come may have completed before this one began.
  bool may_be_next(std::uint64_t placed, std::size_t i) const {
    for (std::size_t k = 0; k < calls_.size(); ++k) {
      const bool to_come = k != i && !has(placed, k) && calls_[k].is_certain();
      if (to_come && calls_[k].completed < calls_[i].invoked) return false;
    }
    return true;
  }

  // Of texts and lists: an answer to come that neither the state begins nor any put to come.
  [[nodiscard]] bool is_hopeless(std::uint64_t placed, const Rows& rows) const {
    if (model_ != "kv" && model_ != "list") return false;
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      const Call& read = calls_[i];
      if (has(placed, i) || read.act != Act::read || !read.is_certain()) continue;
      bool can_be = may_begin(rows.at(0), read.result);
      for (std::size_t k = 0; k < calls_.size() && !can_be; ++k) {
        const bool is_put = !has(placed, k) && calls_[k].act == Act::write;
        can_be = is_put && may_begin(calls_[k].argument, read.result);
      }
      if (!can_be) return true;
    }
    return false;
  }

  using Been = std::pair<std::uint64_t, Rows>;  // what was placed, and the object then

  const std::vector<Call>& calls_;
  const std::string_view model_;
  std::unordered_map<std::uint64_t, std::vector<Been>> tried_;  // by hash: it led nowhere
  std::size_t tries_ = 0;
  bool gave_up_ = false;
};

}  // namespace

std::optional<bool> some_order_exists(const std::vector<Call>& calls, std::string_view model) {
  if (calls.size() > most_calls || !knows(model)) return std::nullopt;
  AllOrders orders(calls, model);
  const bool found = orders.extend(0, {});
  return !found && orders.gave_up() ? std::nullopt : std::optional(found);
}

}  // namespace ordeal::checkers
