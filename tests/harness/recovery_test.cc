#include "harness/recovery.h"

#include <catch2/catch.hpp>

#include "harness/replicas.h"

namespace ordeal::harness {

namespace {

Operation op(Nanoseconds from, Nanoseconds to, NodeIndex node, Outcome outcome = Outcome::ok) {
  static EventIndex index = 0;
  Operation operation;
  operation.invoked = index++;
  operation.completed = index++;
  operation.invoked_at = from;
  operation.completed_at = to;
  operation.node = node;
  operation.outcome = outcome;
  return operation;
}

FaultSummary fault(int id, Nanoseconds began, Nanoseconds ended) {
  FaultSummary summary;
  summary.spec.id = id;
  summary.began = began;
  summary.ended = ended;
  return summary;
}

Replica replica(const char* node, std::uint64_t applied, std::uint64_t committed,
                std::int64_t revision, const char* hash) {
  return {node, true, "", 3, applied, committed, revision, hash};
}

}  // namespace

TEST_CASE("recovery is told from begin and end of a fault, by node") {
  History history;
  history.nodes = {"n1", "n2"};
  history.operations = {
      op(900ms, 1'100ms, 0),   op(1'200ms, 1'700ms, 0), op(2'000ms, 3'000ms, 1, Outcome::info),
      op(4'500ms, 4'600ms, 0), op(5'200ms, 5'250ms, 0), op(6'000ms, 6'300ms, 1),
      op(8s, 8'001ms, 0)};
  const std::vector<NodeSample> samples = {
      {0ms, "n1", true, "n1", 2, ""},   {0ms, "n2", true, "n1", 2, ""},
      {2s, "n1", false, "", 0, "down"}, {3s, "n2", true, "", 5, ""},
      {4s, "n1", true, "n1", 6, ""},    {4'500ms, "n2", true, "n1", 6, ""}};
  const auto all = measure_recoveries(history, {fault(1, 1s, 5s), FaultSummary{}}, samples);
  REQUIRE(all.size() == 1);
  const Recovery& recovery = all.front();
  CHECK(recovery.served_after_begin == Nanoseconds(700ms));  // not by the one that began before
  CHECK(recovery.served_after_end == Nanoseconds(250ms));
  CHECK(recovery.longest_silence == Nanoseconds(2'900ms));
  CHECK(recovery.leaderless == Nanoseconds(2'500ms));
  CHECK(recovery.terms == 4);
  REQUIRE(recovery.nodes.size() == 2);
  CHECK(recovery.nodes[1].served_after_end == Nanoseconds(1'300ms));
}

TEST_CASE("what never served again is absent, and the next fault ends the look") {
  History history;
  history.nodes = {"n1", "n2"};
  history.operations = {op(0ms, 1ms, 0), op(5s, 5'100ms, 0), op(9s, 9'100ms, 1)};
  const auto all = measure_recoveries(history, {fault(1, 1s, 2s), fault(2, 6s, 7s)}, {});
  REQUIRE(all.size() == 2);
  CHECK(all[0].served_after_end == Nanoseconds(3'100ms));
  CHECK_FALSE(all[0].nodes[1].served_after_end);
  CHECK(all[1].nodes[1].served_after_end == Nanoseconds(2'100ms));
  CHECK_FALSE(all[1].nodes[0].served_after_end);
}

TEST_CASE("replicas that hold the same at rest agree") {
  const std::vector<Replica> same = {replica("n1", 9, 9, 4, "aa"), replica("n2", 9, 9, 4, "aa")};
  CHECK(at_rest_and_equal(same));
  CHECK(check_replicas(same, 1s).answer == CheckReport::Answer::valid);
}

TEST_CASE("a replica with another state at the same revision is a finding") {
  const std::vector<Replica> split = {replica("n1", 9, 9, 4, "aa"), replica("n2", 9, 9, 4, "bb"),
                                      replica("n3", 9, 9, 4, "aa")};
  CHECK_FALSE(at_rest_and_equal(split));
  const CheckReport report = check_replicas(split, 1s);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.answer == CheckReport::Answer::invalid);
  CHECK(report.findings.front().kind == FindingKind::divergence);
  CHECK(report.findings.front().headline == "n1 n3 and n2 hold different states at revision 4");
}

TEST_CASE("a replica that is behind is told, and accused of nothing") {
  const std::vector<Replica> behind = {replica("n1", 9, 9, 4, ""), replica("n2", 7, 9, 3, "")};
  CHECK_FALSE(at_rest_and_equal(behind));
  CHECK(check_replicas(behind, 1s).answer == CheckReport::Answer::valid);
  REQUIRE(replicas_behind(behind).size() == 1);
  CHECK(replicas_behind(behind).front().find("n2 had applied position 7") == 0);
}

TEST_CASE("a node that does not answer accuses nobody") {
  std::vector<Replica> silent = {replica("n1", 9, 9, 4, ""), replica("n2", 7, 9, 3, "")};
  silent[1].answers = false;
  CHECK_FALSE(at_rest_and_equal(silent));
  const CheckReport report = check_replicas(silent, 1s);
  CHECK(report.findings.empty());
  CHECK(report.answer == CheckReport::Answer::valid);
}

}  // namespace ordeal::harness
