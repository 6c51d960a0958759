// The watch checker: each rule once, and random histories against a twin that tries every order of
// the operations: where one explains all answers, the checker is silent.

#include "checkers/watch_checker.h"

#include <catch2/catch.hpp>

#include "tests/checkers/small_history.h"

namespace ordeal::checkers {
namespace {

using Events = std::vector<std::pair<std::int64_t, std::int64_t>>;

Value list_of(const Events& events) {
  Value::List list;
  for (const auto& [revision, value] : events) list.push_back(Value::list({revision, value}));
  return Value(std::move(list));
}

enum class Lie { none, skips, repeats, swaps, stale, loses };

SmallSystem watched(Lie lie) {
  struct State {
    Events events;
    std::int64_t revision = 0, written = 0;
    std::map<Process, std::int64_t> seen;
  };
  auto state = std::make_shared<State>();
  SmallSystem system;
  system.ask = [state](Process process, Rng& rng) -> Request {
    if (rng.chance(0.5)) return {Function::write, "w", Value(++state->written)};
    const std::int64_t seen = state->seen[process % 3];
    return {Function::watch, "w", seen == 0 ? Value() : Value(seen)};
  };
  system.answer = [state, lie](Process process, const Request& request, Rng& rng) -> Completion {
    const bool lies = rng.chance(0.3);
    if (request.function == Function::write) {
      state->revision += 1 + static_cast<std::int64_t>(rng.below(2));
      if (!lies || lie != Lie::loses)
        state->events.emplace_back(state->revision, *request.argument.as_integer());
      if (rng.chance(0.15)) return {Outcome::info, {}, "timeout"};
      return {Outcome::ok, {}, {}};
    }
    const std::int64_t* after = request.argument.as_integer();
    Events events;
    for (const auto& event : state->events)
      if (event.first > (after == nullptr ? 0 : *after)) events.push_back(event);
    if (lies && lie == Lie::skips && events.size() > 1) events.erase(events.begin());
    if (lies && lie == Lie::repeats && !events.empty()) events.push_back(events.back());
    if (lies && lie == Lie::swaps && events.size() > 1) std::swap(events.front(), events.back());
    if (lies && lie == Lie::stale && !events.empty()) events.pop_back();
    if (!events.empty()) state->seen[process % 3] = events.back().first;
    return {Outcome::ok, list_of(events), {}};
  };
  return system;
}

// All that a state is to the twin: events so far, and the least that the last revision can be.
struct State {
  Events events;  // shown to somebody
  Events hidden;  // {least revision, value}: written, and shown to nobody
  std::int64_t last = 0;
};

struct Twin {
  std::vector<Operation> ops;
  std::map<std::int64_t, std::int64_t> revision;  // of values that were shown
  std::vector<bool> done;

  // Whether the operation may be next, and the state after it.
  bool step(const Operation& op, State& state) const {
    if (op.function == Function::write) {
      const std::int64_t value = *op.argument.as_integer();
      const auto known = revision.find(value);
      if (known == revision.end()) {
        state.hidden.emplace_back(++state.last, value);
        return true;
      }
      if (known->second <= state.last) return false;
      state.last = known->second;
      state.events.emplace_back(known->second, value);
      return true;
    }
    const std::int64_t* after = op.argument.as_integer();
    Events expected;
    for (const auto& event : state.events)
      if (event.first > (after == nullptr ? 0 : *after)) expected.push_back(event);
    for (const auto& [least, value] : state.hidden)
      if (least > (after == nullptr ? 0 : *after)) return false;
    return op.result == list_of(expected);
  }

