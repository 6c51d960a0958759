#include "tests/checkers/brute_force.h"

#include <list>

namespace ordeal::checkers::test {

namespace {

struct Item {
  std::int64_t from;
  std::int64_t to;
  bool optional;
  bool observes;
  Value observed;
  bool sets;
  Value set;
  bool denies = false;  // observed anything but `observed`
};

// The operations of `rest` in any order behind a register that holds `state`.
bool try_orders(std::list<Item>& rest, const Value& state) {
  bool none_is_left = true;
  for (const Item& item : rest) none_is_left = none_is_left && item.optional;
  if (none_is_left) return true;

  for (auto i = rest.begin(); i != rest.end(); ++i) {
    bool something_came_before = false;
    for (const Item& other : rest) something_came_before |= !other.optional && other.to < i->from;
    if (something_came_before) continue;
    if (i->observes && (i->observed == state) == i->denies) continue;
    std::list<Item> taken;
    const auto next = std::next(i);
    taken.splice(taken.begin(), rest, i);
    const bool found = try_orders(rest, taken.front().sets ? taken.front().set : state);
    rest.splice(next, taken);
    i = std::prev(next);
    if (found) return true;
  }
  return false;
}

}  // namespace

bool is_linearizable_by_force(const History& history, const Value& key, FailedCas failed_cas) {
  std::list<Item> items;
  for (const Operation& op : history.operations) {
    const bool denies = op.outcome == Outcome::fail && op.function == Function::cas &&
                        failed_cas == FailedCas::evidence && op.completed != never;
    if (!(op.key == key) || (op.outcome == Outcome::fail && !denies)) continue;
    Item item = {op.invoked, op.completed, op.outcome == Outcome::info, false, {}, false, {}};
    if (op.function == Function::read && !item.optional) {
      item.observes = true;
      item.observed = op.result;
    } else if (op.function == Function::write) {
      item.sets = true;
      item.set = op.argument;
    } else if (op.function == Function::cas) {
      item.observes = true;
      item.sets = !denies;
      item.denies = denies;
      item.observed = op.argument.as_list()->at(0);
      item.set = op.argument.as_list()->at(1);
    }
    items.push_back(item);
  }
  return try_orders(items, Value());
}

bool is_linearizable_by_force(const std::vector<RegisterOp>& ops) {
  std::list<Item> items;
  const auto name = [](ValueId id) {
    return id == nil_value ? Value() : Value(static_cast<int>(id));
  };
  for (const RegisterOp& op : ops) {
    items.push_back({op.invoked, op.completed, op.completed == never, op.is_answer(),
                     name(op.denies != no_value ? op.denies : op.observes), op.sets != no_value,
                     name(op.sets), op.denies != no_value});
  }
  return try_orders(items, Value());
}

}  // namespace ordeal::checkers::test
