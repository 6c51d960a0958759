// The lock checker against a twin that looks at every moment of the history and counts holders.

#include "checkers/lock_checker.h"

#include <map>

#include <catch2/catch.hpp>

#include "tests/checkers/small_history.h"

namespace ordeal::checkers {
namespace {

constexpr Nanoseconds lasts = 12ms;

// A lock that is granted twice, and with an old token, with the given probability each.
SmallSystem lying_lock(double lies) {
  struct State {
    std::int64_t token = 0;
    std::optional<std::int64_t> held;
    std::map<Process, std::int64_t> holds;
  };
  auto state = std::make_shared<State>();
  SmallSystem system;
  system.ask = [state](Process process, Rng&) {
    const auto held = state->holds.find(process);
    if (held == state->holds.end()) return Request{Function::acquire, "x", {}};
    const Value token(held->second);
    state->holds.erase(held);
    return Request{Function::release, "x", token};
  };
  system.answer = [state, lies](Process process, const Request& request, Rng& rng) -> Completion {
    if (request.function == Function::release) {
      if (state->held == *request.argument.as_integer()) state->held.reset();
      return {Outcome::ok, {}, {}};
    }
    if (state->held && !rng.chance(lies)) return {Outcome::fail, {}, "lock-held"};
    const std::int64_t token = rng.chance(lies) ? state->token : ++state->token;
    state->held = token;
    if (rng.chance(0.1)) return {Outcome::info, {}, "timeout"};
    state->holds[process] = token;
    return {Outcome::ok, Value(token), {}};
  };
  return system;
}

// Every pair of grants, and every moment for which both holders can be sure.
bool twin_is_valid(const History& history) {
  struct Grant {
    const Operation* op;
    EventIndex until = never;
  };
  std::vector<Grant> grants;
  for (std::size_t i = 0; i < history.operations.size(); ++i) {
    const Operation& op = history.operations[i];
    if (op.function != Function::acquire || op.outcome != Outcome::ok) continue;
    Grant grant{&op};
    for (std::size_t k = i + 1; k < history.operations.size() && grant.until == never; ++k)
      if (history.operations[k].process == op.process) grant.until = history.operations[k].invoked;
    grants.push_back(grant);
  }
  for (const Grant& a : grants) {
    for (const Grant& b : grants) {
      if (a.op == b.op) continue;
      const bool in_order = a.op->completed < b.op->invoked;
      if (in_order && *a.op->result.as_integer() >= *b.op->result.as_integer()) return false;
      for (EventIndex moment = 0; moment < history.events; ++moment) {
        const Nanoseconds now = Nanoseconds(1ms) * moment;
        const auto sure = [&](const Grant& grant) {
          return grant.op->completed <= moment && moment < grant.until &&
                 now < grant.op->invoked_at + lasts;
        };
        if (sure(a) && sure(b)) return false;
      }
    }
  }
  return true;
}

}  // namespace

TEST_CASE("lock: random histories, the same verdict as the twin") {
  const std::uint64_t seed = GENERATE(as<std::uint64_t>(), 1, 2, 3);
  CAPTURE(seed);
  Rng rng(seed);
  std::size_t valid = 0, invalid = 0;
  for (int round = 0; round < 1500; ++round) {
    const History history =
        small_history(lying_lock(round % 3 == 0 ? 0 : 0.1), 6 + rng.below(10), 4, rng);
    CAPTURE(round);
    const CheckReport report = check_lock(history, {}, {lasts});
    const bool expected = twin_is_valid(history);
    REQUIRE((report.answer == CheckReport::Answer::valid) == expected);
    ++(expected ? valid : invalid);
  }
  CHECK(valid > 300);
  CHECK(invalid > 200);
}

TEST_CASE("lock: whoever has the token may release") {
  const Process releaser = GENERATE(0, 7);
  const Value token = GENERATE(Value(5), Value(6), Value());
  CAPTURE(releaser, to_text(token));
  HistoryBuilder builder;
  EventIndex index = 0;
  const auto pair = [&](Process process, Function function, Value argument, Value result) {
    for (const EventType type : {EventType::invoke, EventType::ok}) {
      Event event;
      event.index = index++;
      event.time = Nanoseconds(1ms) * index;
      event.process = process;
      event.type = type;
      event.function = function;
      event.key = "x";
      event.value = type == EventType::invoke ? argument : result;
      REQUIRE(builder.add(event));
    }
  };
  pair(0, Function::acquire, {}, 5);
  pair(releaser, Function::release, token, {});
  pair(1, Function::acquire, {}, 6);
  const bool released = releaser == 0 || token == Value(5);
  const CheckReport report = check_lock(std::move(builder).finish(), {}, {lasts});
  CHECK((report.answer == CheckReport::Answer::valid) == released);
}

TEST_CASE("lock: a right lock, however its leases expire, is right") {
  Rng rng(7);
  for (int round = 0; round < 300; ++round) {
    const History history = small_history(lying_lock(0), 12, 4, rng);
    REQUIRE(check_lock(history, {}, {lasts}).answer == CheckReport::Answer::valid);
  }
}

}  // namespace ordeal::checkers
