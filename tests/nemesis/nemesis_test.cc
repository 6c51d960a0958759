// The runner, with a real guard and real processes on this machine.

#include "nemesis/nemesis.h"

#include <atomic>
#include <csignal>

#include <catch2/catch.hpp>

#include "tests/clusters/local_remote.h"
#include "tests/nemesis/scratch.h"
#include "tests/nemesis/sleeper_cluster.h"

using namespace ordeal;
using namespace ordeal::nemesis;
using clusters::LocalRemote;

namespace {

// One node with one server; what would touch this machine's firewall is answered in the shell's
// place.
struct Field {
  Field() {
    remote.intercept =
        [](const clusters::Command& command) -> std::optional<Result<clusters::Output>> {
      if (command.shell.find("iptables") == std::string::npos) return std::nullopt;
      return clusters::Output{};
    };
    options.ledger = scratch / "faults.jsonl";
    options.directory = scratch / "node";
  }
  ~Field() { (void)remote.run({cluster.kill_command(0), {}}); }

  std::string pid() { return remote.run({cluster.pid_command(0), {}}).value().out; }
  Result<std::unique_ptr<Nemesis>> prepare(const std::vector<FaultSpec>& plan) {
    return Nemesis::prepare({&remote}, cluster, plan, options, clock);
  }
  std::vector<FaultRecord> ledger() { return read_ledger(options.ledger).value(); }

  Scratch scratch;
  LocalRemote remote;
  SleeperCluster cluster{{scratch / "server"}};
  NemesisOptions options;
  RunClock clock;
};

FaultSpec kill_one(int id, Nanoseconds begin, Nanoseconds duration) {
  FaultSpec spec;
  spec.id = id;
  spec.kind = "kill";
  spec.targets = "leader";
  spec.begin = begin;
  spec.duration = duration;
  return spec;
}

std::vector<FaultStep> steps(const std::vector<FaultRecord>& ledger, int fault) {
  std::vector<FaultStep> list;
  for (const FaultRecord& record : ledger) {
    if (record.fault == fault) list.push_back(record.step);
  }
  return list;
}

const std::vector<FaultStep> all_steps = {FaultStep::undo,   FaultStep::inject, FaultStep::injected,
                                          FaultStep::effect, FaultStep::heal,   FaultStep::healed};

const Outside nobody;  // tells of no leader

}  // namespace

TEST_CASE("a kill goes through all steps, each in the ledger, and the server runs again") {
  Field field;
  REQUIRE(field.remote.run({field.cluster.start_command(0), {}}).value().ok());
  const std::string before = field.pid();
  const std::vector<FaultSpec> plan = {kill_one(1, 10ms, 50ms), kill_one(2, 20ms, 50ms)};
  auto nemesis = field.prepare(plan);
  REQUIRE(nemesis);
  std::vector<FaultRecord> seen;
  std::string during = "?";
  (*nemesis)->run(plan, field.clock.now(),
                  Outside{[] { return std::optional<std::size_t>(0); }, {}},
                  [&](const FaultRecord& record) {
                    seen.push_back(record);
                    if (record.fault == 1 && record.step == FaultStep::effect) during = field.pid();
                  },
                  {});
  CHECK(during.empty());
  CHECK_FALSE(field.pid().empty());
  CHECK(field.pid() != before);
  const auto ledger = field.ledger();
  CHECK(ledger.size() == seen.size());
  for (const int fault : {1, 2}) CHECK(steps(ledger, fault) == all_steps);
  for (std::size_t i = 1; i < ledger.size(); ++i) CHECK(ledger[i].at >= ledger[i - 1].at);
  const auto summaries = summarize(plan, ledger);
  for (const FaultSummary& summary : summaries) {
    CHECK(summary.resolved == "n1");
    CHECK(summary.took_effect);
    CHECK(summary.evidence.front() == "n1: process gone");
    CHECK(summary.healed);
    CHECK_FALSE(summary.trouble);
    CHECK(*summary.ended - *summary.began >= 50ms);
  }
  CHECK(pending_undos(ledger).empty());
  CHECK((*nemesis)->heal_all());
}

TEST_CASE("a request to stop heals at once") {
  Field field;
  REQUIRE(field.remote.run({field.cluster.start_command(0), {}}).value().ok());
  const std::vector<FaultSpec> plan = {kill_one(1, 0s, 1h), kill_one(2, 0s, 1h)};
  auto nemesis = field.prepare(plan);
  REQUIRE(nemesis);
  std::stop_source stop;
  (*nemesis)->run(
      plan, field.clock.now(), nobody,
      [&](const FaultRecord& record) {
        if (record.step == FaultStep::effect) stop.request_stop();
      },
      stop.get_token());
  const auto ledger = field.ledger();
  CHECK(steps(ledger, 1) == all_steps);
  CHECK(steps(ledger, 2) == std::vector{FaultStep::failed});  // its turn never came
  CHECK(summarize(plan, ledger).front().resolved == "n1 (no leader known: one drawn at random)");
  CHECK_FALSE(field.pid().empty());
}

