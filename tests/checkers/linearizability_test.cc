#include "checkers/linearizability.h"

#include <map>
#include <set>

#include <catch2/catch.hpp>

#include "checkers/columns.h"
#include "checkers/epoch.h"
#include "checkers/search.h"
#include "checkers/zones.h"
#include "tests/checkers/script.h"

namespace ordeal::checkers::test {

namespace {

using Answer = CheckReport::Answer;

Answer answer_of(std::string_view script) {
  return check_linearizable_register(history_of(script), {}).answer;
}

// Many clients write few values over and over, all at once, and one answer is wrong: hard for any
// search.
History hard_history(int rounds) {
  std::string script = "0:w1@other 0:ok";
  for (int round = 0; round < rounds; ++round) {
    for (int p = 0; p < 20; ++p) {
      script += " " + std::to_string(p) + ":" + (p % 3 == 0 ? "r" : "w" + std::to_string(p % 5));
    }
    for (int p = 0; p < 20; ++p) {
      script += " " + std::to_string(p) + ":" +
                (p % 3 == 0 ? "ok" + std::to_string((p * 7 + round) % 5) : "ok");
    }
  }
  return history_of(script + " 0:r 0:ok77");
}

}  // namespace

TEST_CASE("the semantics of outcomes") {
  CHECK(answer_of("") == Answer::valid);
  CHECK(answer_of("0:r 0:oknil") == Answer::valid);
  CHECK(answer_of("0:w1 0:ok 0:r 0:ok1") == Answer::valid);
  // Concurrent: either order, and both of two reads must agree on it.
  CHECK(answer_of("0:w1 1:r 1:oknil 0:ok") == Answer::valid);
  CHECK(answer_of("0:w1 1:r 1:ok1 1:r 1:oknil 0:ok") == Answer::invalid);
  // fail did not happen; a failed compare-and-set is no evidence.
  CHECK(answer_of("0:w1 0:fail 1:r 1:ok1") == Answer::invalid);
  CHECK(answer_of("0:w1 0:ok 1:c1,2 1:fail 1:r 1:ok1") == Answer::valid);
  // info may happen at once, much later, or never; not twice, and not before it was invoked.
  CHECK(answer_of("0:w1 0:info 1:r 1:ok1") == Answer::valid);
  CHECK(answer_of("0:w1 0:info 1:r 1:oknil 1:w2 1:ok 1:r 1:ok1") == Answer::valid);
  CHECK(answer_of("0:w1 0:info 1:r 1:oknil") == Answer::valid);
  CHECK(answer_of("0:w1 0:info 1:r 1:ok1 1:w2 1:ok 1:r 1:ok1") == Answer::invalid);
  CHECK(answer_of("1:r 1:ok1 0:w1 0:info") == Answer::invalid);
  // Reads without an answer cost nothing and say nothing.
  CHECK(answer_of("0:w1 0:ok 1:r 1:fail 2:r 2:info 3:r") == Answer::valid);
  // A chain of unknown compare-and-sets that somebody saw the end of.
  CHECK(answer_of("0:w1 0:info 1:c1,2 1:info 2:c2,3 2:info 3:r 3:ok3") == Answer::valid);
  CHECK(answer_of("0:w1 0:info 1:c1,2 1:info 2:c2,3 2:info 3:r 3:ok3 3:r 3:ok2") ==
        Answer::invalid);
}

TEST_CASE("keys are judged apart, and each bad one has a finding") {
  const CheckReport report = check_linearizable_register(
      history_of("0:w1@a 0:ok 0:w1@b 0:ok 1:r@b 1:oknil 1:r@a 1:ok1 2:r@c 2:ok5"), {});
  CHECK(report.checker == "linearizable");
  CHECK(report.answer == Answer::invalid);
  CHECK(report.keys == 3);
  CHECK(report.keys_decided == 3);
  REQUIRE(report.findings.size() == 2);
  CHECK(report.findings[0].key == Value("b"));
  CHECK(report.findings[0].number == 1);
  CHECK(report.findings[1].key == Value("c"));
  CHECK(report.findings[1].number == 2);
}

TEST_CASE("keys and values of every type are told apart") {
  HistoryBuilder builder;
  EventIndex next = 0;
  const auto add = [&](Function function, const Value& key, const Value& argument,
                       const Value& result) {
    Event event;
    event.function = function;
    event.key = key;
    event.index = next++;
    event.value = argument;
    REQUIRE(builder.add(event));
    event.index = next++;
    event.type = EventType::ok;
    event.value = result;
    REQUIRE(builder.add(event));
  };
  add(Function::write, Value(1), Value("1"), {});
  add(Function::write, Value("1"), Value::list({1, 2}), {});
  add(Function::write, Value::list({1}), Value(true), {});
  add(Function::read, Value(1), {}, Value("1"));
  add(Function::read, Value("1"), {}, Value::list({1, 2}));
  add(Function::read, Value::list({1}), {}, Value(true));
  add(Function::read, Value(true), {}, {});
  const CheckReport report = check_linearizable_register(std::move(builder).finish(), {});
  CHECK(report.answer == Answer::valid);
  CHECK(report.keys == 4);
}

TEST_CASE("more bad keys than are explained are counted, and those explained lie apart") {
  std::string script;
  for (int key = 0; key < 17; ++key) script += " 0:r@k" + std::to_string(key) + " 0:ok5";
  const CheckReport report = check_linearizable_register(history_of(script), {});
  CHECK(report.keys_decided == 17);
  REQUIRE(report.findings.size() == most_findings + 1);
  const Finding& last = report.findings.back();
  CHECK(last.number == 11);
  CHECK(last.headline == "7 more keys are not linearizable either: k2, k4, k7, k9, k12 and 2 more");
  CHECK(report.findings.front().key == Value("k0"));
  CHECK(report.findings.at(9).key == Value("k15"));
  CHECK(last.signature.empty());
  CHECK(last.witness.empty());
  CHECK(last.certainty == Certainty::suspected);
}

TEST_CASE("no time left leaves every key undecided, by name") {
  CheckOptions options;
  options.deadline = Deadline::after(0s);
  const CheckReport report =
      check_linearizable_register(history_of("0:w1@a 0:ok 0:r@b 0:ok5"), options);
  CHECK(report.answer == Answer::unknown);
  CHECK(report.keys == 2);
  CHECK(report.keys_decided == 0);
  REQUIRE(report.undecided.size() == 2);
  CHECK(report.undecided[0].key == Value("a"));
  CHECK(report.undecided[1].key == Value("b"));
  CHECK_FALSE(report.undecided[0].why.empty());
}

TEST_CASE("a search without memory gives up on its key and says what to change") {
  const History history = hard_history(30);
  CheckOptions options;
  SECTION("memory") { options.memory_limit = 1 << 16; }
  SECTION("no memory at all") { options.memory_limit = 0; }
  const CheckReport report = check_linearizable_register(history, options);
  CHECK(report.answer == Answer::unknown);
  REQUIRE(report.undecided.size() == 1);
  CHECK(report.undecided[0].key == Value("x"));
  CHECK_THAT(report.undecided[0].why,
             Catch::Contains("ran out") && Catch::Contains("write each value only once"));
  CHECK(report.keys_decided == 1);
}

TEST_CASE("a search without time says so") {
  const History history = hard_history(1);
  const Register reg = read_register(history, split_by_key(history).back());
  const Budget no_time = {Deadline::after(0s), std::size_t{1} << 20U};
  for (const Decision& decision : {decide_by_search(reg.ops, no_time),
                                   decide_by_epochs(reg.ops, reg.values.size(), no_time).value()}) {
    CHECK(decision.answer == Decision::Answer::unknown);
    CHECK_THAT(decision.why, Catch::StartsWith("time ran out"));
  }
}

TEST_CASE("one bad key is a violation, whatever stays undecided") {
  History history = hard_history(30);
  Operation& other = history.operations.front();
  REQUIRE(other.key == Value("other"));
  other.function = Function::read;
  other.result = Value(5);
  CheckOptions options;
  options.memory_limit = 1 << 16;
  const CheckReport report = check_linearizable_register(history, options);
  CHECK(report.answer == Answer::invalid);
  REQUIRE(report.undecided.size() == 1);
  CHECK(report.undecided.front().key == Value("x"));
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings.front().key == Value("other"));
}

