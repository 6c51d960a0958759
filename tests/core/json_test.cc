#include "core/json.h"

#include <catch2/catch.hpp>

#include "core/json_fields.h"

using namespace ordeal;

namespace {

RunRecord sample_run() {
  RunRecord run;
  run.name = "2026-11-22T00-00-00-etcd-register-s42";
  run.cluster = "etcd";
  run.workload = "register";
  run.nemeses = {"partition", "kill"};
  run.version = "3.4.23";
  run.options = {{"reads", "serializable"}};
  run.leaders = {{1s, "", "n1", 2}};
  run.seed = 0xffffffffffffffffU;
  run.nodes = 5;
  run.clients = 10;
  run.duration = 60s;
  run.verdict = Verdict::fail;
  run.reasons = {{Verdict::inconclusive, "kill never took effect", "run longer"}};
  run.coverage.functions["read"] = {5, 1, 0};
  run.coverage.faults["kill"] = {2, 1, 1};
  run.health.recovery = 812ms;
  run.health.holes = {"n3's log was not collected"};
  CheckReport check;
  check.checker = "linearizable";
  check.answer = CheckReport::Answer::invalid;
  check.undecided = {{Value(17), "61 unknown writes overlap"},
                     {Value(18), "the two disagree", true}};
  Finding finding;
  finding.kind = FindingKind::stale_read;
  finding.key = "x";
  WitnessOperation op;
  op.id = 8810;
  op.request = {Function::cas, "x", Value::list({3, 7})};
  op.completed_at = 5s;
  op.completed = 8811;
  finding.witness = {op, {}};
  finding.reasons = {{"8810 made it 7", {8810}}};
  finding.context.nearest_fault = "1.31 s after partition";
  check.findings = {finding};
  run.checks = {check};
  FaultSummary fault;
  fault.spec = {3,  "partition", "leader", {{"shape", "leader"}, {"one_way", Value(true)}},
                77, 5s,          4s};
  fault.began = 5s;
  fault.evidence = {"n1: 214 packets dropped"};
  fault.trouble = "n2: no answer";
  run.faults = {fault};
  return run;
}

}  // namespace

TEST_CASE("run.json is read back to the same bytes") {
  const std::string text = to_page(to_json(sample_run()));
  const auto json = parse_json(text);
  REQUIRE(json);
  const auto run = run_record_from_json(*json);
  REQUIRE(run);
  REQUIRE(to_page(to_json(*run)) == text);
  REQUIRE(run->seed == 0xffffffffffffffffU);
  REQUIRE(run->checks.at(0).findings.at(0).witness.at(0).completed_at == Nanoseconds(5s));
  REQUIRE(run->checks.at(0).findings.at(0).witness.at(1).completed == never);
  REQUIRE(run->faults.at(0).spec == sample_run().faults.at(0).spec);
}

TEST_CASE("what does not fit is named") {
  Json json = to_json(sample_run());
  SECTION("missing") {
    json.erase("seed");
    REQUIRE(run_record_from_json(json).error().message == "run has no \"seed\"");
  }
  SECTION("wrong type") {
    json["seed"] = "42";
    REQUIRE(run_record_from_json(json).error().message ==
            "run: \"seed\" is of the wrong type or range");
  }
  SECTION("out of range") {
    json["seed"] = -1;
    REQUIRE(run_record_from_json(json).error().message ==
            "run: \"seed\" is of the wrong type or range");
  }
  SECTION("deep inside") {
    json["checks"][0]["findings"][0]["kind"] = "stale";
    REQUIRE(run_record_from_json(json).error().message ==
            "run: check: finding: \"stale\" is not a known kind");
  }
  SECTION("not an object") { REQUIRE_FALSE(run_record_from_json(Json::array())); }
  SECTION("unknown key of a fault") {
    Json fault = to_json(sample_run().faults.at(0).spec);
    fault["duratoin_ns"] = 5;
    REQUIRE(fault_spec_from_json(fault).error().message ==
            "fault: unknown key \"duratoin_ns\"; did you mean \"duration_ns\"?");
  }
}

TEST_CASE("ledger and samples are read back") {
  const FaultRecord record = {3,    FaultStep::undo,  5s,
                              "n1", "chain ORDEAL-3", "iptables -F ORDEAL-3\nexit 0"};
  const auto read = fault_record_from_json(*parse_json(to_line(to_json(record))));
  REQUIRE(read);
  REQUIRE(
      (read->step == FaultStep::undo && read->command == record.command && read->at == record.at));
  const NodeSample sample = {1s, "n2", true, "n1", 7, ""};
  const auto again = node_sample_from_json(*parse_json(to_line(to_json(sample))));
  REQUIRE(again);
  REQUIRE((again->leader == "n1" && again->term == 7 && again->answers));
}

TEST_CASE("bytes that are not UTF-8 do not break the file") {
  NodeSample sample;
  sample.error = "bad \xff byte";
  REQUIRE(parse_json(to_line(to_json(sample))));
}

TEST_CASE("the nearest word") {
  REQUIRE(nearest_word("partiton", {"kill", "partition"}) == "partition");
  REQUIRE(nearest_word("zzzz", {"kill", "partition"}).empty());
}

TEST_CASE("what is wrong in JSON is told by its place, never by its bytes") {
  CHECK(parse_json("{\n  \"a\": \xff\x1b[2J}").error().message ==
        "not JSON: wrong at line 2, column 8");
  CHECK(parse_json("").error().message == "not JSON: wrong at line 1, column 1");
  CHECK(parse_json("{\"a\": 1").error().message == "not JSON: wrong at line 1, column 8");
}
