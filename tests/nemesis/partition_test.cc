// The planned commands of partitions, read back as rules.

#include <algorithm>
#include <map>
#include <regex>
#include <set>

#include <catch2/catch.hpp>

#include "nemesis/fault.h"
#include "nemesis/links.h"

using ordeal::FaultSpec;
using ordeal::Rng;
using namespace ordeal::nemesis;

namespace {

struct Rule {
  std::string source, match, target;
};
struct Table {
  std::vector<std::string> lines;
  std::vector<Rule> rules;
};

// The lines that each tool is fed with.
std::map<std::string, Table> tables_of(const std::string& command) {
  std::map<std::string, Table> tables;
  const std::regex feed(
      "printf '%s\\\\n' (.*) \\| (ip6?tables)-restore --noflush -w 5 \\|\\| exit 1");
  const std::regex quoted("'([^']*)'");
  const std::regex rule("-A ORDEAL-\\d+ (?:-s (\\S+) )?(.*)-m comment --comment ordeal -j (\\S+)");
  std::istringstream lines(command);
  for (std::string line; std::getline(lines, line);) {
    std::smatch found;
    if (!std::regex_match(line, found, feed)) continue;
    const std::string fed = found[1];
    Table& table = tables[found[2]];
    for (std::sregex_iterator word(fed.begin(), fed.end(), quoted), end; word != end; ++word) {
      const std::string text = (*word)[1];
      table.lines.push_back(text);
      std::smatch parts;
      if (std::regex_match(text, parts, rule))
        table.rules.push_back({parts[1], parts[2], parts[3]});
    }
  }
  return tables;
}

Arena arena(std::size_t nodes) {
  Arena field;
  for (std::size_t i = 1; i <= nodes; ++i) {
    field.nodes.push_back("n" + std::to_string(i));
    field.addresses.push_back({"10.0.0." + std::to_string(i), "192.168.7." + std::to_string(i),
                               "fd00::" + std::to_string(i)});
    field.controllers.push_back({i % 2 == 0 ? "10.0.0.254" : "fd00::fe"});
    field.ssh_ports.push_back(static_cast<std::uint16_t>(2200 + i));
  }
  return field;
}

FaultSpec spec(const std::string& shape, const std::string& one_way, std::uint64_t draw) {
  FaultSpec fault;
  fault.id = 12;
  fault.kind = "partition";
  fault.parameters["shape"] = shape;
  if (!one_way.empty()) fault.parameters["one_way"] = one_way;
  fault.draw = draw;
  return fault;
}

const Fault& partition() { return *fault_named("partition"); }

std::set<std::string> dropped(const Table& table) {
  std::set<std::string> sources;
  for (const Rule& rule : table.rules) {
    if (rule.target == "DROP") sources.insert(rule.source);
  }
  return sources;
}

}  // namespace

TEST_CASE("the planned rules drop every address of exactly those nodes that shall not be heard") {
  for (const std::string shape : {"halves", "one", "majority-ring", "bridge", "leader"}) {
    for (const std::string one_way : {"", "mute", "deaf"}) {
      for (std::size_t nodes = 3; nodes <= 7; ++nodes) {
        Arena field = arena(nodes);
        field.leader = nodes - 1;
        const FaultSpec fault = spec(shape, one_way, nodes);
        const auto injection = partition().plan(fault, field);
        REQUIRE(injection);
        const auto links = resolve_links(fault, field.nodes, field.leader);
        std::vector<std::set<std::size_t>> planned(nodes);
        for (const NodeAction& action : injection->actions) {
          INFO(shape << " " << one_way << " on " << field.nodes[action.node] << "\n"
                     << action.inject);
          const auto tables = tables_of(action.inject);
          REQUIRE(tables.size() == 2);
          std::set<std::string> four, six;
          for (const std::size_t source : links->deaf_to[action.node]) {
            four.insert(field.addresses[source][0]);
            four.insert(field.addresses[source][1]);
            six.insert(field.addresses[source][2]);
          }
          CHECK(dropped(tables.at("iptables")) == four);
          CHECK(dropped(tables.at("ip6tables")) == six);
          CHECK_FALSE(four.empty());
          planned[action.node] = links->deaf_to[action.node];
        }
        CHECK(planned == links->deaf_to);
      }
    }
  }
}

TEST_CASE("our own way to the node is let through before anything is dropped") {
  Arena field = arena(5);
  const auto injection = partition().plan(spec("halves", "", 3), field);
  REQUIRE(injection);
  for (const NodeAction& action : injection->actions) {
    const std::string port = std::to_string(field.ssh_ports[action.node]);
    for (const auto& [tool, table] : tables_of(action.inject)) {
      INFO(tool << "\n" << action.inject);
      REQUIRE(table.lines.size() > 4);
      CHECK(table.lines.front() == "*filter");
      CHECK(table.lines[1] == ":ORDEAL-12 - [0:0]");
      CHECK(table.lines[table.lines.size() - 2] ==
            "-I INPUT 1 -m comment --comment ordeal -j ORDEAL-12");
      CHECK(table.lines.back() == "COMMIT");
      bool dropping = false, ssh = false, controller = false, neighbours = tool == "iptables";
      for (const Rule& rule : table.rules) {
        dropping = dropping || rule.target == "DROP";
        if (rule.target != "RETURN") continue;
        CHECK_FALSE(dropping);
        ssh = ssh || rule.match == "-p tcp --dport " + port + " ";
        controller = controller || rule.source == field.controllers[action.node].front();
        neighbours = neighbours || rule.match.find("--icmpv6-type 135") != std::string::npos;
      }
      CHECK(ssh);
      CHECK(neighbours);
      const bool same_family = (field.controllers[action.node].front().find(':') !=
                                std::string::npos) == (tool == "ip6tables");
      CHECK(controller == same_family);
      for (const std::string& own : field.addresses[action.node])
        CHECK(dropped(table).count(own) == 0);
      for (const std::string& ours : field.controllers[action.node])
        CHECK(dropped(table).count(ours) == 0);
    }
  }
}

