#include "nemesis/arena.h"

#include <catch2/catch.hpp>

#include "tests/clusters/local_remote.h"
#include "tests/nemesis/sleeper_cluster.h"

using namespace ordeal;
using namespace ordeal::nemesis;

TEST_CASE("what a node prints of itself is read, and only what others can know it by is kept") {
  clusters::Node node;
  node.port = 2022;
  const NodeFacts facts = parse_facts(
      "ssh 10.0.0.254 51234 10.0.0.1 22\n10.0.0.1 127.0.0.1 fe80::1%eth0 169.254.3.4\n"
      "FD00:0::1 ::1 10.0.0.1 nonsense 172.17.0.1\n",
      node);
  CHECK(facts.addresses == std::vector<std::string>{"10.0.0.1", "fd00::1", "172.17.0.1"});
  CHECK(facts.controllers == std::vector<std::string>{"10.0.0.254"});
  CHECK(facts.ssh_port == 22);
}

TEST_CASE("without SSH's own word the inventory's port counts") {
  clusters::Node node;
  node.port = 2022;
  CHECK(parse_facts("ssh \n10.0.0.1\n", node).ssh_port == 2022);
  node.port = 0;
  CHECK(parse_facts("ssh \n10.0.0.1\n", node).ssh_port == 22);
  CHECK(parse_facts("ssh \n10.0.0.1\n", node).controllers.empty());
}

TEST_CASE("addresses that several nodes have tell nobody apart") {
  clusters::LocalRemote first("n1"), second("n2");
  SleeperCluster cluster({});
  const Arena arena = make_arena(
      {&first, &second},
      {{{"10.0.0.1", "172.17.0.1"}, {}, 22}, {{"10.0.0.2", "172.17.0.1"}, {"10.0.0.9"}, 23}},
      cluster);
  CHECK(arena.addresses == std::vector<std::vector<std::string>>{{"10.0.0.1"}, {"10.0.0.2"}});
  CHECK(arena.nodes == std::vector<std::string>{"n1", "n2"});
  CHECK(arena.ssh_ports == std::vector<std::uint16_t>{22, 23});
  CHECK(arena.controllers[1] == std::vector<std::string>{"10.0.0.9"});
}

TEST_CASE("the command that asks a node for its facts works on this one") {
  clusters::LocalRemote remote;
  const auto printed = remote.run({facts_command(), {}});
  REQUIRE(printed);
  CHECK(printed->ok());
  CHECK(printed->out.rfind("ssh ", 0) == 0);
}