  bool search(const State& state) {
    EventIndex first_end = never;
    for (std::size_t i = 0; i < ops.size(); ++i)
      if (!done[i] && ops[i].outcome == Outcome::ok)
        first_end = std::min(first_end, ops[i].completed);
    if (first_end == never) return true;
    for (std::size_t i = 0; i < ops.size(); ++i) {
      if (done[i] || ops[i].invoked > first_end) continue;
      State next = state;
      if (!step(ops[i], next)) continue;
      done[i] = true;
      if (search(next)) return true;
      done[i] = false;
    }
    return false;
  }
};

bool twin_explains(const History& history) {
  Twin twin;
  for (const Operation& op : history.operations) {
    if (op.outcome == Outcome::ok || op.function == Function::write) twin.ops.push_back(op);
    if (op.function != Function::watch || op.outcome != Outcome::ok) continue;
    for (const Value& event : *op.result.as_list()) {
      const auto& pair = *event.as_list();
      const auto [known, is_new] =
          twin.revision.try_emplace(*pair[1].as_integer(), *pair[0].as_integer());
      if (known->second != *pair[0].as_integer()) return false;
    }
  }
  twin.done.assign(twin.ops.size(), false);
  return twin.search({});
}

// Clients one after the other: writes, and watches with their answers.
class WatchStory {
 public:
  WatchStory& write(std::int64_t value) { return pair(Function::write, Value(value), {}); }
  WatchStory& watch(const Value& after, const Events& shown) {
    return pair(Function::watch, after, list_of(shown));
  }
  std::optional<FindingKind> finds() {
    const CheckReport report = check_watch(std::move(builder_).finish(), {});
    if (report.findings.empty()) return std::nullopt;
    CHECK(report.findings[0].witness.size() <= 4);
    return report.findings[0].kind;
  }

 private:
  WatchStory& pair(Function function, const Value& argument, const Value& result) {
    for (const EventType type : {EventType::invoke, EventType::ok}) {
      Event event;
      event.index = index_++;
      event.type = type;
      event.function = function;
      event.key = "w";
      event.value = type == EventType::invoke ? argument : result;
      REQUIRE(builder_.add(event));
    }
    return *this;
  }
  HistoryBuilder builder_;
  EventIndex index_ = 0;
};

}  // namespace

TEST_CASE("watch: each rule") {
  const Events both = {{3, 1}, {5, 2}};
  const auto story = [] { return std::move(WatchStory().write(1).write(2)); };
  CHECK(story().watch({}, both).watch(3, {{5, 2}}).watch(5, {}).finds() == std::nullopt);
  // Skipped, by one that goes on from 3.
  CHECK(story().write(3).watch({}, {{3, 1}, {5, 2}, {6, 3}}).watch(3, {{6, 3}}).finds() ==
        FindingKind::lost_element);
  // Nobody is shown what was acknowledged.
  CHECK(story().watch({}, {{5, 2}}).finds() == FindingKind::lost_element);
  // Others were, and this one comes after the write was acknowledged.
  CHECK(story().watch({}, both).watch(3, {}).finds() == FindingKind::stale_read);
  CHECK(story().watch({}, both).watch(3, both).finds() == FindingKind::duplicate);
  CHECK(story().watch({}, {{3, 1}, {3, 1}}).finds() == FindingKind::duplicate);
  CHECK(story().watch({}, {{3, 1}, {4, 1}, {5, 2}}).finds() == FindingKind::duplicate);
  CHECK(story().watch({}, {{5, 2}, {3, 1}}).finds() == FindingKind::out_of_order);
  CHECK(story().watch({}, {{3, 2}, {5, 1}}).finds() == FindingKind::out_of_order);
  CHECK(story().watch({}, both).watch({}, {{3, 2}, {5, 1}}).finds() == FindingKind::out_of_order);
  CHECK(story().watch({}, {{3, 1}, {5, 7}}).finds() == FindingKind::phantom_read);
  CHECK(WatchStory().watch({}, {{3, 1}}).write(1).finds() == FindingKind::phantom_read);
}

TEST_CASE("watch: random histories, silent wherever the twin finds an order") {
  const std::uint64_t seed = GENERATE(as<std::uint64_t>(), 1, 2);
  const Lie lie = GENERATE(Lie::none, Lie::skips, Lie::repeats, Lie::swaps, Lie::stale, Lie::loses);
  CAPTURE(seed, static_cast<int>(lie));
  Rng rng(seed);
  require_silence([lie] { return watched(lie); }, lie != Lie::none,
                  [](const History& history) { return check_watch(history, {}); }, twin_explains,
                  rng);
}

}  // namespace ordeal::checkers
