// Each kind of fault on real nodes, its effect seen from outside, and the nodes compared before and
// after. The servers are scribes: they write, sync and tell the time. Needs root.

#include <map>
#include <sstream>

#include <sys/stat.h>

#include "core/file.h"
#include "nemesis/fault.h"
#include "tests/nemesis/lab_field.h"

using namespace ordeal;
using namespace ordeal::nemesis;

namespace {

const std::string home = "/var/lib/scribe";

FaultSpec fault(const std::string& kind, const std::string& targets,
                std::map<std::string, Value> parameters) {
  FaultSpec spec;
  spec.id = 7;
  spec.kind = kind;
  spec.targets = targets;
  spec.parameters = std::move(parameters);
  spec.draw = 99;
  spec.duration = 1h;
  return spec;
}

// The last number that the scribe of a node says is synced, and the time that it told with it.
struct Told {
  double time = 0;
  long number = 0;
};
Told told_by(const Field& field, std::size_t node) {
  std::istringstream line(
      field.on(node, fmt::format("grep -aE '^[0-9]+\\.[0-9]+ [0-9]+$' {}/log | tail -n 1", home)));
  Told told;
  line >> told.time >> told.number;
  return told;
}
// Right now, as the kernel of the node has it.
double time_on(const Field& field, std::size_t node) {
  return std::stod(field.on(node, "date +%s.%N"));
}
long lines_in(const Field& field, std::size_t node, const std::string& file) {
  return std::stol(field.on(node, fmt::format("wc -l <{}/data/{}", home, file)));
}
// How long a connection from the first to another node takes.
double connection_ms(const Field& field, std::size_t to) {
  const auto output = field.output_of(
      0, fmt::format("b=$(date +%s%N); bash -c 'exec 3<>/dev/tcp/10.77.0.{}/7070' || exit 1; "
                     "e=$(date +%s%N); echo $(( (e-b)/1000000 ))",
                     to + 1));
  return output.ok() ? std::stod(output.out) : -1;
}

struct Ground {
  explicit Ground(const std::string& name)
      : lab(name),
        field(lab.lab.inventory()),
        cluster(SleeperCluster::scribes(std::vector<std::string>(node_count, home))) {
    field.add_foreign_rules();
    for (std::size_t node = 0; node < node_count; ++node) {
      field.on(node, cluster.start_command(node));
      REQUIRE(eventually([&] { return told_by(field, node).number > 3; }));
    }
  }
  // Something on its way to a node, for as long as the thread lives: without, nothing shows that
  // packets are harmed.
  [[nodiscard]] std::jthread traffic(std::size_t to) const {
    return std::jthread([this, to](const std::stop_token& stop) {
      const std::string burst = fmt::format(
          "bash -c 'for i in 1 2 3 4 5 6 7 8 9; do echo x >/dev/udp/10.77.0.{}/7071; sleep 0.02; "
          "done' 2>/dev/null; true",
          to + 1);
      while (!stop.stop_requested()) (void)field.remotes[0]->run({burst, {}});
    });
  }
  // Whether the third node can take such a fault.
  [[nodiscard]] bool can(const std::string& harm) const {
    const auto answer = field.output_of(
        2, "/var/lib/ordeal/bin/ordeal-node check-group --directory /var/lib/ordeal " + harm);
    if (!answer.ok()) WARN(harm << " is not tested: " << answer.err);
    return answer.ok();
  }
  // Everything that a fault could leave behind, but for what the server itself writes.
  [[nodiscard]] std::string state() const {
    std::string all = field.rules();
    for (std::size_t node = 0; node < node_count; ++node) {
      all += field.on(node,
                      "PATH=$PATH:/usr/sbin:/sbin; cat /proc/mounts; tc qdisc show 2>/dev/null; "
                      "ls -A /var/lib/scribe /var/lib/scribe/data; ls /var/lib/ordeal/keep "
                      "2>/dev/null | grep -e pid -e homes; cat /proc/sys/net/ipv4/ip_forward; "
                      "find /sys/fs/cgroup /run/cgroup-* -type d 2>/dev/null | sort; "
                      "for p in /proc/[0-9]*; do s=$(cat $p/stat 2>/dev/null) || continue; "
                      "c=$(tr '\\0' ' ' <$p/cmdline); set -- ${s##*) }; "
                      // A shell on its way to become a command is the shell still; and this very
                      // look speaks of it all.
                      "[ \"$c\" != \"$(tr '\\0' ' ' </proc/$2/cmdline)\" ] || continue; "
                      "case \"$c\" in *proc/mounts*) ;; *scribe/data*|*ordeal-node*) "
                      "g=$(tr '\\n' ' ' <$p/cgroup); "
                      "case $1 in T) echo \"stopped: $c\";; *) echo \"$g$c\";; esac;; "
                      "esac; done | sed 's/ [0-9.]* *$//' | sort | uniq -c");
    }
    return all;
  }

