// What is too hard is said to be undecided, with what to change: no path ends in another way.

#include <catch2/catch.hpp>

#include "checkers/check_calls.h"

namespace ordeal::checkers::test {

namespace {

constexpr EventIndex clients = 26;

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
Value wrong() { return {1'000'000'000}; }
Value wrong_text() { return {"abcdefghijklmnopqrstuvwxyz!"}; }
Value wrong_list() {
  Value::List items;
  for (int i = 0; i < static_cast<int>(clients); ++i) items.emplace_back(i);
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
    {"set", Act::add, itself, Act::members, wrong_list},
    {"counter", Act::increment, power, Act::read, wrong},
    {"queue", Act::enqueue, twice, Act::dequeue, wrong},
    {"stack", Act::push, twice, Act::pop, wrong},
    {"priority-queue", Act::insert, twice, Act::extract, wrong},
    {"revisioned-store", Act::write, itself, Act::read, wrong},
};

std::vector<Call> calls_of(const Hard& hard, bool are_known) {
  std::vector<Call> calls;
  for (EventIndex i = 0; i < clients; ++i) {
    Call call;
    call.invoked = i;
    call.completed = are_known ? clients + i : never;
    call.act = hard.act;
    call.process = static_cast<Process>(i);
    call.argument = hard.argument(static_cast<int>(i));
    if (are_known && call.act == Act::txn) call.result = call.argument;
    calls.push_back(call);
  }
  Call last;
  last.invoked = 2 * clients;
  last.completed = 2 * clients + 1;
  last.act = hard.last;
  last.process = clients;
  last.result = hard.answer();
  if (last.act == Act::txn) last.argument = Value::list({Value::list({"read", 1, Value()})});
  calls.push_back(last);
  return calls;
}

// Never valid, and if undecided, then with the reason and what helps.
void expect_undecided_or_bad(const Hard& hard, Nanoseconds time, std::size_t memory) {
  for (const bool are_known : {true, false}) {
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

}  // namespace

TEST_CASE("a hard history of any model ends at its limits") {
  const std::size_t plenty = std::size_t{1} << 30U;
  for (const Hard& hard : all) {
    expect_undecided_or_bad(hard, 0s, plenty);
    expect_undecided_or_bad(hard, 50ms, plenty);
    expect_undecided_or_bad(hard, 1min, 0);
    expect_undecided_or_bad(hard, 1min, std::size_t{1} << 18U);
  }
}

}  // namespace ordeal::checkers::test
