// Control groups: what is asked of nodes, and the program itself on this machine where it may make
// groups (root, a cgroup file system).

#include <csignal>

#include <catch2/catch.hpp>
#include <fmt/core.h>
#include <unistd.h>

#include "nemesis/fault.h"
#include "nemesis/node_program.h"
#include "tests/clusters/local_remote.h"
#include "tests/nemesis/scratch.h"
#include "tests/nemesis/sleeper_cluster.h"

using namespace ordeal;
using namespace ordeal::nemesis;
using clusters::LocalRemote;

namespace {

// The program, with a folder and a server of its own.
struct Here {
  Here() {
    REQUIRE(remote.upload(node_program(), scratch / "node/bin/ordeal-node", 0755, 10s));
    cluster.emplace(SleeperCluster::scribes({scratch / "server"}));
    REQUIRE(sh(cluster->start_command(0)).ok());
  }
  ~Here() {
    (void)sh(task("release --name fault-1"));
    (void)remote.run({cluster->kill_command(0), {}});
  }
  clusters::Output sh(const std::string& command) { return remote.run({command, {}}).value(); }
  [[nodiscard]] std::string task(const std::string& words) const {
    return fmt::format("{} {} --directory {}", scratch / "node/bin/ordeal-node", words,
                       scratch / "node");
  }
  std::string groups() {
    return sh("for p in $(" + cluster->pid_command(0) + "); do cat /proc/$p/cgroup; done").out;
  }
  long written() { return std::atol(sh("wc -l <" + (scratch / "server/data/firm")).out.c_str()); }
  bool can(const std::string& harm) {
    const auto able = sh(task("check-group " + harm));
    if (able.ok()) return true;
    WARN(harm << " is not tested: " << able.err);
    return false;
  }
  bool confine(const std::string& harm) {
    const auto done = sh(
        task(fmt::format("confine --name fault-1 --pid $({}) {}", cluster->pid_command(0), harm)));
    INFO(done.err);
    CHECK(done.ok());
    return done.ok();
  }

  Scratch scratch;
  LocalRemote remote;
  std::optional<SleeperCluster> cluster;
};

NodeAction planned(const std::string& kind, const std::map<std::string, Value>& parameters) {
  SleeperCluster cluster = SleeperCluster::scribes({"/srv/a", "/srv/b", "/srv/c"});
  Arena arena;
  arena.nodes = {"n1", "n2", "n3"};
  arena.addresses = {{"10.0.0.1"}, {"10.0.0.2", "fd00::2"}, {"10.0.0.3"}};
  arena.controllers = {{}, {}, {}};
  arena.ssh_ports = {22, 2222, 22};
  arena.cluster = &cluster;
  arena.leader = 1;
  FaultSpec spec;
  spec.id = 7;
  spec.kind = kind;
  spec.targets = "leader";
  spec.parameters = parameters;
  const auto injection = fault_named(kind)->plan(spec, arena);
  REQUIRE(injection);
  REQUIRE(injection->actions.size() == 1);
  CHECK(injection->actions.front().node == 1);
  return injection->actions.front();
}

bool says(const std::string& text, const std::string& word) {
  return text.find(word) != std::string::npos;
}

}  // namespace

TEST_CASE("what is asked of nodes for faults by control groups") {
  CHECK(says(planned("freeze", {}).inject, "confine --directory '/var/lib/ordeal' --name fault-7"));
  CHECK(says(planned("memory", {{"kbytes", 64}}).inject, "--memory 64"));
  CHECK(says(planned("io", {{"kbytes", 32}}).inject, "--io 32 --data '/srv/b/data'"));
  CHECK(says(planned("slow", {{"percent", 5}}).inject, "check-group"));
  CHECK(says(planned("slow", {{"how", "signals"}}).inject, "if false"));
  for (const char* kind : {"freeze", "memory", "io", "slow"})
    CHECK(says(planned(kind, {}).undo, "release --directory"));
}