  Lab lab;
  Field field;
  SleeperCluster cluster;
};

// Carries out one fault, looks from outside while it is on, heals it, and compares. Returns what
// the ledger told.
std::string carry_out(Ground& ground, const FaultSpec& spec, std::size_t nodes,
                      const std::function<void()>& look) {
  NemesisOptions options;
  options.ledger = ground.lab.scratch / "faults.jsonl";
  const RunClock clock;
  auto nemesis = Nemesis::prepare(ground.field.remotes, ground.cluster, {spec}, options, clock);
  if (!nemesis) FAIL(nemesis.error().message);
  const std::string before = ground.state();  // the guards are part of it
  Running running(**nemesis, clock, spec);
  const bool proven = running.await(FaultStep::effect, nodes);
  INFO(spec.kind << "\n" << running.told());
  CHECK(proven);
  look();
  running.stop();
  INFO(running.told());
  CHECK(running.count(FaultStep::healed) == nodes);
  CHECK(running.count(FaultStep::failed) == 0);
  for (std::size_t node = 0; node < node_count; ++node) {
    const long number = told_by(ground.field, node).number;
    CHECK(eventually([&] { return told_by(ground.field, node).number != number; }));
  }
  CHECK(ground.state() == before);
  return running.told();
}

}  // namespace

TEST_CASE("servers are stopped, restarted, paused and slowed, seen from outside", "[lab]") {
  if (no_lab()) return;
  Ground ground("server");
  Field& field = ground.field;
  const auto writes_in = [&](std::size_t node, Nanoseconds time) {
    const long before = told_by(field, node).number;
    std::this_thread::sleep_for(time);
    return told_by(field, node).number - before;
  };
  carry_out(ground, fault("stop", "leader", {}), 1, [&] {
    CHECK_FALSE(field.output_of(2, ground.cluster.pid_command(2)).ok());
    CHECK(writes_in(1, 1s) > 0);
  });
  const std::string pid = field.on(2, ground.cluster.pid_command(2));
  carry_out(ground, fault("restart", "leader", {}), 1,
            [&] { CHECK(field.on(2, ground.cluster.pid_command(2)) != pid); });
  carry_out(ground, fault("pause", "followers", {}), 4, [&] {
    CHECK(writes_in(0, 1s) <= 1);
    CHECK(writes_in(2, 1s) > 0);
  });
  const long usual = writes_in(2, 2s);
  for (const std::string how : {"signals", "quota"}) {
    if (how == "quota" && !ground.can("--cpu 2")) continue;
    carry_out(ground, fault("slow", "leader", {{"percent", 2}, {"how", how}}), 1, [&] {
      const long slow = writes_in(2, 2s);
      INFO(how << ": " << slow << " of " << usual);
      CHECK(slow < usual);
    });
  }
  carry_out(ground, fault("upgrade", "leader", {}), 1, [&] {
    CHECK(field.on(2, "tr '\\0' ' ' </proc/$(" + ground.cluster.pid_command(2) + ")/cmdline")
              .ends_with(" other "));
    CHECK(writes_in(2, 1s) > 0);
  });
}

