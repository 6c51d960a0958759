#include <set>

#include <catch2/catch.hpp>

#include "nemesis/fault.h"
#include "tests/nemesis/sleeper_cluster.h"

using namespace ordeal;
using namespace ordeal::nemesis;

namespace {

struct Plan {
  std::set<std::size_t> nodes;
  std::string resolved;
};

Plan plan(const std::string& targets, std::size_t count, std::uint64_t draw,
          std::optional<std::size_t> leader = std::nullopt) {
  SleeperCluster cluster(std::vector<std::string>(count, "/tmp"));
  Arena arena;
  for (std::size_t i = 1; i <= count; ++i) arena.nodes.push_back("n" + std::to_string(i));
  arena.leader = leader;
  arena.cluster = &cluster;
  FaultSpec spec;
  spec.kind = "kill";
  spec.targets = targets;
  spec.draw = draw;
  const auto injection = fault_named("kill")->plan(spec, arena);
  REQUIRE(injection);
  Plan result{{}, injection->resolved};
  for (const NodeAction& action : injection->actions) {
    CHECK(action.undo == cluster.start_command(action.node));
    CHECK(action.inject.find(cluster.kill_command(action.node)) != std::string::npos);
    result.nodes.insert(action.node);
  }
  CHECK(result.nodes.size() == injection->actions.size());
  return result;
}

}  // namespace

TEST_CASE("kill targets are what their rule says") {
  for (std::size_t count = 1; count <= 7; ++count) {
    std::set<std::size_t> ones;
    for (std::uint64_t draw = 0; draw < 60; ++draw) {
      CHECK(plan("majority", count, draw).nodes.size() == count / 2 + 1);
      CHECK(plan("all", count, draw).nodes.size() == count);
      if (count >= 3) CHECK(plan("minority", count, draw).nodes.size() == (count - 1) / 2);
      const std::size_t leader = draw % count;
      CHECK(plan("leader", count, draw, leader).nodes == std::set<std::size_t>{leader});
      const Plan one = plan("one", count, draw);
      REQUIRE(one.nodes.size() == 1);
      ones.insert(*one.nodes.begin());
    }
    CHECK(ones.size() == count);
  }
}

TEST_CASE("a kill of a leader that nobody knows says so") {
  const Plan blind = plan("leader", 5, 3);
  CHECK(blind.nodes.size() == 1);
  CHECK(blind.resolved.find("no leader known") != std::string::npos);
  CHECK(plan("leader", 5, 3, 2).resolved == "n3");
  CHECK(plan("all", 3, 3).resolved == "n1 n2 n3");
}

TEST_CASE("drawn kills fit the number of nodes") {
  for (std::size_t count = 1; count <= 7; ++count) {
    Rng rng(count);
    std::set<std::string> drawn;
    for (int i = 0; i < 300; ++i) drawn.insert(fault_named("kill")->draw(rng, count).targets);
    CHECK(drawn.count("leader") == 1);
    CHECK(drawn.count("minority") == (count >= 5 ? 1U : 0U));
    CHECK(drawn.count("majority") == (count >= 3 ? 1U : 0U));
  }
}