TEST_CASE("a compare-and-set without its two values leaves its key undecided") {
  History history = history_of("0:c1,2 0:ok");
  history.operations.front().argument = Value(1);
  const CheckReport report = check_linearizable_register(history, {});
  CHECK(report.answer == Answer::unknown);
  REQUIRE(report.undecided.size() == 1);
  CHECK_THAT(report.undecided[0].why,
             Catch::Contains("operation 0 is a compare-and-set with argument 1"));
}

TEST_CASE("threads change nothing but the time", "[threads]") {
  Rng rng(7);
  Shape shape;
  shape.operations = 4000;
  shape.processes = 5;
  shape.keys = 300;
  shape.values = 0;
  shape.lie = 0.01;
  const History history = random_history(shape, rng);
  CheckOptions options;
  const CheckReport one = check_linearizable_register(history, options);
  options.threads = 4;
  const CheckReport four = check_linearizable_register(history, options);
  CHECK(one.answer == four.answer);
  REQUIRE(one.findings.size() == four.findings.size());
  for (std::size_t i = 0; i < one.findings.size(); ++i) {
    CHECK(one.findings[i].headline == four.findings[i].headline);
    CHECK(one.findings[i].key == four.findings[i].key);
  }
}

TEST_CASE("columns are the registers of the keys, whatever the values and however many read them",
          "[threads]") {
  Rng rng(13);
  Shape shape;
  shape.operations = 90'000;
  shape.processes = 5;
  shape.keys = 40;
  shape.values = 0;
  History history = random_history(shape, rng);
  const auto renamed = [](const Value& value) {
    const std::int64_t* integer = value.as_integer();
    return integer == nullptr || *integer % 3 == 0 ? value
           : *integer % 3 == 1                     ? Value(to_text(value))
                                                   : Value(-*integer);
  };
  for (Operation& op : history.operations) {
    op.key = renamed(op.key);
    op.result = renamed(op.result);
    const auto* pair = op.argument.as_list();
    op.argument = pair == nullptr ? renamed(op.argument)
                                  : Value::list({renamed(pair->front()), renamed(pair->back())});
  }
  const auto keys = split_by_key(history);
  for (const FailedCas failed_cas : {FailedCas::ignored, FailedCas::evidence}) {
    for (const std::size_t threads : {1U, 4U}) {
      CheckOptions options;
      options.threads = threads;
      options.failed_cas = failed_cas;
      const Columns columns(history, options);
      REQUIRE(columns.keys() == keys.size());
      std::map<ValueId, std::string> meanings;
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < keys.size(); ++i) {
        REQUIRE(columns.key(i) == keys[i].key);
        const Register reg = read_register(history, keys[i], failed_cas);
        const auto ops = columns.ops(i);
        REQUIRE(ops.size() == reg.ops.size());
        const auto alike = [&](ValueId found, ValueId expected) {
          if (found == no_value || expected == no_value) return found == expected;
          const std::string meaning = to_text(reg.values[expected]);
          return meanings.try_emplace(found, meaning).first->second == meaning;
        };
        for (std::size_t k = 0; k < ops.size(); ++k) {
          const RegisterOp& a = ops[k];
          const RegisterOp& b = reg.ops[k];
          wrong += a.invoked == b.invoked && a.completed == b.completed && a.source == b.source &&
                           alike(a.observes, b.observes) && alike(a.sets, b.sets) &&
                           alike(a.denies, b.denies)
                       ? 0U
                       : 1U;
        }
      }
      CHECK(wrong == 0);
      std::set<std::string> each_once;
      for (const auto& [value, meaning] : meanings) each_once.insert(meaning);
      CHECK(each_once.size() == meanings.size());
    }
  }
}