TEST_CASE("servers freeze and run out of memory, and are back where they were", "[lab]") {
  if (no_lab()) return;
  Ground ground("groups");
  Field& field = ground.field;
  // Somebody else's groups stay, and what is in them.
  field.on(2, "! [ -e /sys/fs/cgroup/cgroup.procs ] || mkdir /sys/fs/cgroup/ordeal-users");
  carry_out(ground, fault("stop", "leader", {}), 1, [] {});  // the program is on the nodes
  const auto stands_still = [&](std::size_t node) {
    const long before = told_by(field, node).number;
    std::this_thread::sleep_for(1s);
    return told_by(field, node).number == before;
  };
  if (ground.can("--freeze 1")) {
    carry_out(ground, fault("freeze", "followers", {}), 4, [&] {
      CHECK(stands_still(0));  // with the commands that it had started
      CHECK_FALSE(stands_still(2));
      // A frozen process dies of SIGKILL all the same.
      field.on(1, ground.cluster.kill_command(1));
      field.on(1, ground.cluster.start_command(1));
    });
  }
  if (ground.can("--memory 0")) {
    carry_out(ground, fault("memory", "leader", {}), 1, [&] {
      CHECK_FALSE(field.output_of(2, ground.cluster.pid_command(2)).ok());
      CHECK_FALSE(stands_still(1));
    });
  }
  // The data of a lab are on no disk.
  FaultSpec throttled = fault("io", "leader", {});
  NemesisOptions options;
  options.ledger = ground.lab.scratch / "refused.jsonl";
  const auto refused =
      Nemesis::prepare(field.remotes, ground.cluster, {throttled}, options, RunClock());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("is not on a disk") != std::string::npos);
}

TEST_CASE("a crashed node is gone for everybody, without a word", "[lab]") {
  if (no_lab()) return;
  Ground ground("crash");
  Field& field = ground.field;
  const NodeSockets sockets(field.remotes);
  auto ends = sockets.connected(2, 1);
  const auto noise = ground.traffic(2);
  carry_out(ground, fault("crash", "leader", {}), 1, [&] {
    for (const bool six : {false, true}) {
      const Matrix open = sockets.datagrams(six);
      CHECK_FALSE(open[0][2]);
      CHECK_FALSE(open[2][0]);
      CHECK(open[0][1]);
    }
    CHECK_FALSE(field.output_of(2, ground.cluster.pid_command(2)).ok());
    CHECK(connection_ms(field, 1) >= 0);
    // Whoever holds a connection to it hears nothing of its end.
    ends[0] = Descriptor();
    pollfd heard{ends[1].get(), POLLIN, 0};
    CHECK(::poll(&heard, 1, 1000) == 0);
  });
}

TEST_CASE("packets are late, lost or held on the way to a node, seen from outside", "[lab]") {
  if (no_lab()) return;
  Ground ground("packets");
  Field& field = ground.field;
  const NodeSockets sockets(field.remotes);
  CHECK(connection_ms(field, 2) >= 0);
  {
    const auto noise = ground.traffic(2);
    carry_out(ground, fault("packets", "leader", {{"shape", "delay"}, {"delay_ms", 300}}), 1, [&] {
      CHECK(connection_ms(field, 2) >= 300);
      CHECK(connection_ms(field, 1) < 300);
    });
    // Of each datagram by IPv6 two arrive at a port that nobody listens on.
    const auto arrived = [&] {
      return std::stol(field.on(2, "sed -n 's/^Udp6NoPorts *//p' /proc/net/snmp6"));
    };
    carry_out(ground, fault("packets", "leader", {{"shape", "duplicate"}, {"percent", 100}}), 1,
              [&] {
                const long before = arrived();
                field.on(0,
                         "bash -c 'for i in 1 2 3 4 5; do echo x >/dev/udp/fd77::3/7072; "
                         "sleep 0.05; done'");
                CHECK(eventually([&] { return arrived() - before == 10; }));
              });
    for (const std::string shape : {"reorder", "corrupt", "rate"})
      carry_out(ground, fault("packets", "leader", {{"shape", shape}}), 1, [] {});
    carry_out(ground, fault("packets", "leader", {{"shape", "loss"}, {"percent", 100}}), 1, [&] {
      const Matrix open = sockets.datagrams(false);
      CHECK_FALSE(open[0][2]);
      CHECK(open[2][0]);
    });
    // One directed link, and no other.
    carry_out(ground,
              fault("packets", "leader", {{"shape", "loss"}, {"percent", 100}, {"from", "n1"}}), 1,
              [&] {
                const Matrix open = sockets.datagrams(false);
                CHECK_FALSE(open[0][2]);
                CHECK(open[2][0]);
                CHECK(open[1][2]);
              });
  }
  const auto noise = ground.traffic(2);
  carry_out(ground, fault("packets", "leader", {{"shape", "clog"}}), 1, [&] {
    (void)sockets.datagrams(false);
    CHECK_FALSE(sockets.datagrams(true)[0][2]);
  });
  // What was held has arrived: more than what was sent since.
  CHECK(sockets.datagrams(true)[0][2]);
}

