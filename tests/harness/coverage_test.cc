#include "harness/coverage.h"

#include <catch2/catch.hpp>

using namespace ordeal;
using namespace ordeal::harness;

namespace {

Operation operation(Function function, Outcome outcome, Nanoseconds at) {
  Operation op;
  op.function = function;
  op.outcome = outcome;
  op.invoked_at = at;
  op.completed_at = at + 1ms;
  op.completed = 1;
  return op;
}

FaultSummary fault(int id, const std::string& kind, Nanoseconds began, Nanoseconds ended) {
  FaultSummary summary;
  summary.spec.id = id;
  summary.spec.kind = kind;
  summary.resolved = "n1 | n2 n3";
  summary.began = began;
  summary.ended = ended;
  summary.took_effect = true;
  summary.healed = true;
  return summary;
}

CheckReport valid_check() {
  CheckReport check;
  check.answer = CheckReport::Answer::valid;
  check.keys = check.keys_decided = 3;
  return check;
}

History sound_history() {
  History history;
  history.operations = {operation(Function::read, Outcome::ok, 5s),
                        operation(Function::write, Outcome::ok, 1s),
                        operation(Function::write, Outcome::info, 6s)};
  return history;
}

const std::vector<Function> needed = {Function::read, Function::write};

std::string all_texts(const std::vector<VerdictReason>& reasons) {
  std::string all;
  for (const auto& reason : reasons) all += reason.text + "\n";
  return all;
}

}  // namespace

TEST_CASE("operations are counted by function, outcome and fault") {
  const std::vector<FaultSummary> faults = {fault(1, "partition", 4s, 8s)};
  const std::vector<LeaderChange> leaders = {
      {1s, "", "n1", 2}, {5s, "n1", "n2", 3}, {20s, "n2", "n2", 4}, {30s, "n2", "n1", 5}};
  const Coverage coverage = measure_coverage(sound_history(), faults, leaders, {valid_check()});
  REQUIRE(coverage.operations == 3);
  REQUIRE((coverage.functions.at("write").ok == 1 && coverage.functions.at("write").info == 1));
  REQUIRE((coverage.operations_during_faults == 2 && coverage.ok_during_faults == 1));
  REQUIRE((coverage.faults.at("partition").planned == 1 &&
           coverage.faults.at("partition").healed == 1));
  REQUIRE((coverage.leader_changes == 3 && coverage.leaders_deposed_by_faults == 1));
  REQUIRE((coverage.keys == 3 && coverage.keys_checked == 3));
  REQUIRE(vacuity(coverage, faults, needed).empty());
}

TEST_CASE("each way to test nothing is told") {
  std::vector<FaultSummary> faults = {fault(1, "partition", 4s, 8s)};
  History history = sound_history();
  CheckReport check = valid_check();
  std::string expected;
  SECTION("a function never succeeded") {
    history.operations.erase(history.operations.begin() + 1);
    expected = "no write succeeded";
  }
  SECTION("a fault without evidence") {
    faults[0].took_effect = false;
    expected = "fault 1 (partition) was injected, but nothing proved";
  }
  SECTION("a fault that never came") {
    faults.push_back({});
    faults[1].spec.kind = "kill";
    expected = "(kill) was planned and never injected";
  }
  SECTION("nodes that can take none of the faults") {
    faults[0] = {};
    faults[0].left_out = "n1 cannot take io faults";
    expected = "no fault was tried: n1 cannot take io faults";
  }
  SECTION("nothing succeeded during faults") {
    faults[0] = fault(1, "partition", 5900ms, 8s);
    expected = "no operation succeeded while a fault was on";
  }
  SECTION("no key was checked") {
    check.keys = check.keys_decided = 0;
    expected = "no key was checked";
  }
  const Coverage coverage = measure_coverage(history, faults, {}, {check});
  const auto reasons = vacuity(coverage, faults, needed);
  REQUIRE_THAT(all_texts(reasons), Catch::Contains(expected));
  for (const auto& reason : reasons) REQUIRE(reason.verdict == Verdict::inconclusive);
}

TEST_CASE("a finding is placed by the nearest fault edge and leader change") {
  const std::vector<FaultSummary> faults = {fault(1, "partition", 4s, 8s),
                                            fault(2, "kill", 60s, 70s)};
  const std::vector<LeaderChange> leaders = {{1s, "", "n1", 2}, {9s, "n1", "n2", 3}};
  Finding finding;
  finding.kind = FindingKind::stale_read;
  finding.signature = "stale-read";
  SECTION("after") {
    finding.at = 8500ms;
    place(finding, faults, leaders);
    REQUIRE(finding.context.nearest_fault == "500 ms after partition {n1 | n2 n3} was undone");
    REQUIRE(finding.context.nearest_leader_change ==
            "500 ms before the leader changed n1 -> n2 (term 3)");
    REQUIRE(finding.signature == "stale-read / after-partition");
  }
  SECTION("during") {
    finding.at = 5s;
    place(finding, faults, leaders);
    REQUIRE(finding.context.nearest_fault ==
            "while partition {n1 | n2 n3} was on, 1.00 s after it began");
    REQUIRE(finding.signature == "stale-read / during-partition");
  }
  SECTION("on, and another one was undone a moment ago") {
    finding.at = 5s;
    place(finding, {faults[0], fault(3, "kill", 1s, 4900ms)}, leaders);
    REQUIRE(finding.signature == "stale-read / during-partition");
    REQUIRE(finding.context.faults_on == std::vector<int>{1});
  }
  SECTION("a fault that came later is no cause") {
    finding.at = 59900ms;
    place(finding, faults, leaders);
    REQUIRE(finding.context.nearest_fault == "51.90 s after partition {n1 | n2 n3} was undone");
    REQUIRE(finding.signature == "stale-read / no-fault-near");
  }
  SECTION("before any") {
    finding.at = 3s;
    place(finding, faults, leaders);
    REQUIRE(finding.context.nearest_fault ==
            "before any fault: partition {n1 | n2 n3} began 1.00 s later");
    REQUIRE(finding.context.from_fault == -1s);
    REQUIRE(finding.signature == "stale-read / before-any-fault");
  }
  SECTION("far from any") {
    finding.at = 40s;
    place(finding, faults, leaders);
    REQUIRE(finding.signature == "stale-read / no-fault-near");
  }
  SECTION("a remark happened at no moment") {
    finding.signature.clear();
    place(finding, faults, leaders);
    REQUIRE(finding.signature.empty());
    REQUIRE_FALSE(finding.context.nearest_fault);
  }
  SECTION("no faults at all") {
    finding.at = 5s;
    place(finding, {}, {});
    REQUIRE_FALSE(finding.context.nearest_fault);
    REQUIRE(finding.signature == "stale-read / no-fault");
  }
}