TEST_CASE("zones decline what they cannot decide") {
  const auto by_zones = [](std::string_view script) {
    const History history = history_of(script);
    return decide_by_zones(read_register(history, split_by_key(history).front()).ops);
  };
  CHECK(by_zones("0:w1 0:ok 0:r 0:ok1") == true);
  CHECK(by_zones("0:w1 0:ok 0:r 0:oknil") == false);
  CHECK_FALSE(by_zones("0:w1 0:ok 0:w1 0:ok"));
  CHECK_FALSE(by_zones("0:wnil 0:ok"));
  CHECK(by_zones("0:c1,2 0:ok 0:c2,1 0:ok") == false);
  CHECK(by_zones("0:c1,1 0:ok") == false);
}

TEST_CASE("a large history of one key with new values takes no time to speak of") {
  Rng rng(11);
  Shape shape;
  shape.operations = 50'000;
  shape.processes = 9;
  shape.values = 0;
  shape.lie = 0;
  shape.unknown = 0.02;
  const History history = random_history(shape, rng);
  CHECK(check_linearizable_register(history, {}).answer == Answer::valid);

  // One read in the middle, of a value long gone, is found and argued with a few operations.
  History bad = history;
  for (std::size_t i = 30'000; i < bad.operations.size(); ++i) {
    Operation& op = bad.operations[i];
    if (op.function != Function::read || op.outcome != Outcome::ok) continue;
    op.result = Value();
    break;
  }
  const CheckReport report = check_linearizable_register(bad, {});
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings.front().witness.size() == 2);
  CHECK(report.findings.front().certainty == Certainty::proven);
}