TEST_CASE("a server sees a wrong time, and nobody else does", "[lab]") {
  if (no_lab()) return;
  Ground ground("clocks");
  Field& field = ground.field;
  const auto skew = [&](std::size_t node) {
    const double here = time_on(field, node);
    return told_by(field, node).time - here;
  };
  const double before = time_on(field, 2);
  for (const int offset : {3'600'000, -86'400'000}) {
    carry_out(ground, fault("clock", "leader", {{"shape", "jump"}, {"offset_ms", offset}}), 1, [&] {
      const double wanted = offset / 1000.0;
      CHECK(eventually([&] { return std::abs(skew(2) - wanted) < 60; }));
      CHECK(std::abs(skew(1)) < 60);
    });
    CHECK(eventually([&] { return std::abs(skew(2)) < 60; }));
  }
  carry_out(
      ground,
      fault("clock", "leader", {{"shape", "strobe"}, {"offset_ms", 3'600'000}, {"period_ms", 50}}),
      1, [&] {
        CHECK(eventually([&] { return skew(2) > 3000; }));
        CHECK(eventually([&] { return std::abs(skew(2)) < 60; }));
      });
  carry_out(ground, fault("clock", "leader", {{"shape", "drift"}, {"ppm", 10'000'000}}), 1,
            [&] { CHECK(eventually([&] { return skew(2) > 10; })); });
  CHECK(std::abs(time_on(field, 2) - before) < 600);
}

TEST_CASE("a bad disk loses, tears, refuses and delays, and the folder is as it was", "[lab]") {
  if (no_lab()) return;
  Ground ground("disks");
  Field& field = ground.field;
  // The number that the scribe had told to be synced right before it was killed, and what is there.
  const auto cut = [&](const std::string& shape) {
    long told = 0;
    const std::string ledger =
        carry_out(ground, fault("disk", "leader", {{"shape", shape}}), 1, [&] {
          const long begin = told_by(field, 2).number;
          CHECK(eventually([&] { return told_by(field, 2).number > begin + 20; }));
          told = told_by(field, 2).number;
        });
    INFO(ledger);
    CHECK(ledger.find("un-synced changes lost") != std::string::npos);
    return told;
  };
  const auto missing = [&] { return lines_in(field, 2, "firm") - lines_in(field, 2, "loose"); };
  CHECK(missing() <= 1);  // the scribe may stand between the two
  const long told = cut("power-cut");
  CHECK(lines_in(field, 2, "firm") >= told);  // what was synced is there
  CHECK(missing() >= 19);                     // what was not is lost

  // After this one the scribe goes on behind what it finds, so that it comes to the same number
  // again.
  const auto times_told = [&](long number) {
    return std::stol(field.on(2, fmt::format("grep -ac ' {}$' {}/log", number, home)));
  };
  const long believed = cut("lying-fsync");
  CHECK(eventually([&] { return times_told(believed) == 2; }));

  carry_out(ground, fault("disk", "leader", {{"shape", "enospc"}}), 1, [&] {
    CHECK(eventually([&] {
      return field.on(2, "tail -n 20 " + home + "/log").find("No space left") != std::string::npos;
    }));
  });
  carry_out(ground, fault("disk", "leader", {{"shape", "eio"}, {"call", "fsync"}}), 1, [&] {
    CHECK(eventually([&] {
      return field.on(2, "tail -n 20 " + home + "/log").find("Input/output") != std::string::npos;
    }));
  });
  carry_out(ground, fault("disk", "leader", {{"shape", "slow-fsync"}, {"delay_ms", 400}}), 1, [&] {
    const long begin = told_by(field, 2).number;
    std::this_thread::sleep_for(2s);
    CHECK(told_by(field, 2).number - begin <= 7);
  });
  carry_out(ground, fault("disk", "leader", {{"shape", "torn"}}), 1, [] {});
}

