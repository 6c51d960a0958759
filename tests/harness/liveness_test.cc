#include "harness/liveness.h"

#include <catch2/catch.hpp>

#include "workloads/generator.h"

using namespace ordeal;
using namespace ordeal::harness;
using workloads::Context;
using workloads::Done;
using workloads::Next;

namespace {

// Two nodes that served soon and one that never did, on machines that are well.
Liveness one_left_broken() {
  Liveness liveness;
  liveness.deadline = 30s;
  liveness.watched = 60s;
  liveness.operation_timeout = 1s;
  liveness.all_undone = true;
  for (const char* name : {"n1", "n2", "n3"}) {
    NodeService& node = liveness.nodes.emplace_back();
    node.node = name;
    node.tried = 60;
    node.served_after = 2s;
    node.slowest_command = 20ms;
  }
  liveness.nodes[2].served_after.reset();
  liveness.nodes[2].last_error = "UNAVAILABLE";
  return liveness;
}

}  // namespace

TEST_CASE("a node that never serves again is a finding, which names it, the time and the error") {
  const Liveness liveness = one_left_broken();
  const CheckReport report = check_liveness(liveness);
  REQUIRE(report.answer == CheckReport::Answer::invalid);
  REQUIRE(report.findings.size() == 1);
  const Finding& finding = report.findings.front();
  CHECK(finding.kind == FindingKind::no_recovery);
  CHECK(finding.headline.find("n3 did not recover") == 0);
  CHECK(finding.headline.find(to_text(liveness.watched)) != std::string::npos);
  CHECK(finding.at == 60s);
  std::string reasons;
  for (const Reason& reason : finding.reasons) reasons += reason.text + "\n";
  CHECK(reasons.find("UNAVAILABLE") != std::string::npos);
  CHECK(reasons.find("60 operations") != std::string::npos);
  CHECK(unsure_of(liveness).empty());
}

TEST_CASE("nobody is accused who may only be slow") {
  Liveness liveness = one_left_broken();
  NodeService& broken = liveness.nodes[2];
  SECTION("it served late") {
    broken.served_after = 41s;
    REQUIRE(unsure_of(liveness).size() == 1);
    CHECK(unsure_of(liveness).front().find("n3 served only 41") == 0);
  }
  SECTION("its machine was slow") { broken.slowest_command = 700ms; }
  SECTION("it was hardly tried") { broken.tried = 2; }
  SECTION("a fault may still be on") { liveness.all_undone = false; }
  CHECK(check_liveness(liveness).answer == CheckReport::Answer::valid);
  CHECK(unsure_of(liveness).size() == 1);
}

TEST_CASE("a server that ended by itself is no PASS, and a node without a client is not judged") {
  Liveness liveness = one_left_broken();
  liveness.nodes[2] = {"n3", 0, {}, "", false, {}};
  CHECK(check_liveness(liveness).findings.empty());
  CHECK(unsure_of(liveness).empty());
  liveness.nodes[0].was_started = true;
  CHECK(unsure_of(liveness).size() == 1);
}

TEST_CASE("what was seen after healing survives its file") {
  const Liveness liveness = one_left_broken();
  const auto read = liveness_from_json(to_json(liveness));
  REQUIRE(read);
  CHECK(to_json(*read) == to_json(liveness));
}

TEST_CASE("clients go on where the main phase ended, until every node has served") {
  auto count = std::make_shared<std::int64_t>(0);
  const auto asking = std::make_shared<workloads::Generator>(workloads::from([count](Rng&) {
    return Request{Function::write, "x", ++*count};
  }));
  Rng rng(1);
  auto main = shared(asking);
  const Context first{1s, 0, 3};
  for (std::int64_t i = 1; i <= 4; ++i) {
    const auto step = main.next(first, rng);
    REQUIRE(std::get<Next>(step).request.argument == Value(i));
    main.completed(first, std::get<Next>(step).request, {});
  }
  const auto nodes = std::make_shared<std::vector<NodeService>>(3);
  auto after = until_served(asking, 10s, nodes);
  const auto ask = [&](std::size_t worker, const Completion& completion) {
    const Context context{Nanoseconds(static_cast<std::int64_t>(worker)), worker, 3};
    const auto step = after.next(context, rng);
    if (std::holds_alternative<Done>(step)) return false;
    const auto& next = std::get<Next>(step);
    CHECK(next.due >= context.now);
    CHECK(next.due < 1s);  // on the clock of this phase
    after.completed(context, next.request, completion);
    return true;
  };
  CHECK(ask(0, {Outcome::ok, {}, {}}));
  CHECK(*count == 5);  // it did not begin again
  CHECK(ask(1, {Outcome::info, {}, "timeout"}));
  CHECK(ask(2, {Outcome::fail, {}, "cas-mismatch"}));  // an answer
  CHECK(ask(0, {Outcome::ok, {}, {}}));
  CHECK(ask(1, {Outcome::fail, {}, "no-client: refused"}));
  CHECK(ask(1, {Outcome::ok, {}, {}}));
  CHECK_FALSE(ask(0, {}));
  CHECK_FALSE(ask(1, {}));
  CHECK((*nodes)[1].tried == 3);
  CHECK((*nodes)[1].last_error == "no-client: refused");
  CHECK((*nodes)[2].served_after == Nanoseconds(2));
}

TEST_CASE("nodes without a client of the main phase are judged in a round of their own") {
  const auto asking = std::make_shared<workloads::Generator>(workloads::from([](Rng&) {
    return Request{Function::write, "x", 1};
  }));
  Rng rng(1);
  const auto nodes = std::make_shared<std::vector<NodeService>>(3);
  auto after = until_served(asking, 0s, nodes, 2);  // its one client is the third node's
  const Context context{0s, 0, 1};
  const auto step = after.next(context, rng);
  REQUIRE(std::holds_alternative<Next>(step));
  after.completed(context, std::get<Next>(step).request, {Outcome::ok, {}, {}});
  CHECK(std::holds_alternative<Done>(after.next(context, rng)));
  CHECK((*nodes)[0].tried == 0);
  CHECK((*nodes)[2].served_after);
}
