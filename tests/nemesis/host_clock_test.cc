// The clock of a whole machine: what would be done to one that has a clock of its own, which no
// test may have. The program for nodes and systemctl are stand-ins that note what they are asked.

#include <catch2/catch.hpp>
#include <fmt/core.h>

#include "nemesis/fault.h"
#include "nemesis/nemesis.h"
#include "tests/clusters/local_remote.h"
#include "tests/nemesis/scratch.h"
#include "tests/nemesis/sleeper_cluster.h"

using namespace ordeal;
using namespace ordeal::nemesis;

namespace {

struct Machine {
  Machine() {
    arena.nodes = {"n1"};
    arena.cluster = &cluster;
    arena.directory = scratch / "ordeal";
    stand_in("ordeal/bin/ordeal-node", "true");
    stand_in("bin/pgrep", "false");
    // One time service runs until it is stopped.
    stand_in("bin/systemctl", fmt::format("case \"$*\" in\n"
                                          "*is-active*chrony) [ ! -e {0} ];;\n"
                                          "*is-active*) false;;\n"
                                          "'stop chrony') touch {0};;\n"
                                          "'start chrony') rm -f {0};;\n"
                                          "esac",
                                          scratch / "stopped"));
    spec.id = 3;
    spec.kind = "host-clock";
    spec.targets = "all";
    spec.parameters = {{"shape", "jump"}, {"offset_ms", -5000}};
  }
  void stand_in(const std::string& name, const std::string& does) {
    REQUIRE(remote.upload(
        fmt::format("#!/bin/sh\necho \"${{0##*/}} $*\" >>{}\n{}\n", scratch / "asked", does),
        scratch / name, 0755, 10s));
  }
  // In the place of a machine with a kernel of its own.
  clusters::Output run(std::string command) {
    for (const auto& [what, instead] :
         {std::pair{"/proc/sys/kernel/random/boot_id", "boot"}, {"/proc/2/comm", "comm"}}) {
      for (std::size_t at; (at = command.find(what)) != std::string::npos;)
        command.replace(at, std::string(what).size(), scratch / instead);
    }
    REQUIRE(write_file(scratch / "boot", "another\n"));
    return remote.run({fmt::format("PATH={}:$PATH\n{}", scratch / "bin", command), {}}).value();
  }
  std::string asked() {
    std::string text = scratch.read("asked");
    std::filesystem::remove(scratch / "asked");
    return text;
  }

  Scratch scratch;
  clusters::LocalRemote remote;
  SleeperCluster cluster{{scratch / "server"}};
  Arena arena;
  FaultSpec spec;
};

}  // namespace

TEST_CASE("the clock of the machine that Ordeal runs on is refused in a sentence") {
  Machine machine;
  const Fault& fault = *fault_named("host-clock");
  CHECK(fault.by_name_only());
  const auto answer = machine.remote.run({fault.probe(machine.arena, 0), {}}).value();
  CHECK(answer.exit_status == 1);
  CHECK(answer.err == "it has the clock of the machine that Ordeal runs on, which is never set\n");
  // An injection asks once more, before it stops or sets anything.
  const auto injection = fault.plan(machine.spec, machine.arena);
  REQUIRE(injection);
  CHECK_FALSE(machine.remote.run({injection->actions.front().inject, {}}).value().ok());
  CHECK(machine.asked().empty());
  REQUIRE(write_file(machine.scratch / "comm", "bash\n"));
  CHECK(machine.run(fault.probe(machine.arena, 0)).err ==
        "it is a container, which has no clock of its own\n");
}

TEST_CASE("time services are stopped before a clock is set, and started when it is right again") {
  Machine machine;
  const Fault& fault = *fault_named("host-clock");
  REQUIRE(write_file(machine.scratch / "comm", "kthreadd\n"));
  CHECK(machine.run(fault.probe(machine.arena, 0)).ok());
  const auto injection = fault.plan(machine.spec, machine.arena);
  REQUIRE(injection);
  const NodeAction& action = injection->actions.front();
  for (int round = 0; round < 2; ++round) {
    CHECK(machine.run(action.inject).ok());
    const std::string asked = machine.asked();
    const std::size_t stopped = asked.find("systemctl stop chrony");
    const std::size_t set = asked.find("ordeal-node host-clock --directory");
    CHECK(stopped < set);
    CHECK(set != std::string::npos);
    CHECK(asked.find("--offset-ms -5000") != std::string::npos);
    CHECK_FALSE(machine.run(action.healed).ok());
    CHECK(machine.run(action.undo).ok());
    const std::string undone = machine.asked();
    CHECK(undone.find("ordeal-node right-clock") < undone.find("systemctl start chrony"));
    CHECK(undone.find("systemctl start chrony") != std::string::npos);
    CHECK(machine.run(action.healed).ok());
    // Once more, and as the sweep of the next run: nothing is started that was not stopped.
    (void)machine.asked();
    CHECK(machine.run(action.undo).ok());
    CHECK(machine.run(fault.sweep(machine.arena.program())).ok());
    CHECK(machine.asked().find("systemctl") == std::string::npos);
  }
  // Injected twice: what was stopped by the first is started again by the one undo.
  CHECK(machine.run(action.inject).ok());
  CHECK(machine.run(action.inject).ok());
  CHECK(machine.run(action.undo).ok());
  CHECK(machine.asked().find("systemctl start chrony") != std::string::npos);
  machine.stand_in("bin/pgrep", "echo 77");
  CHECK(machine.run(action.inject).err.find("77 sets the clock") != std::string::npos);
}

TEST_CASE("host clocks that no kernel takes are refused") {
  Machine machine;
  for (const std::map<std::string, Value>& wrong : std::vector<std::map<std::string, Value>>{
           {{"shape", "melt"}}, {{"offset_ms", 0}}, {{"shape", "drift"}, {"ppm", 200'000}}}) {
    machine.spec.parameters = wrong;
    CHECK_FALSE(fault_named("host-clock")->plan(machine.spec, machine.arena));
  }
}
