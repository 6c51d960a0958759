// The bank checker: each rule once, and random histories against a twin that tries every order of
// the operations: where one explains all answers, the checker is silent.

#include "checkers/bank_checker.h"

#include <map>

#include <catch2/catch.hpp>

#include "tests/checkers/small_history.h"

namespace ordeal::checkers {
namespace {

using Accounts = std::map<std::int64_t, std::int64_t>;

Value list_of(const Accounts& accounts) {
  Value::List list;
  for (const auto& [account, balance] : accounts) list.push_back(Value::list({account, balance}));
  return Value(std::move(list));
}

// Whether it happens; what is not covered does not.
bool move(Accounts& accounts, const Value& argument) {
  const Value::List& parts = *argument.as_list();
  const std::int64_t amount = *parts[2].as_integer();
  if (!parts[0].is_nil()) {
    const auto from = accounts.find(*parts[0].as_integer());
    if (from == accounts.end() || from->second < amount) return false;
    from->second -= amount;
  }
  accounts[*parts[1].as_integer()] += amount;
  return true;
}

enum class Lie { none, overdraft, loses, doubles, stale };

// A bank that lies in one way, now and then; asked for deposits at first.
SmallSystem bank(Lie lie) {
  struct State {
    Accounts accounts, before;
    int deposits = 0;
  };
  auto state = std::make_shared<State>();
  SmallSystem system;
  system.ask = [state](Process, Rng& rng) -> Request {
    if (state->deposits < 2)
      return {Function::transfer, "b", Value::list({Value(), state->deposits++, 10})};
    if (rng.chance(0.45)) return {Function::balances, "b", {}};
    const auto from = static_cast<std::int64_t>(rng.below(2));
    return {Function::transfer, "b",
            Value::list({from, 1 - from, 4 + static_cast<std::int64_t>(rng.below(6))})};
  };
  system.answer = [state, lie](Process, const Request& request, Rng& rng) -> Completion {
    const bool lies = rng.chance(0.3);
    if (request.function == Function::balances)
      return {
          Outcome::ok, list_of(lie == Lie::stale && lies ? state->before : state->accounts), {}};
    const Accounts before = state->accounts;
    if (!move(state->accounts, request.argument)) {
      if (lie != Lie::overdraft || !lies) return {Outcome::fail, {}, "insufficient"};
      const Value::List& parts = *request.argument.as_list();
      state->accounts[*parts[0].as_integer()] -= *parts[2].as_integer();
      state->accounts[*parts[1].as_integer()] += *parts[2].as_integer();
    } else if (lies && lie == Lie::doubles) {
      (void)move(state->accounts, request.argument);
    } else if (lies && lie == Lie::loses) {
      state->accounts = before;
    }
    state->before = before;
    if (rng.chance(0.15)) return {Outcome::info, {}, "timeout"};
    return {Outcome::ok, {}, {}};
  };
  return system;
}

// Whether some order explains it: every operation whose predecessors are done may be next.
bool is_explained(const std::vector<Operation>& ops, std::vector<bool>& done, Accounts accounts) {
  EventIndex first_end = never;
  bool finished = true;
  for (std::size_t i = 0; i < ops.size(); ++i) {
    if (done[i] || ops[i].outcome == Outcome::info) continue;
    finished = false;
    first_end = std::min(first_end, ops[i].completed);
  }
  if (finished) return true;
  for (std::size_t i = 0; i < ops.size(); ++i) {
    if (done[i] || ops[i].invoked > first_end) continue;
    Accounts next = accounts;
    if (ops[i].function == Function::balances ? !(ops[i].result == list_of(accounts))
                                              : !move(next, ops[i].argument))
      continue;
    done[i] = true;
    if (is_explained(ops, done, next)) return true;
    done[i] = false;
  }
  return false;
}

bool twin_explains(const History& history) {
  std::vector<Operation> ops;
  for (const Operation& op : history.operations)
    if (op.outcome != Outcome::fail &&
        (op.function == Function::transfer || op.outcome == Outcome::ok))
      ops.push_back(op);
  std::vector<bool> done(ops.size(), false);
  return is_explained(ops, done, {});
}

// One client; what it asks and is answered.
CheckReport told(const std::vector<std::pair<Value, std::optional<Accounts>>>& story) {
  HistoryBuilder builder;
  EventIndex index = 0;
  for (const auto& [argument, answer] : story) {
    for (const EventType type : {EventType::invoke, EventType::ok}) {
      Event event;
      event.index = index++;
      event.type = type;
      event.function = answer ? Function::balances : Function::transfer;
      event.key = "b";
      if (type == EventType::invoke) event.value = argument;
      if (type == EventType::ok && answer) event.value = list_of(*answer);
      REQUIRE(builder.add(event));
    }
  }
  return check_bank(std::move(builder).finish(), {});
}

Value in(std::int64_t to, std::int64_t amount) { return Value::list({Value(), to, amount}); }
Value from(std::int64_t a, std::int64_t b, std::int64_t amount) {
  return Value::list({a, b, amount});
}

}  // namespace

TEST_CASE("bank: each rule") {
  const auto finds = [](const CheckReport& report, std::string_view words) {
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].kind == FindingKind::money);
    CHECK(report.findings[0].witness.size() <= 4);
    CHECK(report.findings[0].headline.find(words) != std::string::npos);
  };
  const auto read = [](Accounts accounts) { return std::pair(Value(), std::optional(accounts)); };
  const auto move = [](Value argument) {
    return std::pair(std::move(argument), std::optional<Accounts>());
  };
  CHECK(told({move(in(0, 10)), read({{0, 10}}), move(from(0, 1, 4)), read({{0, 6}, {1, 4}})})
            .findings.empty());
  finds(told({move(in(0, 10)), move(from(0, 1, 14)), read({{0, -4}, {1, 14}})}),
        "account 0 was at -4");
  finds(told({move(in(0, 10)), read({{0, 10}}), move(from(0, 1, 4)), read({{0, 10}})}),
        "account 0 was at 10, above the 6");
  finds(told({move(in(0, 10)), read({})}), "account 0 was at 0, below the 10");
  finds(told({read({{3, 1}})}), "account 3 was at 1, above the 0");
}

