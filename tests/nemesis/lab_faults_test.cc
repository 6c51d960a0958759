// Faults on lab nodes over SSH, judged from outside: datagrams and connections from every node to
// every other one by IPv4 and IPv6. Needs root; says so and passes without.

#include <csignal>

#include <catch2/catch.hpp>
#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clusters/lab/lab.h"
#include "clusters/remote.h"
#include "nemesis/links.h"
#include "nemesis/nemesis.h"
#include "tests/nemesis/lab_field.h"
#include "tests/nemesis/node_sockets.h"

using namespace ordeal;
using namespace ordeal::nemesis;
using clusters::Remote;

namespace {

FaultSpec partition(const std::string& shape, const std::string& one_way) {
  FaultSpec spec;
  spec.id = 1;
  spec.kind = "partition";
  spec.parameters["shape"] = shape;
  if (!one_way.empty()) spec.parameters["one_way"] = one_way;
  spec.draw = 77;
  spec.duration = 1h;
  return spec;
}

FaultSpec kill(const std::string& targets) {
  FaultSpec spec;
  spec.id = 1;
  spec.kind = "kill";
  spec.targets = targets;
  spec.draw = 5;
  spec.duration = 1h;
  return spec;
}

Matrix expected_open(const Links& links) {
  Matrix open(node_count, std::vector<bool>(node_count, true));
  for (std::size_t to = 0; to < node_count; ++to) {
    for (const std::size_t from : links.deaf_to[to]) open[from][to] = false;
  }
  return open;
}

// A connection needs both directions.
Matrix both_ways(const Matrix& open) {
  Matrix both = open;
  for (std::size_t a = 0; a < open.size(); ++a) {
    for (std::size_t b = 0; b < open.size(); ++b) both[a][b] = open[a][b] && open[b][a];
  }
  return both;
}

}  // namespace

TEST_CASE(
    "every shape of partition cuts exactly its links on real nodes, and nothing is left of it",
    "[lab]") {
  if (no_lab()) return;
  Lab lab("shapes");
  Field field(lab.lab.inventory());
  field.add_foreign_rules();
  const NodeSockets sockets(field.remotes);
  const std::string before = field.rules();
  REQUIRE(before.find("ORDEAL-users") != std::string::npos);
  const Matrix all_open(node_count, std::vector<bool>(node_count, true));
  for (const bool six : {false, true}) {
    REQUIRE(sockets.datagrams(six) == all_open);
    REQUIRE(sockets.connections(six) == all_open);
  }
  std::vector<std::string> names;
  for (const Remote* remote : field.remotes) names.push_back(remote->node().name);

  for (const std::string shape : {"halves", "one", "majority-ring", "bridge", "leader"}) {
    for (const std::string one_way : {"", "mute", "deaf"}) {
      const FaultSpec spec = partition(shape, one_way);
      const Links links = or_fail(resolve_links(spec, names, 2));
      const Matrix open = expected_open(links);
      NemesisOptions options;
      options.ledger = lab.scratch / "faults.jsonl";
      const RunClock clock;
      auto nemesis = Nemesis::prepare(field.remotes, lab.cluster, {spec}, options, clock);
      if (!nemesis) FAIL(nemesis.error().message);
      Running running(**nemesis, clock, spec);
      const bool injected = running.await(FaultStep::injected, 1);
      INFO(shape << " " << one_way << ": " << links.resolved << "\n" << running.told());
      REQUIRE(injected);
      for (const bool six : {false, true}) {
        INFO((six ? "IPv6" : "IPv4"));
        CHECK(sockets.datagrams(six) == open);
        CHECK(sockets.connections(six) == both_ways(open));
      }
      std::size_t receivers = 0;
      for (const auto& deaf : links.deaf_to) receivers += deaf.empty() ? 0U : 1U;
      CHECK(running.await(FaultStep::effect, receivers));
      running.stop();
      INFO(running.told());
      CHECK(running.count(FaultStep::healed) == receivers);
      CHECK(running.count(FaultStep::failed) == 0);
      CHECK(field.rules() == before);
      CHECK(sockets.datagrams(true) == all_open);
    }
  }
}

TEST_CASE("what an earlier run left is swept, and nothing else", "[lab]") {
  if (no_lab()) return;
  Lab lab("sweep");
  Field field(lab.lab.inventory());
  field.add_foreign_rules();
  const std::string before = field.rules();
  for (const std::string tool : {"iptables", "ip6tables"}) {
    // A chain with two jumps, one without any, and one of somebody else's with a similar name.
    field.on(1, fmt::format(
                    "for n in 3 71; do {0} -N ORDEAL-$n; {0} -A ORDEAL-$n -p udp -j DROP; done;"
                    "for n in 1 2; do {0} -I INPUT -m comment --comment ordeal -j ORDEAL-3; done",
                    tool));
  }
  CHECK(field.rules() != before);
  NemesisOptions options;
  options.ledger = lab.scratch / "faults.jsonl";
  const auto nemesis = Nemesis::prepare(field.remotes, lab.cluster, {}, options, RunClock());
  if (!nemesis) FAIL(nemesis.error().message);
  CHECK(field.rules() == before);
}

