// await_agreement against a cluster that answers from a script.

#include "clusters/cluster.h"

#include <algorithm>
#include <atomic>
#include <functional>

#include <catch2/catch.hpp>

namespace ordeal::clusters {
namespace {

class ScriptedCluster final : public Cluster {
 public:
  using Script = std::function<Result<NodeStatus>(std::size_t node, int ask)>;
  ScriptedCluster(std::size_t nodes, Script script) : asks_(nodes), script_(std::move(script)) {}

  std::string_view name() const override { return "scripted"; }
  std::vector<Function> speaks() const override { return {}; }
  std::string_view promise() const override { return ""; }
  std::vector<DefiniteError> definite_errors() const override { return {}; }
  Result<void> deploy(std::size_t) override { return {}; }
  Result<void> start(std::size_t) override { return {}; }
  Result<void> stop(std::size_t) override { return {}; }
  Result<void> wipe(std::size_t) override { return {}; }
  std::string start_command(std::size_t) const override { return ""; }
  std::string kill_command(std::size_t) const override { return ""; }
  std::string pid_command(std::size_t) const override { return ""; }
  Result<NodeStatus> status(std::size_t node, Deadline) override {
    return script_(node, asks_[node]++);
  }
  Result<std::unique_ptr<Client>> open(std::size_t) override { return error("no clients"); }
  std::vector<std::string> logs(std::size_t) const override { return {}; }

  int asks(std::size_t node) const { return asks_[node]; }

 private:
  std::vector<std::atomic<int>> asks_;
  Script script_;
};

NodeStatus follows(std::string leader, std::uint64_t term) {
  NodeStatus status;
  status.leader = std::move(leader);
  status.term = term;
  return status;
}

std::vector<Node> three_nodes() {
  std::vector<Node> nodes(3);
  for (std::size_t i = 0; i < nodes.size(); ++i) nodes[i].name = "n" + std::to_string(i + 1);
  return nodes;
}

}  // namespace

TEST_CASE("await_agreement: waits until the last node has come round") {
  ScriptedCluster cluster(3, [](std::size_t node, int ask) -> Result<NodeStatus> {
    if (node == 2 && ask == 0) return error("n3 does not answer");
    if (node == 2 && ask == 1) return follows("", 2);
    if (node == 2 && ask == 2) return follows("n1", 1);
    if (node == 2 && ask == 3) return follows("n2", 1);
    return follows("n2", 2);
  });
  const auto leader = await_agreement(cluster, three_nodes(), Deadline::after(30s));
  REQUIRE(leader);
  CHECK(*leader == "n2");
  CHECK(cluster.asks(2) == 5);
}

TEST_CASE("await_agreement: says at the deadline who does not agree, and how") {
  ScriptedCluster cluster(3, [](std::size_t node, int) -> Result<NodeStatus> {
    if (node == 0) return error("n1 does not answer: refused");
    if (node == 1) return follows("", 4);
    return follows("n3", 5);
  });
  const auto leader = await_agreement(cluster, three_nodes(), Deadline::after(60ms));
  REQUIRE_FALSE(leader);
  for (const char* part : {"scripted did not agree on a leader", "n1 does not answer: refused",
                           "n2 knows no leader (term 4)", "n3 follows n3 in term 5"})
    CHECK(leader.error().message.find(part) != std::string::npos);
}

TEST_CASE("await_agreement: one leader in two terms is no agreement") {
  ScriptedCluster cluster(
      2, [](std::size_t node, int) -> Result<NodeStatus> { return follows("n1", node); });
  auto nodes = three_nodes();
  nodes.pop_back();
  CHECK_FALSE(await_agreement(cluster, nodes, Deadline::after(10ms)));
}

TEST_CASE("cluster kinds: named once, each with a summary") {
  std::vector<std::string_view> seen;
  for (const ClusterKind& kind : cluster_kinds()) {
    CHECK(std::count(seen.begin(), seen.end(), kind.name) == 0);
    CHECK_FALSE(kind.summary.empty());
    REQUIRE(kind.make != nullptr);
    // One of the user's own is named by its TOML, and made from nothing else.
    if (kind.name != "custom") CHECK(kind.make({}, {})->name() == kind.name);
    seen.push_back(kind.name);
  }
  CHECK(std::count(seen.begin(), seen.end(), "etcd") == 1);
}

}  // namespace ordeal::clusters