TEST_CASE("bank: a sum that no deposits explain, though each account may be right") {
  // Both transfers are of unknown outcome: a may have lost 4 and b may have won 4, but not apart.
  HistoryBuilder builder;
  EventIndex index = 0;
  const auto add = [&](Process process, EventType type, Function function, Value value) {
    Event event;
    event.index = index++;
    event.process = process;
    event.type = type;
    event.function = function;
    event.key = "b";
    event.value = std::move(value);
    REQUIRE(builder.add(event));
  };
  add(0, EventType::invoke, Function::transfer, in(0, 10));
  add(0, EventType::ok, Function::transfer, {});
  add(0, EventType::invoke, Function::transfer, from(0, 1, 4));
  add(0, EventType::info, Function::transfer, {});
  add(1, EventType::invoke, Function::balances, {});
  add(1, EventType::ok, Function::balances, list_of({{0, 6}}));
  const CheckReport report = check_bank(std::move(builder).finish(), {});
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].headline.find("held 6 where 10 was") != std::string::npos);
}

TEST_CASE("bank: an answer that is none is undecided") {
  HistoryBuilder builder;
  for (const EventType type : {EventType::invoke, EventType::ok}) {
    Event event;
    event.index = type == EventType::invoke ? 0 : 1;
    event.type = type;
    event.function = Function::balances;
    event.key = "b";
    if (type == EventType::ok) event.value = Value::list({Value::list({0, "ten"})});
    REQUIRE(builder.add(event));
  }
  const CheckReport report = check_bank(std::move(builder).finish(), {});
  CHECK(report.answer == CheckReport::Answer::unknown);
}

TEST_CASE("bank: random histories, silent wherever the twin finds an order") {
  const std::uint64_t seed = GENERATE(as<std::uint64_t>(), 1, 2);
  const Lie lie = GENERATE(Lie::none, Lie::overdraft, Lie::loses, Lie::doubles, Lie::stale);
  CAPTURE(seed, static_cast<int>(lie));
  Rng rng(seed);
  require_silence([lie] { return bank(lie); }, lie != Lie::none,
                  [](const History& history) { return check_bank(history, {}); }, twin_explains,
                  rng);
}

}  // namespace ordeal::checkers