TEST_CASE("an undo is idempotent, and undoes what was injected twice", "[lab]") {
  if (no_lab()) return;
  Lab lab("twice");
  Field field(lab.lab.inventory());
  field.add_foreign_rules();
  const std::string before = field.rules();
  Arena arena;
  for (const clusters::Node& node : lab.lab.inventory().nodes) {
    arena.nodes.push_back(node.name);
    arena.addresses.push_back({node.service_address(), "fd00::" + node.name.substr(1)});
    arena.controllers.emplace_back();
    arena.ssh_ports.push_back(22);
  }
  const auto injection = fault_named("partition")->plan(partition("one", ""), arena);
  REQUIRE(injection);
  for (const NodeAction& action : injection->actions) {
    CHECK_FALSE(field.output_of(action.node, action.effect).ok());
    field.on(action.node, action.undo);  // before anything is there
    field.on(action.node, action.inject);
    CHECK_FALSE(field.output_of(action.node, action.healed).ok());
    field.on(action.node, action.inject);
    for (int i = 0; i < 3; ++i) {
      const clusters::Output undone = field.output_of(action.node, action.undo);
      CHECK(undone.exit_status == 0);
      CHECK(undone.out + undone.err == "");
    }
    field.on(action.node, action.healed);
  }
  CHECK(field.rules() == before);
}

TEST_CASE("servers are killed and run again on real nodes", "[lab]") {
  if (no_lab()) return;
  Lab lab("kills");
  Field field(lab.lab.inventory());
  const auto pids = [&] {
    std::vector<std::string> list;
    for (std::size_t node = 0; node < node_count; ++node) {
      list.push_back(field.output_of(node, lab.cluster.pid_command(node)).out);
    }
    return list;
  };
  for (std::size_t node = 0; node < node_count; ++node)
    field.on(node, lab.cluster.start_command(node));
  for (const auto& [targets, count] : std::map<std::string, std::size_t>{
           {"one", 1}, {"leader", 1}, {"minority", 2}, {"majority", 3}, {"all", 5}}) {
    const auto before = pids();
    const FaultSpec spec = kill(targets);
    NemesisOptions options;
    options.ledger = lab.scratch / "faults.jsonl";
    const RunClock clock;
    auto nemesis = Nemesis::prepare(field.remotes, lab.cluster, {spec}, options, clock);
    if (!nemesis) FAIL(nemesis.error().message);
    Running running(**nemesis, clock, spec);
    CHECK(running.await(FaultStep::effect, count));
    const auto during = pids();
    CHECK(static_cast<std::size_t>(std::count(during.begin(), during.end(), "")) == count);
    if (targets == "leader") CHECK(during[2].empty());
    running.stop();
    INFO(targets << "\n" << running.told());
    CHECK(running.count(FaultStep::healed) == count);
    CHECK(running.count(FaultStep::failed) == 0);
    const auto after = pids();
    for (std::size_t node = 0; node < node_count; ++node) {
      CHECK_FALSE(after[node].empty());
      CHECK((after[node] == before[node]) == !during[node].empty());
    }
  }
}

TEST_CASE("the nodes heal by themselves when Ordeal is killed or stopped in the middle of a fault",
          "[lab]") {
  if (no_lab()) return;
  for (const int signal : {SIGKILL, SIGSTOP}) {
    for (const FaultSpec& spec : {partition("halves", ""), kill("majority")}) {
      Lab lab("death");
      INFO("signal " << signal << ", " << spec.kind);
      int ends[2];
      REQUIRE(::pipe(ends) == 0);
      const pid_t controller = ::fork();
      if (controller == 0) {
        // Ordeal: all servers up, then the fault for an hour.
        const Field field(lab.lab.inventory());
        for (std::size_t node = 0; node < node_count; ++node)
          field.on(node, lab.cluster.start_command(node));
        NemesisOptions options;
        options.ledger = lab.scratch / "faults.jsonl";
        const RunClock clock;
        auto nemesis = Nemesis::prepare(field.remotes, lab.cluster, {spec}, options, clock);
        if (!nemesis) ::_exit(1);
        (*nemesis)->run({spec}, clock.now(), third,
                        [&](const FaultRecord& record) {
                          if (record.step == FaultStep::injected) (void)!::write(ends[1], "y", 1);
                        },
                        {});
        ::_exit(2);
      }
      ::close(ends[1]);
      char answer = '?';
      const bool injected = ::read(ends[0], &answer, 1) == 1;
      ::close(ends[0]);
      const Field field(lab.lab.inventory());
      const auto harmed = [&] {
        std::size_t count = 0;
        for (std::size_t node = 0; node < node_count; ++node) {
          const bool cut =
              field.on(node, "iptables-save; ip6tables-save").find("ORDEAL") != std::string::npos;
          const bool dead = !field.output_of(node, lab.cluster.pid_command(node)).ok();
          count += cut || dead ? 1U : 0U;
        }
        return count;
      };
      CHECK(injected);
      CHECK(harmed() == (spec.kind == "kill" ? 3U : 5U));
      ::kill(controller, signal);
      CHECK(eventually([&] { return harmed() == 0; }));
      ::kill(controller, SIGKILL);
      ::waitpid(controller, nullptr, 0);
      const auto pending = pending_undos(or_fail(read_ledger(lab.scratch / "faults.jsonl")));
      CHECK(pending.size() ==
            harmed() + (spec.kind == "kill" ? 3U : 5U));  // `ordeal heal` would find them
      for (const PendingUndo& undo : pending) {
        for (std::size_t node = 0; node < node_count; ++node) {
          if (field.remotes[node]->node().name == undo.node) field.on(node, undo.command);
        }
      }
      CHECK(harmed() == 0);
    }
  }
}