TEST_CASE("files at rest are damaged and mended, writes go astray, and a disk of its own is full",
          "[lab]") {
  if (no_lab()) return;
  Ground ground("files");
  Field& field = ground.field;
  const std::string data = home + "/data";
  const auto restart_after = [&](const std::string& command) {
    field.on(2, ground.cluster.kill_command(2));
    field.on(2, command);
    field.on(2, ground.cluster.start_command(2));
  };
  // Whether the first lines are the numbers from 1 on, which is what a scribe writes.
  const auto is_sound = [&](std::size_t node, long lines) {
    return field
        .output_of(node, fmt::format("seq {} >/tmp/right; head -c $(wc -c </tmp/right) {}/firm | "
                                     "cmp -s - /tmp/right",
                                     lines, data))
        .ok();
  };
  const auto takes = [&](std::size_t node) {
    return field
        .output_of(
            node, fmt::format("head -c 8192 /dev/zero >{0}/more; s=$?; rm {0}/more; exit $s", data))
        .ok();
  };
  for (const std::string shape : {"flips", "copy"}) {
    // Anew each time: a scribe that counted damaged lines has gone on with a wrong number.
    restart_after(fmt::format("cd {} && seq 4000 >firm && cp firm loose", data));
    const long lines = lines_in(field, 2, "firm");
    REQUIRE(is_sound(2, lines));
    const std::string told = carry_out(ground, fault("corrupt", "leader", {{"shape", shape}}), 1,
                                       [&] { CHECK_FALSE(is_sound(2, lines)); });
    CHECK(is_sound(2, lines));
    CHECK(told.find(" before, ") != std::string::npos);  // the checksums
  }
  // The scribe goes on behind the end that it finds, and what it wrote there is not taken from it.
  restart_after(fmt::format("cd {} && seq 4000 >firm && cp firm loose", data));
  const std::string told =
      carry_out(ground, fault("corrupt", "leader", {{"shape", "truncate"}, {"files", "firm"}}), 1,
                [&] { CHECK_FALSE(is_sound(2, 4000)); });
  CHECK(told.find("the server has changed since") != std::string::npos);

  restart_after(fmt::format("cd {} && seq 4000 >firm && cp firm loose", data));
  carry_out(ground, fault("disk", "leader", {{"shape", "misdirected-write"}}), 1, [&] {
    CHECK(eventually([&] { return lines_in(field, 2, "loose") != told_by(field, 2).number; }));
    CHECK_FALSE(is_sound(2, told_by(field, 2).number));
  });
  CHECK(is_sound(2, lines_in(field, 2, "firm")));

  const FaultSpec full = fault("disk-full", "leader", {});
  NemesisOptions options;
  options.ledger = ground.lab.scratch / "refused.jsonl";
  const auto refused = Nemesis::prepare(field.remotes, ground.cluster, {full}, options, RunClock());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("must not be filled") != std::string::npos);
  for (std::size_t node = 0; node < node_count; ++node)
    field.on(node, fmt::format("({}) && mount -t tmpfs -o size=4m none {} && ({})",
                               ground.cluster.kill_command(node), data,
                               ground.cluster.start_command(node)));
  for (std::size_t node = 0; node < node_count; ++node) {
    const std::string writes = fmt::format("[ \"$(wc -l <{}/firm)\" -gt 3 ]", data);
    REQUIRE(eventually([&] { return field.output_of(node, writes).ok(); }));
  }
  const std::string space = fmt::format("df --output=avail {} | tail -n 1", data);
  carry_out(ground, full, 1, [&] {
    CHECK(std::stol(field.on(2, space)) == 0);
    CHECK_FALSE(takes(2));
    CHECK(takes(1));
  });
  CHECK(takes(2));
}
