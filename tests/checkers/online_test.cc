// What is said while the run goes on, against what is said of the whole afterwards.

#include "checkers/online.h"

#include <catch2/catch.hpp>

#include "checkers/shrink.h"
#include "checkers/zones.h"
#include "tests/checkers/brute_force.h"
#include "tests/checkers/script.h"

namespace ordeal::checkers::test {

namespace {

std::vector<Event> events_of(const History& history) {
  std::vector<Event> events;
  for (const Operation& op : history.operations) {
    Event event;
    event.index = op.invoked;
    event.process = op.process;
    event.function = op.function;
    event.key = op.key;
    event.value = op.argument;
    events.push_back(event);
    if (op.completed == never) continue;
    event.index = op.completed;
    event.type = op.outcome == Outcome::ok     ? EventType::ok
                 : op.outcome == Outcome::fail ? EventType::fail
                                               : EventType::info;
    event.value = op.result;
    events.push_back(event);
  }
  std::ranges::sort(events, {}, &Event::index);
  return events;
}

struct Said {
  std::optional<EventIndex> bad_at;
  std::size_t given_up = 0;
  std::size_t most_held = 0;
};

Said say(const History& history) {
  OnlineCheck check;
  Said said;
  for (const Event& event : events_of(history)) {
    const auto bad = check.add(event);
    if (bad && !said.bad_at) said.bad_at = event.index;
    if (event.index % 64 == 0) said.most_held = std::max(said.most_held, check.held());
  }
  said.given_up = check.keys_given_up();
  return said;
}

// The completion with which zones become impossible.
std::optional<EventIndex> first_bad(const std::vector<RegisterOp>& ops) {
  std::vector<EventIndex> ends;
  for (const RegisterOp& op : ops) {
    if (op.is_certain()) ends.push_back(op.completed);
  }
  std::ranges::sort(ends);
  const auto bad = std::ranges::partition_point(
      ends, [&](EventIndex end) { return decide_by_zones(prefix_of(ops, end)) != false; });
  return bad == ends.end() ? std::nullopt : std::optional(*bad);
}

bool has_failed_setter(const History& history) {
  return std::ranges::any_of(history.operations, [](const Operation& op) {
    return op.outcome == Outcome::fail && op.function != Function::read;
  });
}

struct Tally {
  std::size_t bad = 0;
  std::size_t exact = 0;
  std::size_t given_up = 0;
};

// The first thing that is wrong, empty when nothing is.
std::string compare(const History& history, Tally& tally) {
  if (history.operations.empty()) return "";
  const Said said = say(history);
  if (said.given_up > 0) {
    ++tally.given_up;
    return "";
  }
  const Register reg = read_register(history, split_by_key(history).front());
  const auto whole = decide_by_zones(reg.ops);
  if (whole && *whole == said.bad_at.has_value()) return "another verdict than zones";
  if (!whole && said.bad_at) {
    return is_linearizable_by_force(reg.ops) ? "a false alarm" : "";
  }
  if (!said.bad_at) return "";
  ++tally.bad;
  const auto expected = first_bad(reg.ops);
  if (has_failed_setter(history)) return said.bad_at < expected ? "earlier than zones" : "";
  ++tally.exact;
  return said.bad_at == expected ? "" : "at another event than zones";
}

}  // namespace

TEST_CASE("online: the verdict of zones, at the event that breaks it") {
  for (const bool are_long : {false, true}) {
    Tally tally;
    const std::uint64_t histories = histories_to_try(are_long ? 20'000 : 100'000);
    for (std::uint64_t seed = 1; seed <= histories; ++seed) {
      Rng rng(seed);
      Shape shape = random_shape(rng);
      shape.keys = 1;
      if (rng.chance(0.9)) shape.values = 0;
      if (are_long) {
        shape.operations = 20 + rng.below(150);
        shape.processes = 1 + rng.below(9);
        shape.lie = rng.chance(0.3) ? 0 : 0.01;
        shape.unknown = rng.chance(0.5) ? 0 : 0.05;
      }
      History history = random_history(shape, rng);
      // Half of them without what failed: there the event must be the same.
      if (seed % 2 == 0) {
        std::erase_if(history.operations,
                      [](const Operation& op) { return op.outcome == Outcome::fail; });
      }
      const std::string complaint = compare(history, tally);
      if (!complaint.empty()) {
        FAIL("seed " << seed << ": " << complaint << "\n" << to_text(history));
      }
    }
    CHECK(tally.bad > histories / 10);
    CHECK(tally.exact > histories / 20);
    CHECK(tally.given_up < histories / 2);
  }
}

TEST_CASE("online: a long history is not remembered") {
  Shape shape;
  shape.operations = 50'000;
  shape.processes = 8;
  shape.values = 0;
  shape.unknown = 0;
  shape.lie = 0;
  Rng rng(1);
  const Said said = say(random_history(shape, rng));
  CHECK_FALSE(said.bad_at);
  CHECK(said.given_up == 0);
  CHECK(said.most_held < 200);
}

TEST_CASE("online: keys apart, each once") {
  const History history =
      history_of("0:w1@a 0:ok 0:w2@b 0:ok 1:r@a 1:oknil 1:r@a 1:oknil 1:r@b 1:ok2 1:r@b 1:ok7");
  OnlineCheck check;
  std::vector<std::pair<EventIndex, Value>> bad;
  for (const Event& event : events_of(history)) {
    if (const auto key = check.add(event)) bad.emplace_back(event.index, *key);
  }
  CHECK(bad == std::vector<std::pair<EventIndex, Value>>{{5, Value("a")}, {11, Value("b")}});
}

}  // namespace ordeal::checkers::test
