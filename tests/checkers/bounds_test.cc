// What is too hard is said to be undecided, with what to change: no path ends in another way.

#include <catch2/catch.hpp>

#include "checkers/check_calls.h"
#include "checkers/linearizability.h"
#include "core/random.h"

namespace ordeal::checkers::test {

namespace {

constexpr EventIndex many_clients = 26;

struct Hard {
  const char* model;
  Act act;
  Value (*argument)(int i);
  Act last;
  Value (*answer)();
};

Value itself(int i) { return {i}; }
Value twice(int i) { return {i / 2}; }  // no fast path takes an element that is put in twice
Value power(int i) { return {1 << i}; }
Value letter(int i) { return {std::string(1, static_cast<char>('a' + i))}; }
Value deed(int i) { return Value::list({Value::list({"write", i % 4, i})}); }
Value nothing(int) { return {}; }
Value none() { return {}; }
Value wrong() { return {1'000'000'000}; }
Value wrong_text() { return {"abcdefghijklmnopqrstuvwxyz!"}; }
Value wrong_list() {
  Value::List items;
  for (int i = 0; i < static_cast<int>(many_clients); ++i) items.emplace_back(i);
  items.front() = Value("?");
  return items;
}
Value wrong_deed() { return Value::list({Value::list({"read", 1, "?"})}); }

// All at once, and then an answer that nothing explains.
const std::vector<Hard> all = {
    {"register", Act::write, itself, Act::read, wrong},
    {"kv", Act::append, letter, Act::read, wrong_text},
    {"list", Act::append, itself, Act::read, wrong_list},
    {"multi-register", Act::txn, deed, Act::txn, wrong_deed},
    {"mutex", Act::acquire, nothing, Act::release, none},
    {"owned-mutex", Act::acquire, nothing, Act::release, none},
    {"set", Act::add, itself, Act::members, wrong_list},
    {"counter", Act::increment, power, Act::read, wrong},
    {"queue", Act::enqueue, twice, Act::dequeue, wrong},
    {"stack", Act::push, twice, Act::pop, wrong},
    {"priority-queue", Act::insert, twice, Act::extract, wrong},
    {"revisioned-store", Act::write, itself, Act::read, wrong},
};

std::vector<Call> calls_of(const Hard& hard, bool are_known, EventIndex clients = many_clients) {
  std::vector<Call> calls;
  for (EventIndex i = 0; i < clients; ++i) {
    Call call;
    call.invoked = i;
    call.completed = are_known ? clients + i : never;
    call.act = hard.act;
    call.process = static_cast<Process>(i);
    call.argument = hard.argument(static_cast<int>(i));
    if (are_known && call.act == Act::txn) call.result = call.argument;
    if (call.act == Act::acquire && are_known) call.result = Value(static_cast<int>(i));
    if (call.act == Act::acquire && i % 2 == 1) {  // given back by who may hold it
      call.act = Act::release;
      call.process -= 1;
      call.result = {};
    }
    calls.push_back(call);
  }
  Call last;
  last.invoked = 2 * clients;
  last.completed = 2 * clients + 1;
  last.act = hard.last;
  last.process = static_cast<Process>(clients);
  last.result = hard.answer();
  if (last.act == Act::txn) last.argument = Value::list({Value::list({"read", 1, Value()})});
  calls.push_back(last);
  return calls;
}

// Never valid, and if undecided, then with the reason and what helps.
void expect_undecided_or_bad(const Hard& hard, Nanoseconds time, std::size_t memory) {
  for (const bool are_known : {true, false}) {
    // Of locks that perhaps somebody took and gave back nearly all is possible.
    if (!are_known && hard.model == std::string_view("mutex")) continue;
    CheckOptions options;
    options.deadline = Deadline::after(time);
    options.memory_limit = memory;
    INFO(hard.model << (are_known ? "" : ", unknown"));
    const CheckReport report =
        check_calls(calls_of(hard, are_known), *model_named(hard.model), options);
    CHECK(report.answer != CheckReport::Answer::valid);
    CHECK(report.keys == 1);
    CHECK(report.undecided.size() + report.findings.size() == 1);
    for (const auto& undecided : report.undecided) {
      INFO(undecided.why);
      CHECK(undecided.why.find("ran out") != std::string::npos);
      CHECK(undecided.why.find("allow the checker more") != std::string::npos);
    }
  }
}

// Compare-and-sets of few values under way all at once, most of them without an answer, and reads
// that they explain in many ways or not at all.
History hard_register() {
  constexpr EventIndex clients = many_clients;
  Rng rng(7);
  History history;
  history.nodes = {"n1"};
  const auto add = [&](Function function, EventIndex invoked, EventIndex completed) -> Operation& {
    Operation& op = history.operations.emplace_back();
    op.function = function;
    op.invoked = invoked;
    op.completed = completed;
    op.outcome = completed == never ? Outcome::info : Outcome::ok;
    op.process = static_cast<Process>(invoked);
    return op;
  };
  for (EventIndex i = 0; i < 4 * clients; ++i) {
    Operation& op = add(Function::cas, i, i % 4 == 0 ? 10 * clients - i : never);
    const Value from = i == 0 ? Value() : Value(rng.between(1, 6));
    op.argument = Value::list({from, rng.between(1, 6)});
  }
  for (EventIndex i = 0; i < clients; ++i) {
    add(Function::read, 4 * clients + 2 * i, 4 * clients + 2 * i + 1).result =
        Value(rng.between(1, 6));
  }
  add(Function::read, 20 * clients, 20 * clients + 1).result = wrong();
  history.events = 20 * clients + 2;
  return history;
}

}  // namespace

TEST_CASE("a hard register ends at its limits, whichever algorithm has it") {
  const History history = hard_register();
  const std::size_t plenty = std::size_t{1} << 30U;
  const std::vector<std::pair<Nanoseconds, std::size_t>> limits = {
      {0s, plenty}, {50ms, plenty}, {1min, 0}, {1min, std::size_t{1} << 18U}};
  for (const auto& [time, memory] : limits) {
    for (const FailedCas failed_cas : {FailedCas::ignored, FailedCas::evidence}) {
      CheckOptions options;
      options.deadline = Deadline::after(time);
      options.memory_limit = memory;
      options.failed_cas = failed_cas;
      const CheckReport report = check_linearizable_register(history, options);
      CHECK(report.answer != CheckReport::Answer::valid);
      REQUIRE(report.undecided.size() + report.findings.size() == 1);
      if (time == 0s) CHECK(report.undecided.size() == 1);
      for (const auto& undecided : report.undecided) {
        INFO(undecided.why);
        CHECK_FALSE(undecided.is_defect);
        CHECK(undecided.why.find("ran out") != std::string::npos);
        CHECK(undecided.why.find("allow the checker more") != std::string::npos);
      }
    }
  }
}

TEST_CASE("a hard history of any model ends at its limits") {
  const std::size_t plenty = std::size_t{1} << 30U;
  for (const ModelKind& kind : model_kinds()) {
    INFO(kind.name);
    CHECK(std::ranges::any_of(all, [&](const Hard& hard) { return hard.model == kind.name; }));
  }
  for (const Hard& hard : all) {
    expect_undecided_or_bad(hard, 0s, plenty);
    expect_undecided_or_bad(hard, 50ms, plenty);
    expect_undecided_or_bad(hard, 1min, 0);
    expect_undecided_or_bad(hard, 1min, std::size_t{1} << 18U);
  }
}

TEST_CASE("a search that several threads share answers as one alone does", "[threads]") {
  const auto answers_alike = [](const ModelKind& model, const std::vector<Call>& calls) {
    const Deadline deadline = Deadline::after(5min);
    const std::size_t plenty = std::size_t{1} << 30U;
    const auto one = model.decide(calls, {deadline, plenty, 1}, nullptr).answer;
    CHECK(one != Decision::Answer::unknown);
    for (const std::size_t threads : {2U, 3U}) {
      CHECK(model.decide(calls, {deadline, plenty, threads}, nullptr).answer == one);
    }
    // And ends at its limits.
    const Decision little = model.decide(calls, {deadline, std::size_t{1} << 20U, 3}, nullptr);
    if (little.answer != one) CHECK(little.why.find("memory ran out") != std::string::npos);
    return one;
  };
  for (const Hard& hard : all) {
    const std::string_view name = hard.model;
    if (name != "owned-mutex" && name != "set" && name != "counter") continue;
    INFO(name);
    CHECK(answers_alike(*model_named(name), calls_of(hard, true, 15)) == Decision::Answer::invalid);
  }
  // Of increments that nobody knows of, those that make up a number.
  const auto counter = std::ranges::find(all, std::string_view("counter"), &Hard::model);
  std::vector<Call> calls = calls_of(*counter, false, 17);
  calls.back().result = Value(0b1'0101'0110'1101'0110);
  CHECK(answers_alike(*model_named("counter"), calls) == Decision::Answer::valid);
}

}  // namespace ordeal::checkers::test