TEST_CASE("an address that the receiving node has too is not dropped") {
  Arena field = arena(3);
  field.addresses[1].push_back("172.17.0.1");
  field.addresses[0].push_back("172.17.0.1");
  field.leader = 1;
  const auto injection = partition().plan(spec("leader", "", 3), field);
  REQUIRE(injection);
  for (const NodeAction& action : injection->actions) {
    const auto tables = tables_of(action.inject);
    CHECK(dropped(tables.at("iptables")).count("172.17.0.1") == (action.node == 2 ? 1 : 0));
  }
}

TEST_CASE("ip6tables is left alone where no IPv6 is in play") {
  Arena field = arena(3);
  for (auto& addresses : field.addresses) addresses.pop_back();
  auto injection = partition().plan(spec("one", "", 3), field);
  REQUIRE(injection);
  for (const NodeAction& action : injection->actions) {
    for (const std::string& command : {action.inject, action.undo, action.effect, action.healed}) {
      CHECK(command.find("ip6tables") == std::string::npos);
      CHECK(command.find("iptables") != std::string::npos);
    }
  }
  // Only one of three has it: it can be reached by nobody that way.
  field.addresses[0].push_back("fd00::1");
  injection = partition().plan(spec("one", "", 3), field);
  REQUIRE(injection);
  for (const NodeAction& action : injection->actions) {
    CHECK(action.inject.find("ip6tables") == std::string::npos);
  }
}

TEST_CASE("Ordeal never cuts the machine that it runs on, and says why") {
  Arena field = arena(3);
  for (auto& controllers : field.controllers) controllers = {"10.0.0.2"};
  field.leader = 1;
  const auto injection = partition().plan(spec("leader", "", 3), field);
  REQUIRE_FALSE(injection);
  CHECK(injection.error().message.find("n2 has the address 10.0.0.2") != std::string::npos);
}

TEST_CASE("nodes by name, or a zone, are cut from the others") {
  Arena field = arena(4);
  field.zones = {"a", "b", "a", "b"};
  const Fault& partition = *fault_named("partition");
  FaultSpec spec;
  spec.id = 1;
  spec.parameters["shape"] = "n4,n2";
  const auto named = partition.plan(spec, field);
  REQUIRE(named);
  CHECK(named->resolved == "n2 n4 | n1 n3");
  CHECK(named->actions.size() == 4);
  spec.parameters["shape"] = "zone:a";
  spec.parameters["one_way"] = "mute";
  const auto zone = partition.plan(spec, field);
  REQUIRE(zone);
  CHECK(zone->resolved == "n1 n3 | n2 n4, cut one way: n1 n3 to n2 n4");
  REQUIRE(zone->actions.size() == 2);  // only the others are made deaf
  CHECK(zone->actions[0].node == 1);
  CHECK(zone->actions[1].node == 3);
  for (const char* wrong : {"zone:c", "n9", "halve", "n1,n2,n3,n4"}) {
    spec.parameters["shape"] = wrong;
    CHECK_FALSE(partition.plan(spec, field));
  }
}

TEST_CASE("nodes that cannot be told apart cannot be partitioned") {
  Arena field = arena(3);
  for (auto& addresses : field.addresses) addresses.clear();
  const auto injection = partition().plan(spec("one", "", 3), field);
  REQUIRE_FALSE(injection);
  CHECK(injection.error().message.find("no address is known") != std::string::npos);
}

TEST_CASE("no command of a partition touches what is not ours") {
  Arena field = arena(5);
  Rng rng(5);
  for (int i = 0; i < 50; ++i) {
    FaultSpec fault = partition().draw(rng, 5);
    fault.id = 12;
    const auto injection = partition().plan(fault, field);
    REQUIRE(injection);
    CHECK_FALSE(injection->resolved.empty());
    for (const NodeAction& action : injection->actions) {
      for (const std::string& command : {action.inject, action.undo, partition().sweep("")}) {
        CHECK(command.find("-F\n") == std::string::npos);
        CHECK(command.find("-F INPUT") == std::string::npos);
        CHECK(command.find("-P ") == std::string::npos);
        CHECK(command.find("FORWARD") == std::string::npos);
        CHECK(command.find("-F OUTPUT") == std::string::npos);
      }
      CHECK((action.inject + action.undo).find("OUTPUT") == std::string::npos);
      CHECK(action.undo.find("drop_chain iptables ORDEAL-12 ") != std::string::npos);
    }
    const auto again = partition().plan(fault, field);
    REQUIRE(again);
    CHECK(again->actions.front().inject == injection->actions.front().inject);
  }
}