TEST_CASE("a fault that cannot be injected is undone and recorded with its cause") {
  Field field;  // the server does not run
  const std::vector<FaultSpec> plan = {kill_one(1, 0s, 1h)};
  auto nemesis = field.prepare(plan);
  REQUIRE(nemesis);
  (*nemesis)->run(plan, field.clock.now(), nobody, {}, {});
  const auto ledger = field.ledger();
  CHECK(steps(ledger, 1) == std::vector<FaultStep>{FaultStep::undo, FaultStep::inject,
                                                   FaultStep::failed, FaultStep::heal,
                                                   FaultStep::healed});
  const FaultSummary summary = summarize(plan, ledger).front();
  REQUIRE(summary.trouble);
  CHECK(summary.trouble->find("the server was not running") != std::string::npos);
  CHECK_FALSE(summary.took_effect);
}

TEST_CASE(
    "a guard that dies during a fault is recorded, the fault healed, and the next one has a new "
    "guard") {
  Field field;
  REQUIRE(field.remote.run({field.cluster.start_command(0), {}}).value().ok());
  const std::vector<FaultSpec> plan = {kill_one(1, 0s, 300ms), kill_one(2, 0s, 50ms)};
  auto nemesis = field.prepare(plan);
  REQUIRE(nemesis);
  (*nemesis)->run(plan, field.clock.now(), nobody,
                  [&](const FaultRecord& record) {
                    if (record.fault != 1 || record.step != FaultStep::effect) return;
                    ::kill(static_cast<pid_t>(std::stoi(field.scratch.read("node/guard.lock"))),
                           SIGKILL);
                  },
                  {});
  const auto ledger = field.ledger();
  const auto summaries = summarize(plan, ledger);
  REQUIRE(summaries[0].trouble);
  CHECK(summaries[0].trouble->find("channel was lost") != std::string::npos);
  CHECK(summaries[0].healed);
  CHECK(steps(ledger, 2) == all_steps);
  CHECK_FALSE(field.pid().empty());
}

TEST_CASE("what cannot be undone stays pending, is told, and is healed by a later try") {
  Field field;
  field.options.step_timeout = 300ms;
  REQUIRE(field.remote.run({field.cluster.start_command(0), {}}).value().ok());
  const std::vector<FaultSpec> plan = {kill_one(1, 0s, 50ms)};
  auto nemesis = field.prepare(plan);
  REQUIRE(nemesis);
  const std::string folder = field.scratch / "server";
  (*nemesis)->run(plan, field.clock.now(), nobody,
                  [&](const FaultRecord& record) {
                    if (record.step != FaultStep::effect) return;
                    std::filesystem::rename(
                        folder, folder + ".away");  // a file in the place of the server's folder
                    (void)write_file(folder, "");
                  },
                  {});
  auto ledger = field.ledger();
  REQUIRE(pending_undos(ledger).size() == 1);
  CHECK(pending_undos(ledger).front().command == field.cluster.start_command(0));
  const auto failed = (*nemesis)->heal_all();
  REQUIRE_FALSE(failed);
  CHECK(failed.error().message.find("n1") != std::string::npos);
  CHECK(failed.error().message.find(field.cluster.start_command(0)) != std::string::npos);
  std::filesystem::remove(folder);
  CHECK((*nemesis)->heal_all());
  CHECK(pending_undos(field.ledger()).empty());
  CHECK_FALSE(field.pid().empty());
}

TEST_CASE("a ledger that cannot be written stops the injection") {
  if (!std::filesystem::exists("/dev/full")) {
    WARN("no /dev/full here");
    return;
  }
  Field field;
  field.options.ledger = "/dev/full";
  REQUIRE(field.remote.run({field.cluster.start_command(0), {}}).value().ok());
  const std::string before = field.pid();
  const std::vector<FaultSpec> plan = {kill_one(1, 0s, 10ms)};
  auto nemesis = field.prepare(plan);
  REQUIRE(nemesis);
  std::vector<FaultRecord> seen;
  (*nemesis)->run(plan, field.clock.now(), nobody,
                  [&](const FaultRecord& record) { seen.push_back(record); }, {});
  CHECK(field.pid() == before);
  CHECK(steps(seen, 1) == std::vector<FaultStep>{FaultStep::undo, FaultStep::failed});
}

TEST_CASE("what a node cannot take is said before the run") {
  Field field;
  field.remote.intercept =
      [](const clusters::Command& command) -> std::optional<Result<clusters::Output>> {
    if (command.shell.find("iptables") == std::string::npos) return std::nullopt;
    if (command.shell.find("drop_chain") != std::string::npos) return clusters::Output{};  // sweeps
    return clusters::Output{1, "", "", "iptables is not installed\n", false};
  };
  FaultSpec partition;
  partition.id = 1;
  partition.kind = "partition";
  partition.parameters["shape"] = "halves";
  const auto refused = field.prepare({partition});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "n1 cannot take partition faults: iptables is not installed");

  FaultSpec unknown = kill_one(1, 0s, 1s);
  unknown.targets = "follower";
  REQUIRE_FALSE(field.prepare({unknown}));
  unknown.kind = "flood";
  REQUIRE_FALSE(field.prepare({unknown}));
}
