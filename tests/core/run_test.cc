#include "core/run.h"

#include <catch2/catch.hpp>

using namespace ordeal;

TEST_CASE("a fault is healed only when every held undo is proven done") {
  FaultSpec spec;
  spec.id = 1;
  std::vector<FaultRecord> ledger = {{1, FaultStep::undo, 1s, "n1", "", "u1"},
                                     {1, FaultStep::undo, 1s, "n2", "", "u2"},
                                     {1, FaultStep::inject, 1s, "", "n1 | n2", ""},
                                     {1, FaultStep::injected, 2s, "", "", ""},
                                     {1, FaultStep::effect, 3s, "n1", "4 dropped", ""},
                                     {2, FaultStep::effect, 3s, "n1", "other", ""},
                                     {1, FaultStep::healed, 5s, "n1", "", ""}};
  FaultSummary summary = summarize({spec}, ledger).at(0);
  REQUIRE_FALSE(summary.healed);
  REQUIRE_FALSE(summary.ended);
  REQUIRE(summary.evidence == std::vector<std::string>{"n1: 4 dropped"});
  ledger.push_back({1, FaultStep::healed, 6s, "n2", "", ""});
  summary = summarize({spec}, ledger).at(0);
  REQUIRE((summary.healed && summary.ended == Nanoseconds(6s) && summary.began == Nanoseconds(2s)));
}

TEST_CASE("a fault that never began has no times and no evidence") {
  const FaultSummary summary = summarize({FaultSpec{}}, {}).at(0);
  REQUIRE_FALSE(summary.began);
  REQUIRE_FALSE(summary.took_effect);
}

TEST_CASE("a leader counts once it says so itself, terms rising") {
  const std::vector<NodeSample> samples = {
      {1s, "n2", true, "n1", 2, ""},    {2s, "n1", true, "n1", 2, ""},
      {3s, "n2", true, "n2", 3, ""},    {4s, "n1", true, "n1", 2, ""},
      {5s, "n3", false, "", 0, "down"}, {6s, "n1", true, "n1", 4, ""}};
  const auto changes = leader_changes(samples);
  REQUIRE(changes.size() == 3);
  REQUIRE((changes[0].from.empty() && changes[0].to == "n1" && changes[0].at == Nanoseconds(2s)));
  REQUIRE((changes[1].from == "n1" && changes[1].to == "n2" && changes[1].term == 3));
  REQUIRE((changes[2].from == "n2" && changes[2].to == "n1"));
}

TEST_CASE("the worst verdict wins and a proven violation outlives trouble") {
  REQUIRE(worst(Verdict::pass, Verdict::inconclusive) == Verdict::inconclusive);
  REQUIRE(worst(Verdict::broken, Verdict::inconclusive) == Verdict::broken);
  REQUIRE(worst(Verdict::fail, Verdict::broken) == Verdict::fail);
  REQUIRE((exit_code(Verdict::pass) == 0 && exit_code(Verdict::fail) == 1));
  REQUIRE((exit_code(Verdict::inconclusive) == 2 && exit_code(Verdict::broken) == 3));
}