TEST_CASE("a crash first cuts the node off, then kills; it comes back in the other order") {
  const NodeAction crash = planned("crash", {});
  const std::size_t rules = crash.inject.find("iptables-restore"),
                    killed = crash.inject.rfind("kill -s KILL");
  REQUIRE(rules != std::string::npos);
  CHECK(rules < killed);
  for (const char* words : {"-p tcp --dport 2222", "-p tcp --sport 2222", "-I INPUT 1",
                            "-I OUTPUT 1", "ip6tables-restore"})
    CHECK(says(crash.inject, words));
  CHECK(crash.undo.find("drop_chain iptables ORDEAL-7") < crash.undo.find("setsid"));
}

TEST_CASE("a wiped node is replaced, and never starts by itself as what it was") {
  const NodeAction wiped = planned("wipe", {});
  CHECK(wiped.restore == "replace-member");
  CHECK(wiped.undo == "true");
  CHECK(says(wiped.inject, "rm -rf '/srv/b/data'"));
  CHECK(planned("membership", {{"as", "learner"}}).restore == "add-learner");
  CHECK(planned("membership", {}).restore == "add-member");
}

TEST_CASE("a server is frozen with all that it started, and goes back to where it was") {
  Here here;
  if (!here.can("--freeze 1")) return;
  const std::string before = here.groups();
  REQUIRE(eventually([&] { return here.written() > 2; }));
  for (int i = 0; i < 2; ++i) {  // the second time injected twice
    REQUIRE(here.confine("--freeze 1"));
    if (i == 1) REQUIRE(here.confine("--freeze 1"));
    CHECK(
        eventually([&] { return here.sh(here.task("confined --name fault-1 --freeze 1")).ok(); }));
    const long number = here.written();
    std::this_thread::sleep_for(500ms);
    CHECK(here.written() == number);
    CHECK(here.groups() != before);
    CHECK_FALSE(here.sh(here.task("released --name fault-1")).ok());
    // By name, and by the sweep of the next run.
    CHECK(here.sh(here.task(i == 0 ? "release --name fault-1" : "sweep")).ok());
    CHECK(here.sh(here.task("released --name fault-1")).ok());
    CHECK(here.groups() == before);
    CHECK(eventually([&] { return here.written() > number; }));
  }
}

TEST_CASE("a server waits for the processor, as a control group has it") {
  Here here;
  if (!here.can("--cpu 1")) return;
  const std::string before = here.groups();
  REQUIRE(here.confine("--cpu 1"));
  CHECK(eventually([&] { return here.sh(here.task("confined --name fault-1 --cpu 1")).ok(); }));
  CHECK(here.sh(here.task("release --name fault-1")).ok());
  CHECK(here.groups() == before);
}

TEST_CASE("a server that needs more memory than it may have is killed by the kernel") {
  Here here;
  if (!here.can("--memory 0")) return;
  REQUIRE(here.confine("--memory 0"));
  CHECK(eventually([&] { return here.sh(here.task("confined --name fault-1 --memory 0")).ok(); }));
  CHECK(eventually([&] { return !here.sh(here.cluster->pid_command(0)).ok(); }));
  CHECK(here.sh(here.task("release --name fault-1")).ok());
  CHECK(here.sh(here.task("released --name fault-1")).ok());
}

TEST_CASE("what no control group can do is refused in a sentence") {
  Here here;
  const auto on_tmpfs = here.sh(here.task("check-group --io 5 --data /proc"));
  CHECK(on_tmpfs.exit_status == 1);
  CHECK(says(on_tmpfs.err, "/proc is not on a disk"));
  CHECK(says(here.sh(here.task("check-group --cpu 0")).err, "1 to 99 percent"));
  CHECK(here.sh(here.task("release --name fault-9")).ok());
  CHECK_FALSE(here.sh(here.task("confined --name fault-9 --freeze 1")).ok());
}
