// The readers of foreign histories, on what they are made for and on what they are not.

#include "checkers/foreign.h"

#include <catch2/catch.hpp>

#include "checkers/check_calls.h"
#include "checkers/linearizability.h"

namespace ordeal::checkers::test {

namespace {

Foreign read(std::string_view text) {
  auto found = read_foreign(text, "input");
  if (!found) UNSCOPED_INFO(found.error().message);
  REQUIRE(found.has_value());
  return *std::move(found);
}

std::string complaint(std::string_view text, std::string_view format = {}) {
  const auto found = read_foreign(text, "input", format);
  return found ? "" : found.error().message;
}

CheckReport::Answer answer_of(const Foreign& found) {
  return check_calls(found.calls, *model_named(found.model), {}).answer;
}

}  // namespace

TEST_CASE("EDN and JSON of a register read alike") {
  const Foreign edn = read(R"(; a comment
    {:process 0, :type :invoke, :f :write, :value 3, :time 17, :error [:x {:y #{1 2}}]}
    #jepsen.history.Op{:process 0 :type :ok :f :write :value 3}
    {:process :nemesis, :type :info, :f :start, :value "cut"}
    {:process 1, :type :invoke, :f :read, :value nil}
    {:process 1, :type :ok, :f :read, :value 3})");
  const Foreign json = read(R"([{"process":0,"type":"invoke","f":"write","value":3},
    {"process":0,"type":"ok","f":"write","value":3},
    {"process":1,"type":"invoke","f":"read","value":null},
    {"process":1,"type":"ok","f":"read","value":3}])");
  for (const Foreign& found : {edn, json}) {
    CHECK(found.format == "edn");
    CHECK(found.model == "register");
    REQUIRE(found.history.operations.size() == 2);
    CHECK(found.history.operations[0].argument == Value(3));
    CHECK(found.history.operations[1].result == Value(3));
    CHECK(found.history.operations[1].completed == 3);
  }
}

TEST_CASE("independent keys come apart") {
  const Foreign found = read(R"(
    {:process 0, :type :invoke, :f :write, :value [7 3]}
    {:process 0, :type :ok, :f :write, :value [7 3]}
    {:process 1, :type :invoke, :f :read, :value [7 nil]}
    {:process 1, :type :ok, :f :read, :value [7 3]}
    {:process 1, :type :invoke, :f :cas, :value [8 [1 2]]}
    {:process 1, :type :fail, :f :cas, :value [8 [1 2]]})");
  REQUIRE(found.history.operations.size() == 3);
  CHECK(found.history.operations[0].key == Value(7));
  CHECK(found.history.operations[1].result == Value(3));
  CHECK(found.history.operations[2].argument == Value::list({1, 2}));
  CHECK(found.history.operations[2].outcome == Outcome::fail);
}

TEST_CASE("a failed compare-and-set decides when it is evidence") {
  const Foreign found = read(
      "INFO  jepsen.util - 0\t:invoke\t:write\t1\nINFO  jepsen.util - 0\t:ok\t:write\t1\n"
      "INFO  jepsen.util - :nemesis\t:info\t:start\tnil\n"
      "INFO  jepsen.util - 1\t:invoke\t:cas\t[1 2]\nINFO  jepsen.util - 1\t:fail\t:cas\t[1 2]\n");
  CheckOptions options;
  CHECK(check_linearizable_register(found.history, options).answer == CheckReport::Answer::valid);
  options.failed_cas = FailedCas::evidence;
  const CheckReport report = check_linearizable_register(found.history, options);
  CHECK(report.answer == CheckReport::Answer::invalid);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings.front().certainty == Certainty::proven);
}

TEST_CASE("calls and intervals of queues and stacks") {
  const Foreign queue = read(
      "# @object atomic-queue\n[1] call enq(a)\n[1] return\n[1] call enq(b)\n"
      "[1] return\n[2] call deq()\n[2] return b\n");
  CHECK(queue.model == "queue");
  CHECK(answer_of(queue) == CheckReport::Answer::invalid);
  const Foreign stack = read("# stack\npush 1 0 3\npush 2 4 8\npop 2 9 10\npop 1 11 12\n");
  CHECK(stack.model == "stack");
  CHECK(answer_of(stack) == CheckReport::Answer::valid);
  // What ends when another begins overlaps it.
  CHECK(answer_of(read("# queue\nenq 1 0 3\nenq 2 3 8\ndeq 2 9 10\ndeq 1 11 12\n")) ==
        CheckReport::Answer::valid);
}

TEST_CASE("a call without the arguments of its model is neither right nor wrong") {
  for (const char* text :
       {"# @object atomic-queue\n[1] call add\n[1] return\n[2] call deq\n[2] return empty\n",
        "{:process 0, :type :invoke, :f :increment, :value \"x\"}",
        "{:process 0 :type :invoke :f :push :value nil}"}) {
    CHECK(answer_of(read(text)) == CheckReport::Answer::unknown);
  }
}

TEST_CASE("what is no history is refused in a sentence that names the line") {
  CHECK_THAT(complaint(""), Catch::Contains("none of the formats"));
  CHECK_THAT(complaint("hello"), Catch::Contains("none of the formats"));
  CHECK_THAT(complaint("{:process 0, :type :invoke, :f :read"), Catch::Contains("line 1"));
  CHECK_THAT(complaint("\n{:process 0, :type :sideways}"), Catch::Contains("line 2: a type must"));
  CHECK_THAT(complaint("{:process 0, :type :ok, :f :read, :value 1}"),
             Catch::Contains("never invoked"));
  CHECK_THAT(complaint("{:process 0, :type :invoke, :f :txn, :value [[:r 1 nil]]}"),
             Catch::Contains("transactions"));
  CHECK_THAT(complaint("{:process 99999999999, :type :invoke, :f :read, :value nil}"),
             Catch::Contains("out of range"));
  CHECK_THAT(complaint(std::string(100'000, '[') + "{", "edn"), Catch::Contains("must be a map"));
  CHECK_THAT(complaint("{:process 0 :type :invoke :f :read :value " + std::string(100'000, '[')),
             Catch::Contains("nested too deeply"));
  CHECK_THAT(complaint("[x] call enq(1)"), Catch::Contains("line 1"));
  CHECK_THAT(complaint("# queue\nenq 1 5 3"), Catch::Contains("line 2"));
}

}  // namespace ordeal::checkers::test