TEST_CASE("histories that random ones seldom are") {
  const auto answer = [](std::string_view script) {
    return check_linearizable_register(history_of(script), {}).answer;
  };
  // Of two writes alike the one that returns first must go first: the other is needed again.
  CHECK(answer("0:w2 1:w2 2:r 2:ok2 0:ok 2:w3 2:ok 2:r 2:ok2 1:ok") == CheckReport::Answer::valid);
  CHECK(answer("1:w2 0:w2 2:r 2:ok2 0:ok 2:w3 2:ok 2:r 2:ok2 1:ok") == CheckReport::Answer::valid);
  // More unknown operations are needed at one return than thrift allows.
  CHECK(answer("0:w9 0:ok 0:w9 0:ok 1:c9,1 2:c1,2 3:c2,3 4:c3,4 5:c4,5 6:c5,6 0:r 0:ok6") ==
        CheckReport::Answer::valid);
  // The same of compare-and-sets.
  CHECK(answer("3:w1 3:ok 0:c1,2 1:c1,2 2:r 2:ok2 0:ok 2:w1 2:ok 2:r 2:ok2 1:ok") ==
        CheckReport::Answer::valid);
  CHECK(answer("3:w1 3:ok 1:c1,2 0:c1,2 2:r 2:ok2 0:ok 2:w1 2:ok 2:r 2:ok2 1:ok") ==
        CheckReport::Answer::valid);
}

TEST_CASE("beside a violation it is told whether each client saw its own order") {
  const auto told = [](std::string_view script) {
    const CheckReport report = check_linearizable_register(history_of(script), {});
    REQUIRE(report.findings.size() == 1);
    REQUIRE_FALSE(report.findings.front().not_ruled_out.empty());
    return report.findings.front().not_ruled_out.front();
  };
  const std::string name = "sequential consistency (each client sees its own order), which ";
  // Two clients, one of them behind; one client that goes back in time.
  CHECK(told("0:w1 0:ok 0:w2 0:ok 1:r 1:ok2 2:r 2:ok1") ==
        name + "the key keeps from first to last");
  CHECK(told("0:w1 0:ok 0:w2 0:ok 1:r 1:ok2 1:r 1:ok1") ==
        name + "other operations of the key break");
}

}  // namespace ordeal::checkers::test
