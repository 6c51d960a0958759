// The steps checker: each rule once, for sagas and for TCC, and right ledgers raise no alarm.

#include "checkers/steps_checker.h"

#include <catch2/catch.hpp>

#include "core/random.h"

namespace ordeal::checkers {
namespace {

using Deeds = std::vector<std::pair<std::string, std::string>>;

// One transaction and reads of its ledger, one after the other.
class Story {
 public:
  explicit Story(Function function) : function_(function) {}

  Story& asked(const std::vector<std::string>& steps, EventType how, const char* result = nullptr) {
    Value::List list(steps.begin(), steps.end());
    return pair(function_, Value(std::move(list)), how,
                result == nullptr ? Value() : Value(result));
  }
  Story& read(const Deeds& deeds) {
    Value::List list;
    for (const auto& [place, deed] : deeds)
      list.push_back(Value::list({1, Value(place), Value(deed)}));
    return pair(Function::ledger, {}, EventType::ok, Value(std::move(list)));
  }
  Story& later(Nanoseconds by) {
    now_ += by;
    return *this;
  }
  CheckReport check() {
    StepsOptions options;
    options.function = function_;
    return check_steps(std::move(builder_).finish(), {}, options);
  }

 private:
  Story& pair(Function f, Value argument, EventType how, Value result) {
    for (const EventType type : {EventType::invoke, how}) {
      Event event;
      event.index = index_++;
      event.time = now_ += 1ms;
      event.process = process_;
      event.type = type;
      event.function = f;
      event.key = 1;
      event.value = type == EventType::invoke ? argument : result;
      REQUIRE(builder_.add(event));
    }
    if (how == EventType::info) ++process_;
    return *this;
  }
  Function function_;
  HistoryBuilder builder_;
  EventIndex index_ = 0;
  Process process_ = 0;
  Nanoseconds now_{};
};

const std::vector<std::string> ab = {"a", "b"};

std::optional<FindingKind> kind_of(Story& story) {
  const CheckReport report = story.check();
  if (report.findings.empty()) return std::nullopt;
  CHECK(report.findings[0].witness.size() <= 3);
  return report.findings[0].kind;
}

std::optional<FindingKind> saga(const Deeds& deeds, const char* answer = nullptr) {
  Story story(Function::saga);
  story.asked(ab, answer == nullptr ? EventType::info : EventType::ok, answer).read(deeds);
  return kind_of(story);
}

std::optional<FindingKind> tcc(const Deeds& deeds, const char* answer = nullptr) {
  Story story(Function::tcc);
  story.asked(ab, answer == nullptr ? EventType::info : EventType::ok, answer).read(deeds);
  return kind_of(story);
}

}  // namespace

TEST_CASE("steps: right ledgers") {
  CHECK_FALSE(saga({}));
  CHECK_FALSE(saga({{"a", "do"}}));
  CHECK_FALSE(saga({{"a", "do"}, {"b", "do"}, {"-", "committed"}}, "committed"));
  CHECK_FALSE(saga({{"a", "do"}, {"b", "do"}, {"b", "undo"}, {"a", "undo"}, {"-", "compensated"}}));
  CHECK_FALSE(saga({{"a", "do"}, {"a", "undo"}, {"-", "compensated"}}, "compensated"));
  CHECK_FALSE(tcc({{"a", "try"}, {"b", "try"}, {"b", "confirm"}}));
  CHECK_FALSE(tcc({{"a", "try"}, {"a", "cancel"}, {"-", "cancelled"}}, "cancelled"));
}

TEST_CASE("steps: each broken rule of sagas has its name") {
  CHECK(saga({{"a", "do"}, {"a", "do"}}) == FindingKind::duplicate);
  CHECK(saga({{"a", "do"}, {"a", "undo"}, {"a", "undo"}}) == FindingKind::duplicate);
  CHECK(saga({{"a", "undo"}}) == FindingKind::out_of_order);
  CHECK(saga({{"a", "do"}, {"b", "do"}, {"a", "undo"}}) == FindingKind::out_of_order);
  CHECK(saga({{"a", "do"}, {"-", "committed"}}) == FindingKind::half_done);
  CHECK(saga({{"a", "do"}, {"-", "compensated"}}) == FindingKind::half_done);
  CHECK(saga({{"a", "do"}}, "committed") == FindingKind::half_done);
  CHECK(saga({{"a", "do"}, {"b", "do"}, {"-", "committed"}}, "compensated") ==
        FindingKind::both_ways);
  CHECK(saga({{"-", "compensated"}, {"-", "compensated"}}) == FindingKind::duplicate);
}

TEST_CASE("steps: each broken rule of TCC has its name") {
  CHECK(tcc({{"a", "try"}, {"a", "try"}}) == FindingKind::duplicate);
  CHECK(tcc({{"a", "confirm"}}) == FindingKind::out_of_order);
  CHECK(tcc({{"a", "cancel"}}) == FindingKind::out_of_order);
  CHECK(tcc({{"a", "try"}, {"a", "cancel"}, {"a", "confirm"}}) == FindingKind::both_ways);
  CHECK(tcc({{"a", "try"}, {"b", "try"}, {"a", "confirm"}, {"b", "cancel"}}) ==
        FindingKind::both_ways);
  CHECK(tcc({{"a", "try"}, {"b", "try"}, {"a", "confirm"}, {"-", "confirmed"}}) ==
        FindingKind::half_done);
  CHECK(tcc({{"a", "try"}, {"-", "cancelled"}, {"b", "try"}}) == FindingKind::half_done);
}

TEST_CASE("steps: what was read stays, and what began ends") {
  Story shrinks(Function::saga);
  shrinks.asked(ab, EventType::info).read({{"a", "do"}, {"b", "do"}}).read({{"a", "do"}});
  CHECK(kind_of(shrinks) == FindingKind::lost_element);
  Story hangs(Function::saga);
  hangs.asked(ab, EventType::info).later(3s).read({{"a", "do"}}).later(9s).read({{"a", "do"}});
  CHECK(kind_of(hangs) == FindingKind::half_done);
  Story never_began(Function::saga);
  never_began.asked(ab, EventType::info).later(3s).read({});
  CHECK_FALSE(kind_of(never_began));
}

TEST_CASE("steps: what is only late, or seen too briefly, is undecided") {
  const auto answer = [](Story& story) { return story.check().answer; };
  Story brief(Function::saga);
  brief.asked(ab, EventType::info).later(3s).read({{"a", "do"}}).later(7s).read({{"a", "do"}});
  CHECK(answer(brief) == CheckReport::Answer::unknown);
  Story grows(Function::saga);
  grows.asked(ab, EventType::info).later(3s).read({{"a", "do"}}).later(9s);
  grows.read({{"a", "do"}, {"b", "do"}});
  CHECK(answer(grows) == CheckReport::Answer::unknown);
  Story ends(Function::saga);
  ends.asked(ab, EventType::info).later(3s).read({{"a", "do"}}).later(9s);
  ends.read({{"a", "do"}, {"b", "do"}, {"-", "committed"}});
  CHECK(answer(ends) == CheckReport::Answer::valid);
}

// A right saga at every moment of its life, whatever its steps: no alarm at any of them.
TEST_CASE("steps: every prefix of every right saga is right") {
  const std::uint64_t seed = GENERATE(as<std::uint64_t>(), 1, 2);
  CAPTURE(seed);
  Rng rng(seed);
  for (int round = 0; round < 300; ++round) {
    const std::size_t count = 1 + rng.below(5), done = rng.below(count + 1);
    std::vector<std::string> steps;
    Deeds life;
    for (std::size_t i = 0; i < count; ++i)
      steps.push_back(std::string(1, static_cast<char>('a' + i)));
    for (std::size_t i = 0; i < done; ++i) life.emplace_back(steps[i], "do");
    for (std::size_t i = done; done < count && i > 0; --i) life.emplace_back(steps[i - 1], "undo");
    life.emplace_back("-", done == count ? "committed" : "compensated");
    Story story(Function::saga);
    story.asked(steps, EventType::info);
    for (std::size_t length = 0; length <= life.size(); ++length)
      story.read(Deeds(life.begin(), life.begin() + static_cast<long>(length)));
    REQUIRE_FALSE(kind_of(story));
  }
}

}  // namespace ordeal::checkers
