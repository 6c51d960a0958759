// The pipeline checker: never alarmed by what some order explains, and each of its words once.

#include "checkers/pipeline_checker.h"

#include <catch2/catch.hpp>

#include "checkers/orders.h"
#include "checkers/witness.h"
#include "tests/checkers/small_history.h"

namespace ordeal::checkers {
namespace {

// The state of a partition: [acknowledged, [events...]].
std::optional<Value> step(const Value& state, const WitnessOperation& op) {
  const std::int64_t acked = *state.as_list()->at(0).as_integer();
  Value::List events = *state.as_list()->at(1).as_list();
  if (op.request.function == Function::send) {
    events.push_back(op.request.argument);
    return Value::list({Value(acked), Value(std::move(events))});
  }
  if (op.request.function == Function::ack) {
    const std::int64_t to = std::max(acked, *op.request.argument.as_integer());
    return Value::list({Value(to), Value(std::move(events))});
  }
  if (op.outcome != Outcome::ok) return state;
  Value::List expected;
  for (std::size_t i = static_cast<std::size_t>(acked); i < events.size(); ++i)
    expected.push_back(Value::list({Value(static_cast<std::int64_t>(i + 1)), events[i]}));
  return Value(std::move(expected)) == op.result ? std::optional<Value>(state) : std::nullopt;
}

// A right pipeline that loses, swaps or forgets with the given probability.
SmallSystem lying_pipeline(double lies) {
  struct State {
    std::int64_t sent = 0;
    Value::List events;
    std::int64_t acked = 0;
    std::int64_t given = 0;
  };
  auto state = std::make_shared<State>();
  SmallSystem system;
  system.ask = [state](Process, Rng& rng) {
    if (state->given > 0 && rng.chance(0.3))
      return Request{Function::ack, "p", Value(state->given)};
    if (rng.chance(0.5)) return Request{Function::send, "p", Value(++state->sent)};
    return Request{Function::poll, "p", {}};
  };
  system.answer = [state, lies](Process, const Request& request, Rng& rng) -> Completion {
    const bool lie = rng.chance(lies);
    if (request.function == Function::send) {
      if (!lie) state->events.push_back(request.argument);
      return {rng.chance(0.1) ? Outcome::info : Outcome::ok, {}, {}};
    }
    if (request.function == Function::ack) {
      if (!lie) state->acked = std::max(state->acked, *request.argument.as_integer());
      return {Outcome::ok, {}, {}};
    }
    if (lie && state->events.size() > 1) std::swap(state->events.front(), state->events.back());
    Value::List found;
    for (std::size_t i = static_cast<std::size_t>(state->acked); i < state->events.size(); ++i)
      found.push_back(Value::list({Value(static_cast<std::int64_t>(i + 1)), state->events[i]}));
    if (rng.chance(0.1)) return {Outcome::info, {}, {}};
    if (!found.empty()) state->given = static_cast<std::int64_t>(state->events.size());
    return {Outcome::ok, Value(std::move(found)), {}};
  };
  return system;
}

bool is_possible(const History& history) {
  std::vector<WitnessOperation> all;
  for (const Operation& op : history.operations) all.push_back(witness_of(history, op));
  return some_order_fits(all, Value::list({Value(0), Value(Value::List{})}), step).value();
}

}  // namespace

TEST_CASE("pipeline: no alarm that some order explains, and most lies are seen") {
  const std::uint64_t seed = GENERATE(as<std::uint64_t>(), 1, 2, 3);
  CAPTURE(seed);
  Rng rng(seed);
  std::size_t alarms = 0, impossible = 0, possible_all = 0;
  for (int round = 0; round < 1500; ++round) {
    const History history =
        small_history(lying_pipeline(round % 3 == 0 ? 0 : 0.2), 5 + rng.below(4), 3, rng);
    CAPTURE(round);
    const bool alarm = check_pipeline(history, {}).answer == CheckReport::Answer::invalid;
    const bool possible = is_possible(history);
    if (possible) REQUIRE_FALSE(alarm);
    alarms += alarm ? 1U : 0U;
    impossible += possible ? 0U : 1U;
    possible_all += possible ? 1U : 0U;
  }
  CHECK(possible_all > 300);
  CHECK(alarms > 100);
  // It need not see what no consumer could be harmed by.
  CHECK(alarms * 10 > impossible * 6);
}

}  // namespace ordeal::checkers
