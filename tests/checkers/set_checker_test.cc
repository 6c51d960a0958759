// The set checker against all orders, tried one after the other, and each of its words once.

#include "checkers/set_checker.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "checkers/orders.h"
#include "checkers/witness.h"
#include "tests/checkers/small_history.h"

namespace ordeal::checkers {
namespace {

std::optional<Value> step(const Value& state, const WitnessOperation& op) {
  Value::List members = *state.as_list();
  if (op.request.function == Function::add) {
    members.push_back(op.request.argument);
    return Value(std::move(members));
  }
  if (op.outcome != Outcome::ok) return state;
  const Value::List& seen = *op.result.as_list();
  const bool same = seen.size() == members.size() &&
                    std::is_permutation(seen.begin(), seen.end(), members.begin());
  return same ? std::optional<Value>(state) : std::nullopt;
}

bool is_possible(const History& history) {
  std::vector<WitnessOperation> all;
  for (const Operation& op : history.operations) all.push_back(witness_of(history, op));
  return some_order_fits(all, Value(Value::List{}), step).value();
}

// A right set that lies with the given probability.
SmallSystem lying_set(double lies) {
  auto members = std::make_shared<Value::List>();
  auto added = std::make_shared<std::int64_t>(0);
  SmallSystem system;
  system.ask = [added](Process, Rng& rng) {
    if (rng.chance(0.5)) return Request{Function::members, "x", {}};
    return Request{Function::add, "x", Value(++*added)};
  };
  system.answer = [members, lies](Process, const Request& request, Rng& rng) -> Completion {
    const bool lie = rng.chance(lies);
    if (request.function == Function::add) {
      if (!lie) members->push_back(request.argument);
      return {rng.chance(0.2) ? Outcome::info : Outcome::ok, {}, {}};
    }
    Value::List seen = *members;
    if (lie && !seen.empty()) seen.erase(seen.begin() + static_cast<long>(rng.below(seen.size())));
    return {rng.chance(0.1) ? Outcome::info : Outcome::ok, Value(std::move(seen)), {}};
  };
  return system;
}

// add(e) by process p: events in order, "+1" invokes the add of 1, "1" completes it.
class Script {
 public:
  Script& invoke(Process p, Function f, Value v = {}) { return event(p, EventType::invoke, f, v); }
  Script& ok(Process p, Function f, Value v = {}) { return event(p, EventType::ok, f, v); }
  Script& did(Process p, Function f, Value argument, Value result) {
    return invoke(p, f, std::move(argument)).ok(p, f, std::move(result));
  }
  CheckReport check() { return check_set(std::move(builder_).finish(), {}); }

 private:
  Script& event(Process p, EventType type, Function f, Value v) {
    Event event;
    event.index = index_++;
    event.process = p;
    event.type = type;
    event.function = f;
    event.key = "x";
    event.value = std::move(v);
    REQUIRE(builder_.add(event));
    return *this;
  }
  HistoryBuilder builder_;
  EventIndex index_ = 0;
};

constexpr Function add = Function::add, members = Function::members;

}  // namespace

TEST_CASE("set: random histories, the same verdict as all orders") {
  const std::uint64_t seed = GENERATE(as<std::uint64_t>(), 1, 2, 3);
  CAPTURE(seed);
  Rng rng(seed);
  std::size_t valid = 0, invalid = 0;
  for (int round = 0; round < 1500; ++round) {
    const History history =
        small_history(lying_set(round % 3 == 0 ? 0 : 0.15), 4 + rng.below(4), 3, rng);
    const CheckReport report = check_set(history, {});
    CAPTURE(round);
    const bool possible = is_possible(history);
    REQUIRE((report.answer == CheckReport::Answer::valid) == possible);
    ++(possible ? valid : invalid);
    for (const Finding& finding : report.findings) {
      CHECK(finding.certainty == Certainty::proven);
      CHECK(finding.witness.size() <= 4);
    }
  }
  CHECK(valid > 300);
  CHECK(invalid > 100);
}

TEST_CASE("set: each kind of harm has its name") {
  const Value one(Value::List{1}), none(Value::List{}), both(Value::List{1, 2});
  SECTION("lost") {
    const auto report = Script().did(0, add, 1, {}).did(1, members, {}, none).check();
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].kind == FindingKind::lost_element);
    CHECK(report.findings[0].witness.size() == 2);
  }
  SECTION("stale") {
    const auto report =
        Script().did(0, add, 1, {}).did(1, members, {}, none).did(1, members, {}, one).check();
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].kind == FindingKind::stale_read);
  }
  SECTION("out of nothing") {
    const auto report = Script().did(1, members, {}, one).did(0, add, 1, {}).check();
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].kind == FindingKind::phantom_read);
  }
  SECTION("twice") {
    const auto report =
        Script().did(0, add, 1, {}).did(1, members, {}, Value(Value::List{1, 1})).check();
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].kind == FindingKind::duplicate);
  }
  SECTION("opposite orders") {
    Script script;
    script.invoke(0, add, 1).invoke(1, add, 2).invoke(2, members).invoke(3, members);
    script.ok(2, members, one).ok(3, members, Value(Value::List{2}));
    script.ok(0, add).ok(1, add).did(2, members, {}, both);
    const auto report = script.check();
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].witness.size() == 4);
  }
  SECTION("asked for twice: undecided") {
    const auto report = Script().did(0, add, 1, {}).did(0, add, 1, {}).check();
    CHECK(report.answer == CheckReport::Answer::unknown);
  }
}

}  // namespace ordeal::checkers
