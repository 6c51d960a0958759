// etcd on the nodes of a lab, over SSH: deployed, led, killed, restarted, wiped.
//
// A lab's network is entered by a whole process before it has threads, so the test proper is a
// hidden case that this program runs in a process of its own.

#include <cstdlib>
#include <thread>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "clusters/cluster.h"
#include "clusters/lab/lab.h"
#include "core/file.h"
#include "tests/clusters/local_remote.h"

namespace ordeal::clusters {
namespace {

constexpr const char* inventory_variable = "ORDEAL_TEST_INVENTORY";

template <class T>
void require_ok(const Result<T>& result) {
  INFO((result ? std::string() : result.error().message));
  REQUIRE(result.has_value());
}

// The nodes of the inventory, with etcd made for them.
struct Ground {
  Ground() {
    const char* file = std::getenv(inventory_variable);
    REQUIRE(file != nullptr);
    auto text = read_file(file);
    require_ok(text);
    auto parsed = parse_inventory(*text, file);
    require_ok(parsed);
    inventory = *std::move(parsed);
    require_ok(enter_network(inventory));
    for (const Node& node : inventory.nodes) {
      auto connected = connect(node, {}, 20s);
      require_ok(connected);
      own.push_back(*std::move(connected));
      remotes.push_back(own.back().get());
    }
    cluster = cluster_kinds().front().make(remotes, {});
  }

  void on_all(Result<void> (Cluster::*step)(std::size_t)) {
    for (const auto& done : on_each<void>(
             remotes.size(), [&](std::size_t node) { return (cluster.get()->*step)(node); }))
      require_ok(done);
  }
  std::size_t leader() {
    const auto name = await_agreement(*cluster, inventory.nodes, Deadline::after(60s));
    require_ok(name);
    std::size_t position = 0;
    while (inventory.nodes.at(position).name != *name) ++position;
    return position;
  }
  Output run(std::size_t node, const std::string& shell) {
    auto output = remotes[node]->run({shell, {}, 30s});
    require_ok(output);
    return *std::move(output);
  }
  Completion call(std::size_t node, Function function, const Value& key, const Value& argument) {
    const auto client = cluster->open(node);
    require_ok(client);
    return (*client)->invoke({function, key, argument}, Deadline::after(20s));
  }

  Inventory inventory;
  std::vector<std::unique_ptr<Remote>> own;
  std::vector<Remote*> remotes;
  std::unique_ptr<Cluster> cluster;
};

}  // namespace

TEST_CASE("inside a lab: etcd is deployed, led, killed, restarted, wiped", "[.etcd-in-lab]") {
  Ground ground;
  Cluster& cluster = *ground.cluster;
  ground.on_all(&Cluster::deploy);
  ground.on_all(&Cluster::start);
  const std::size_t leader = ground.leader();
  const std::size_t other = (leader + 1) % ground.remotes.size();
  const auto before = cluster.status(other, Deadline::after(10s));
  require_ok(before);
  CHECK(before->leader == ground.inventory.nodes[leader].name);
  CHECK(before->version.rfind("3.", 0) == 0);

  for (std::size_t node = 0; node < ground.remotes.size(); ++node) {
    const auto number = static_cast<std::int64_t>(node);
    CHECK(ground.call(node, Function::write, number, number + 10).outcome == Outcome::ok);
    CHECK(ground.call(other, Function::read, number, {}).result == Value(number + 10));
  }

  // Nothing is started twice, or wiped while it runs.
  const Output pid = ground.run(leader, cluster.pid_command(leader));
  CHECK(pid.ok());
  require_ok(cluster.start(leader));
  CHECK(ground.run(leader, cluster.pid_command(leader)).out == pid.out);
  const auto wiped = cluster.wipe(leader);
  REQUIRE_FALSE(wiped);
  CHECK(wiped.error().message.find("still runs") != std::string::npos);

  // The others go on without the leader, and it joins them again with its data.
  CHECK(ground.run(leader, cluster.kill_command(leader)).ok());
  CHECK(ground.run(leader, cluster.pid_command(leader)).exit_status == 1);
  CHECK_FALSE(cluster.status(leader, Deadline::after(300ms)));
  // A write that is proposed to the dead leader would be lost with it.
  const Deadline deadline = Deadline::after(60s);
  for (std::string now = before->leader; now.empty() || now == before->leader;) {
    const auto status = cluster.status(other, Deadline::after(10s));
    require_ok(status);
    REQUIRE_FALSE(deadline.passed());
    now = status->leader;
    std::this_thread::sleep_for(10ms);
  }
  CHECK(ground.call(other, Function::write, "after", 1).outcome == Outcome::ok);
  CHECK(ground.run(leader, cluster.start_command(leader)).ok());
  CHECK(ground.leader() != leader);
  const auto after = cluster.status(leader, Deadline::after(10s));
  require_ok(after);
  CHECK(after->term > before->term);
  CHECK(ground.call(leader, Function::read, "after", {}).result == Value(1));

  // A second deployment begins from nothing.
  ground.on_all(&Cluster::deploy);
  CHECK(ground.run(0, cluster.pid_command(0)).exit_status == 1);
  ground.on_all(&Cluster::start);
  (void)ground.leader();
  CHECK(ground.call(0, Function::read, "after", {}).result.is_nil());
  for (const std::string& log : cluster.logs(0)) CHECK(ground.run(0, "test -s " + log).ok());
  ground.on_all(&Cluster::stop);
  ground.on_all(&Cluster::wipe);

  // An etcd that is not ours is in the way, and stays.
  const Output foreign = ground.run(
      0,
      "setsid etcd --data-dir=/tmp/foreign </dev/null >/dev/null 2>&1 & echo $!; "
      "i=0; while [ $i -lt 1000 ] && ! grep -qi ':094B .* 0A ' /proc/net/tcp /proc/net/tcp6; "
      "do sleep 0.02; i=$((i+1)); done");
  const auto deployed = cluster.deploy(0);
  REQUIRE_FALSE(deployed);
  const std::string number = foreign.out.substr(0, foreign.out.find('\n'));
  INFO(deployed.error().message);
  CHECK(deployed.error().message.find("is taken by process " + number + " (etcd)") !=
        std::string::npos);
  CHECK(ground.run(0, "kill -0 " + number).ok());
}

TEST_CASE("etcd cluster on lab nodes", "[lab]") {
  if (::geteuid() != 0) {
    WARN("skipped: labs need root");
    return;
  }
  LabOptions options;
  options.name = "test-etcd-" + std::to_string(::getpid());
  options.nodes = 3;
  const auto lab = EphemeralLab::up(options);
  INFO((lab ? std::string() : lab.error().message));
  REQUIRE(lab.has_value());
  const std::string file = labs_directory() / options.name / "inventory.json";
  LocalRemote here;
  const auto self = std::filesystem::read_symlink("/proc/self/exe").string();
  const auto output = here.run(
      {fmt::format("{}={} {} '[.etcd-in-lab]'", inventory_variable, file, self), {}, 180s});
  INFO((output ? output->out + output->err : output.error().message));
  REQUIRE(output.has_value());
  CHECK(output->ok());
}

}  // namespace ordeal::clusters
