#include "checkers/models.h"

#include "checkers/appends.h"
#include "checkers/zone_order.h"

namespace ordeal::checkers {

namespace {

using List = std::vector<Value>;

// nullopt unless the answer is right, or was never received.
template <class State>
std::optional<State> if_answered(const Call& call, const Value& right, State after) {
  if (call.is_certain() && !(call.result == right)) return std::nullopt;
  return after;
}

struct RegisterModel {
  using State = Value;
  static State start() { return {}; }
  static std::optional<State> step(const State& state, const Call& call) {
    if (call.act == Act::read) return if_answered(call, state, state);
    if (call.act == Act::write) return call.argument;
    const List* pair = call.argument.as_list();
    if (pair == nullptr || pair->size() != 2) return std::nullopt;
    const bool swaps = pair->front() == state;
    if (swaps == (call.act == Act::mismatch)) return std::nullopt;
    return swaps ? pair->back() : state;
  }
  static bool only_looks(const Call& call) {
    return call.act == Act::read || call.act == Act::mismatch;
  }
};

// Registers that are read and written together: each micro-operation [read|write, key, value].
struct MultiRegisterModel {
  using State = List;  // pairs [key, value] by text of the key
  static State start() { return {}; }
  static std::optional<State> step(const State& state, const Call& call) {
    State next = state;
    const List* deeds = (call.is_certain() ? call.result : call.argument).as_list();
    if (deeds == nullptr) return std::nullopt;
    for (const Value& deed : *deeds) {
      const List* parts = deed.as_list();
      if (parts == nullptr || parts->size() != 3) return std::nullopt;
      const auto place = std::ranges::lower_bound(
          next, to_text(parts->at(1)), {},
          [](const Value& pair) { return to_text(pair.as_list()->front()); });
      const bool present = place != next.end() && place->as_list()->front() == parts->at(1);
      if (parts->front() == Value("write")) {
        const Value pair = Value::list({parts->at(1), parts->at(2)});
        present ? void(*place = pair) : void(next.insert(place, pair));
      } else if (call.is_certain() &&
                 !(parts->at(2) == (present ? place->as_list()->back() : Value()))) {
        return std::nullopt;
      }
    }
    return next;
  }
  static bool only_looks(const Call& call) {
    const List* deeds = call.argument.as_list();
    const auto looks = [](const Value& deed) {
      return deed.as_list() != nullptr && !(deed.as_list()->front() == Value("write"));
    };
    return deeds != nullptr && std::ranges::all_of(*deeds, looks);
  }
};

// A lock with fencing tokens, if it gives any: they grow.
struct MutexModel {
  using State = List;  // the last token; and true while it is held
  static State start() { return {Value(), Value(false)}; }
  static std::optional<State> step(const State& state, const Call& call) {
    const bool held = *state[1].as_boolean();
    if (held == (call.act == Act::acquire)) return std::nullopt;
    if (call.act == Act::release) return State{state[0], Value(false)};
    const std::int64_t* token = call.result.as_integer();
    const std::int64_t* last = state[0].as_integer();
    if (token != nullptr && last != nullptr && *token <= *last) return std::nullopt;
    return State{token != nullptr ? call.result : state[0], Value(true)};
  }
  static bool only_looks(const Call&) { return false; }
};

// A lock that only its holder gives back.
struct OwnedMutexModel {
  using State = Value;  // the process that holds it
  static State start() { return {}; }
  static std::optional<State> step(const State& state, const Call& call) {
    const Value who(static_cast<std::int64_t>(call.process));
    if (call.act == Act::acquire) return state.is_nil() ? std::optional(who) : std::nullopt;
    return state == who ? std::optional(Value()) : std::nullopt;
  }
  static bool only_looks(const Call&) { return false; }
};

bool by_text(const Value& a, const Value& b) { return to_text(a) < to_text(b); }

struct SetModel {
  using State = List;  // by text
  static State start() { return {}; }
  static std::optional<State> step(const State& state, const Call& call) {
    if (call.act == Act::members) {
      const List* seen = call.result.as_list();
      if (!call.is_certain()) return state;
      if (seen == nullptr || seen->size() != state.size()) return std::nullopt;
      State sorted = *seen;
      std::ranges::sort(sorted, by_text);
      return sorted == state ? std::optional(state) : std::nullopt;
    }
    const auto place = std::ranges::lower_bound(state, call.argument, by_text);
    const bool present = place != state.end() && *place == call.argument;
    if (call.act == Act::contains) return if_answered(call, Value(present), state);
    State next = state;
    const auto at = next.begin() + (place - state.begin());
    // Whether it made a difference is an answer, where there is one.
    const bool changes = present == (call.act == Act::remove);
    if (call.result.as_boolean() != nullptr && *call.result.as_boolean() != changes) {
      return std::nullopt;
    }
    if (changes) present ? void(next.erase(at)) : void(next.insert(at, call.argument));
    return next;
  }
  static bool only_looks(const Call& call) {
    return call.act == Act::members || call.act == Act::contains;
  }
};

struct CounterModel {
  using State = Value;
  static State start() { return {0}; }
  static std::optional<State> step(const State& state, const Call& call) {
    if (call.act == Act::read) return if_answered(call, state, state);
    const std::int64_t* by = call.argument.as_integer();
    std::int64_t sum = 0;
    if (by == nullptr || __builtin_add_overflow(*state.as_integer(), *by, &sum)) {
      return std::nullopt;
    }
    return Value(sum);
  }
  static bool only_looks(const Call& call) { return call.act == Act::read; }
};

enum class Discipline : std::uint8_t { first_in, last_in, smallest };

template <Discipline discipline>
struct ContainerModel {
  using State = List;  // what is taken next comes first
  static State start() { return {}; }
  static bool goes_in(const Call& call) {
    return call.act == Act::enqueue || call.act == Act::push || call.act == Act::insert;
  }
  static std::optional<State> step(const State& state, const Call& call) {
    State next = state;
    if (!goes_in(call)) {
      if (call.is_certain() && !(call.result == (state.empty() ? Value() : state.front()))) {
        return std::nullopt;
      }
      if (!state.empty()) next.erase(next.begin());
    } else if constexpr (discipline == Discipline::first_in) {  // NOLINT(bugprone-branch-clone)
      next.push_back(call.argument);
    } else if constexpr (discipline == Discipline::last_in) {
      next.insert(next.begin(), call.argument);
    } else {
      const auto number = [](const Value& value) {
        return value.as_integer() == nullptr ? 0 : *value.as_integer();
      };
      next.insert(std::ranges::upper_bound(next, number(call.argument), {}, number), call.argument);
    }
    return next;
  }
  static bool only_looks(const Call& call) {
    return !goes_in(call) && call.is_certain() && call.result.is_nil();
  }
};

// A whole store with revisions, as etcd has it: each write makes one more, and answers it; a read
// answers [value, revision that wrote it], nil before any.
struct RevisionedStoreModel {
  using State = List;  // the revision; then [key, value, revision] by text of the key
  static State start() { return {Value(0)}; }
  static std::optional<State> step(const State& state, const Call& call) {
    const auto place = std::find_if(state.begin() + 1, state.end(), [&](const Value& entry) {
      return !(to_text(entry.as_list()->front()) < to_text(call.key));
    });
    const bool present = place != state.end() && place->as_list()->front() == call.key;
    if (call.act == Act::read) {
      const Value seen =
          present ? Value::list({place->as_list()->at(1), place->as_list()->at(2)}) : Value();
      return if_answered(call, seen, state);
    }
    const Value revision(*state.front().as_integer() + 1);
    if (call.is_certain() && !call.result.is_nil() && !(call.result == revision)) {
      return std::nullopt;
    }
    State next = state;
    next.front() = revision;
    const Value entry = Value::list({call.key, call.argument, revision});
    const auto at = next.begin() + (place - state.begin());
    present ? void(*at = entry) : void(next.insert(at, entry));
    return next;
  }
  static bool only_looks(const Call& call) { return call.act == Act::read; }
};

template <Model M>
Decision search(const std::vector<Call>& calls, const Budget& budget,
                std::vector<std::uint32_t>* order) {
  ModelSpace<M> space;
  std::vector<SearchOp> ops;
  ops.reserve(calls.size());
  for (const Call& call : calls) {
    ops.push_back({call.invoked, call.completed, space.kind_of(call)});
  }
  return decide_by_search(ops, space, budget, order);
}

template <Model M>
Decision decide(const std::vector<Call>& calls, const Budget& budget,
                std::vector<std::uint32_t>* order) {
  return search<M>(calls, budget, order);
}

// The calls of one register as what they observe and set; those without are left out. Empty when
// one has not the values that it needs.
std::optional<std::vector<RegisterOp>> register_ops(const std::vector<Call>& calls,
                                                    std::size_t& value_count) {
  std::unordered_map<Value, ValueId, ValueHash> ids = {{Value(), nil_value}};
  const auto id_of = [&](const Value& value) {
    return ids.try_emplace(value, static_cast<ValueId>(ids.size())).first->second;
  };
  std::vector<RegisterOp> ops;
  for (std::uint32_t i = 0; i < calls.size(); ++i) {
    const Call& call = calls[i];
    const List* pair = call.argument.as_list();
    const bool has_pair = pair != nullptr && pair->size() == 2;
    RegisterOp op;
    op.invoked = call.invoked;
    op.completed = call.completed;
    op.source = i;
    if (call.act == Act::read) {
      if (!call.is_certain()) continue;
      op.observes = id_of(call.result);
    } else if (call.act == Act::write) {
      op.sets = id_of(call.argument);
    } else if (!has_pair) {
      return std::nullopt;
    } else if (call.act == Act::cas) {
      op.observes = id_of(pair->front());
      op.sets = id_of(pair->back());
    } else if (call.is_certain()) {
      op.denies = id_of(pair->front());
    } else {
      continue;
    }
    ops.push_back(op);
  }
  value_count = ids.size();
  return ops;
}

template <>
Decision decide<RegisterModel>(const std::vector<Call>& calls, const Budget& budget,
                               std::vector<std::uint32_t>* order) {
  std::size_t value_count = 0;
  auto ops = register_ops(calls, value_count);
  if (ops && order == nullptr) return decide_register(std::move(*ops), value_count, budget);
  if (ops) {
    if (auto found = order_by_zones(*ops, value_count)) {
      for (std::uint32_t& i : *found) i = (*ops)[i].source;
      if (is_right_order(*model_named("register"), calls, *found)) {
        *order = std::move(*found);
        return {Decision::Answer::valid, {}};
      }
    }
  }
  return search<RegisterModel>(calls, budget, order);
}

template <>
Decision decide<KeyValueModel>(const std::vector<Call>& calls, const Budget& budget,
                               std::vector<std::uint32_t>* order) {
  return decide_appends_by_search(calls, budget, order);
}

// Whether the calls, one after another, answer as the model does.
template <Model M>
bool replay(const std::vector<Call>& calls, const std::vector<std::uint32_t>& order) {
  typename M::State state = M::start();
  for (const std::uint32_t i : order) {
    auto next = M::step(state, calls[i]);
    if (!next) return false;
    state = *std::move(next);
  }
  return true;
}

template <Model M>
ModelKind kind(std::string_view name, std::string_view summary, bool is_per_key,
               std::vector<Act> acts, bool is_elementwise) {
  return {name,      summary,   is_per_key,    std::move(acts),
          decide<M>, replay<M>, M::only_looks, is_elementwise};
}

}  // namespace

std::uint64_t hash_of(const std::vector<Value>& state) {
  std::uint64_t hash = state.size();
  for (const Value& value : state) hash = (hash ^ value.hash()) * 0x9fb21c651e98df25U + 1;
  return hash;
}

std::size_t bytes_of(const Value& state) {
  if (const List* items = state.as_list()) return sizeof(Value) * (items->size() + 2);
  return state.as_string() != nullptr ? state.as_string()->size() + 48 : sizeof(Value);
}

// Of the rows of one state, those of another are shared.
std::size_t bytes_of(const std::vector<Value>& state) { return sizeof(Value) * (state.size() + 2); }

const std::vector<ModelKind>& model_kinds() {
  using enum Act;
  static const std::vector<ModelKind> kinds = {
      kind<RegisterModel>("register", "read, write, cas", true, {read, write, cas, mismatch},
                          false),
      kind<KeyValueModel>("kv", "get, put, append", true, {read, write, append}, false),
      kind<KeyValueModel>("list", "append, read of the whole", true, {read, append}, false),
      kind<MultiRegisterModel>("multi-register", "reads and writes of several registers at once",
                               false, {txn}, false),
      kind<MutexModel>("mutex", "acquire, release; fencing tokens grow", true, {acquire, release},
                       false),
      kind<OwnedMutexModel>("owned-mutex", "acquire, release by the holder", true,
                            {acquire, release}, false),
      kind<SetModel>("set", "add, remove, contains, members", true,
                     {add, remove, contains, members}, true),
      kind<CounterModel>("counter", "increment, read", true, {increment, read}, false),
      kind<ContainerModel<Discipline::first_in>>("queue", "enqueue, dequeue", true,
                                                 {enqueue, dequeue}, true),
      kind<ContainerModel<Discipline::last_in>>("stack", "push, pop", true, {push, pop}, true),
      kind<ContainerModel<Discipline::smallest>>("priority-queue", "insert, extract the smallest",
                                                 true, {insert, extract}, true),
      kind<RevisionedStoreModel>("revisioned-store",
                                 "reads and writes of all keys under one revision", false,
                                 {read, write}, false),
  };
  return kinds;
}

const ModelKind* model_named(std::string_view name) {
  const auto& kinds = model_kinds();
  const auto found = std::ranges::find(kinds, name, &ModelKind::name);
  return found == kinds.end() ? nullptr : &*found;
}

bool is_right_order(const ModelKind& model, const std::vector<Call>& calls,
                    const std::vector<std::uint32_t>& order) {
  std::vector<bool> placed(calls.size(), false);
  EventIndex latest = 0;  // invocation so far: nothing that comes next may have completed before
  for (const std::uint32_t i : order) {
    if (i >= calls.size() || placed[i] || calls[i].completed < latest) return false;
    placed[i] = true;
    latest = std::max(latest, calls[i].invoked);
  }
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (calls[i].is_certain() && !placed[i]) return false;
  }
  return model.replay(calls, order);
}

}  // namespace ordeal::checkers
