// Labs as their users see them: nodes that answer SSH, that are machines of their own, and that
// leave nothing.

#include "clusters/lab/lab.h"

#include <filesystem>
#include <set>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "clusters/lab/state.h"
#include "core/file.h"
#include "core/random.h"
#include "tests/clusters/lab_fixture.h"

namespace ordeal::clusters {
namespace {

namespace fs = std::filesystem;

const std::string prefix = "test-" + std::to_string(getpid()) + "-";

bool can_make_labs() {
  if (geteuid() == 0) return true;
  WARN("skipped: labs need root");
  return false;
}

LabOptions options(const std::string& name, std::size_t nodes) {
  LabOptions options;
  options.name = prefix + name;
  options.nodes = nodes;
  options.disk_bytes = 64 << 20;
  return options;
}

template <class T>
std::string message_of(const Result<T>& result) {
  return result ? std::string() : result.error().message;
}

// A lab that other processes than this one may have ended already.
struct DownAtEnd {
  std::string name;
  ~DownAtEnd() { (void)lab_down(name); }
};

// The processes whose title begins so: a lab's supervisor and the first ones of its nodes.
std::vector<pid_t> processes_of(const std::string& title) {
  std::vector<pid_t> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const auto command = read_file(entry.path() / "cmdline");
    if (command && command->starts_with("ordeal-lab " + title))
      found.push_back(std::atoi(entry.path().filename().c_str()));
  }
  return found;
}

TEST_CASE("a lab hands out nodes that answer SSH and know each other", "[lab]") {
  if (!can_make_labs()) return;
  const Footprint footprint(prefix);
  const RunClock clock;
  const auto inventory = lab_up(options("a", 5));
  const auto up = clock.now();
  REQUIRE(message_of(inventory) == "");
  const DownAtEnd end{prefix + "a"};
  REQUIRE(inventory->nodes.size() == 5);
  for (const auto& node : inventory->nodes) {
    CHECK(on_node(end.name, node.name, "hostname").text == node.name + "\n");
    CHECK(on_node(end.name, node.name, "ping -c1 -W5 n3 >&2; ping -6 -c1 -W5 n5").status == 0);
  }
  CHECK(on_node(end.name, "n1", "exit 7").status == 7);
  CHECK(on_node(end.name, "n1", "sed -n 's/^Sig[BI].*:.//p' /proc/self/status").text ==
        "0000000000000000\n0000000000000000\n");  // signals blocked, signals ignored
  CHECK(on_node(end.name, "n1", "printf %s \"it's $((6 * 7))\"").text == "it's 42");
  CHECK(on_node(end.name, "n6", "true").text ==
        "lab " + end.name + " has no node \"n6\", only n1 to n5\n");

  CHECK(lab_inventory(end.name).value() == *inventory);
  const auto file = read_file(labs_directory() / end.name / "inventory.json");
  CHECK(parse_inventory(file.value(), "inventory.json").value() == *inventory);
  const auto all = lab_status();
  REQUIRE(all.has_value());
  const auto status = std::ranges::find(*all, end.name, &LabStatus::name);
  REQUIRE(status != all->end());
  CHECK(status->nodes == 5);
  CHECK(status->owner == 0);
  CHECK(status->memory_bytes > 1'000'000);

  const auto before_down = clock.now();
  REQUIRE(message_of(lab_down(end.name)) == "");
  WARN("5 nodes: up in " << to_text(up) << ", down in " << to_text(clock.now() - before_down));
  CHECK(footprint.left_behind() == std::vector<std::string>{});
  CHECK(lab_down(end.name).error().message.find("no lab \"" + end.name + "\" is up here") == 0);
}

TEST_CASE("a node can be partitioned, killed and filled like a machine", "[lab]") {
  if (!can_make_labs()) return;
  const auto lab = EphemeralLab::up(options("m", 2));
  REQUIRE(message_of(lab) == "");
  const std::string& name = lab->name();
  const auto run = [&](const std::string& shell) { return on_node(name, "n1", shell); };
  CHECK(
      run("iptables -N T && iptables -I INPUT -j T && iptables -A T -s 10.77.0.2 -j DROP").status ==
      0);
  CHECK(run("ping -c1 -W1 10.77.0.2").status != 0);
  CHECK(run("ping -c1 -W5 fd77::2").status == 0);
  CHECK(run("ip6tables -I INPUT -s fd77::2 -j DROP").status == 0);
  CHECK(run("ping -c1 -W1 fd77::2").status != 0);
  CHECK(run("iptables -F T; ip6tables -F; ping -c1 -W5 10.77.0.2").status == 0);
  CHECK(run("sleep 1000 >/dev/null 2>&1 & kill -STOP $!; sleep 0.1; grep -q '^State:.T' "
            "/proc/$!/status && kill -9 $!")
            .status == 0);
  CHECK(run("dd if=/dev/zero of=/var/fill bs=1M 2>&1; rm /var/fill").text.find("No space") !=
        std::string::npos);
  CHECK(run("mkdir -p /usr/local/x /etc/x && echo 1 > /etc/x/y && rm -r /etc/apt && mkdir /etc/apt "
            "&& "
            "echo '#!/bin/sh' > /usr/local/bin/z && chmod 755 /usr/local/bin/z && z")
            .status == 0);
  CHECK_FALSE(fs::exists("/usr/local/bin/z"));
  CHECK(fs::exists("/etc/apt"));
  CHECK(run("kill -9 $(cat /run/sshd.pid)").status == 0);
  CHECK(eventually([&] { return run("true").status == 0; }));
}

// What root of a node must not be able to do, each as a shell command that succeeds if it could.
// Where one does, it changes nothing: what it writes is what was there.
std::vector<std::string> attempts() {
  std::vector<std::string> all = {
      "date -s \"$(date '+%F %T.%N')\"",
      "mknod /tmp/disk b 254 0",
      "mknod /tmp/disk b 7 0",
      "mount -t devtmpfs none /mnt",
      "rewrite /proc/sys/kernel/core_pattern",
      "rewrite /proc/sys/vm/swappiness",
      "mount -o remount,rw /proc/sys && rewrite /proc/sys/vm/swappiness",
      "umount /proc/sys",
      "mount -t proc none /mnt && rewrite /mnt/sys/vm/swappiness",
      "unshare -U -r -m -p -f sh -c 'mount -t proc none /mnt && cat /mnt/sys/vm/swappiness > "
      "/tmp/v && "
      "cat /tmp/v > /mnt/sys/vm/swappiness'",
      "rewrite /sys/kernel/mm/ksm/run",
      "mount -o remount,rw /sys && rewrite /sys/kernel/mm/ksm/run",
      // The groups of the host: only the outermost has no such file. Its own it may see and divide.
      "mount -t cgroup2 none /mnt && ! test -e /mnt/cgroup.events",
      "unshare -U -r -m -C sh -c 'mount -t cgroup2 none /mnt && ! test -e /mnt/cgroup.events'",
      "test -e /proc/sysrq-trigger && test \"$(stat -c %t:%T /proc/sysrq-trigger)\" != 1:3",
      "cat /proc/kcore",
      "cat /proc/1/environ",
      "ls /proc/1/root/",
      "readlink /proc/1/exe",
      "readlink /proc/1/fd/0",
      "find /dev -type b | grep .",
      "grep -v ':\\*:' /etc/shadow",
      "ls -A /root /home /srv /media | grep '^[^/]'",
      "test -e /run/ordeal",
      "test -e '" + std::string(ORDEAL_SOURCE_DIR) + "'",
      "nsenter -t 1 -m true",
  };
  // Whatever only privileged users of the host may read in /etc.
  std::error_code ignored;
  for (const auto& entry : fs::recursive_directory_iterator("/etc", ignored))
    if (entry.is_regular_file(ignored) && !entry.is_symlink(ignored) &&
        (entry.status(ignored).permissions() & fs::perms::others_read) == fs::perms::none &&
        entry.path() != "/etc/shadow")
      all.push_back("test -e '" + entry.path().string() + "'");
  return all;
}

TEST_CASE("root of a node cannot reach the host, however weak the isolation", "[lab]") {
  if (!can_make_labs()) return;
  for (const auto isolation :
       {Isolation::own_users, Isolation::own_capabilities, Isolation::few_capabilities}) {
    auto wanted = options("i", 1);
    wanted.at_best = isolation;
    const auto lab = EphemeralLab::up(wanted);
    REQUIRE(message_of(lab) == "");
    const auto all = lab_status();
    const auto status = std::ranges::find(*all, lab->name(), &LabStatus::name);
    REQUIRE(status != all->end());
    if (status->isolation != isolation)
      WARN("this machine offers only \"" << isolation_name(status->isolation) << "\"");
    std::string script = "rewrite() { v=$(cat $1) && echo \"$v\" > $1; }\n";
    for (const auto& attempt : attempts()) {
      // Without a user namespace in the lab, one that the kernel hands out is as good as the
      // host's.
      if (isolation == Isolation::few_capabilities && attempt.starts_with("unshare")) continue;
      script +=
          "( " + attempt + " ) >/dev/null 2>&1 </dev/null && cat <<'END'\n" + attempt + "\nEND\n";
    }
    const auto answer = on_node(lab->name(), "n1", script + "echo tried");
    INFO(isolation_name(isolation));
    CHECK(answer.text == "tried\n");
    // CAP_SYS_MODULE, SYS_RAWIO, SYS_BOOT, SYS_TIME, MKNOD
    const auto bounds = on_node(lab->name(), "n1", "sed -n 's/^CapBnd:.//p' /proc/self/status");
    const auto mask = std::strtoull(bounds.text.c_str(), nullptr, 16);
    REQUIRE(mask != 0);
    for (const int capability : {16, 17, 22, 25, 27}) CHECK((mask >> capability & 1) == 0);
    if (status->isolation != Isolation::few_capabilities) continue;
    for (const int capability : {2, 19, 21}) CHECK((mask >> capability & 1) == 0);
  }
}

TEST_CASE("labs side by side do not see each other", "[lab]") {
  if (!can_make_labs()) return;
  const auto one = EphemeralLab::up(options("one", 2));
  const auto two = EphemeralLab::up(options("two", 2));
  REQUIRE(message_of(one) == "");
  REQUIRE(message_of(two) == "");
  CHECK(one->inventory().nodes[0].host == two->inventory().nodes[0].host);
  CHECK(on_node(one->name(), "n1", "echo one > /tmp/mark").status == 0);
  CHECK(on_node(two->name(), "n1", "cat /tmp/mark").status == 1);
  CHECK(on_node(one->name(), "n1", "cat /tmp/mark").text == "one\n");
  CHECK(on_node(two->name(), "n1", "iptables -I INPUT -p icmp -j DROP").status == 0);
  CHECK(on_node(one->name(), "n2", "ping -c1 -W5 10.77.0.1").status == 0);
  CHECK(on_node(two->name(), "n2", "ping -c1 -W1 10.77.0.1").status == 1);
}

TEST_CASE("what cannot be a lab is refused in a sentence", "[lab]") {
  if (!can_make_labs()) return;
  for (const std::string name : {"", "A", "a b", "../x", "-x", "a/b", "\xc3\xbc"}) {
    LabOptions wrong;
    wrong.name = name;
    CHECK(message_of(lab_up(wrong)).find("cannot name a lab") != std::string::npos);
  }
  CHECK(message_of(lab_up(options("none", 0))) == "a lab has 1 to 64 nodes, not 0");
  CHECK(message_of(lab_up(options("many", 65))) == "a lab has 1 to 64 nodes, not 65");
  CHECK(message_of(lab_inventory(prefix + "absent")).find("is up here") != std::string::npos);
}

TEST_CASE("a lab's mounts stay its own where mounts are shared", "[lab]") {
  if (!can_make_labs()) return;
  int output = -1;
  const pid_t child = in_child(
      [] {
        const auto count = [] {
          return std::ranges::count(read_file("/proc/self/mountinfo").value(), '\n');
        };
        if (unshare(CLONE_NEWNS) != 0) _exit(2);
        if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) _exit(3);
        if (mount(nullptr, "/", nullptr, MS_REC | MS_SHARED, nullptr) != 0) _exit(4);
        const auto before = count();
        if (!lab_up(options("shared", 1))) _exit(5);
        const auto during = count();
        if (!lab_down(prefix + "shared")) _exit(6);
        if (before != during || before != count()) _exit(7);
      },
      &output);
  INFO(read_all(output));
  CHECK(wait_for(child) == 0);
}

TEST_CASE("a node that dies leaves the others; a supervisor told to end cleans up", "[lab]") {
  if (!can_make_labs()) return;
  const Footprint footprint(prefix);
  const auto wanted = options("part", 3);
  REQUIRE(message_of(lab_up(wanted)) == "");
  const auto record = lab::read_record(labs_directory(), wanted.name);
  REQUIRE(record.has_value());
  const auto second = processes_of(wanted.name + " n2");
  REQUIRE(second.size() == 1);
  kill(second[0], SIGKILL);
  const fs::path log = labs_directory() / wanted.name / "log";
  CHECK(eventually([&] {
    return read_file(log).value().find("n2 ended; the rest of the lab goes on") !=
           std::string::npos;
  }));
  CHECK(on_node(wanted.name, "n1", "ping -c1 -W5 n3").status == 0);
  CHECK(on_node(wanted.name, "n1", "ping -c1 -W1 n2").status != 0);
  kill(record->supervisor, SIGHUP);
  CHECK(on_node(wanted.name, "n1", "true").status == 0);
  kill(record->supervisor, SIGTERM);
  CHECK(footprint.left_behind() == std::vector<std::string>{});
}

TEST_CASE("two attempts to make one lab at once give one lab", "[lab]") {
  if (!can_make_labs()) return;
  const DownAtEnd end{prefix + "twice"};
  std::vector<pid_t> makers;
  std::string said;
  std::vector<int> outputs(4);
  for (int& output : outputs)
    makers.push_back(in_child(
        [&] {
          const auto made = lab_up(options("twice", 2));
          std::printf("%s\n", made ? "made" : made.error().message.c_str());
          std::fflush(stdout);
        },
        &output));
  for (const int output : outputs) said += read_all(output);
  for (const pid_t maker : makers) wait_for(maker);
  INFO(said);
  CHECK(std::count(said.begin(), said.end(), '\n') == 4);
  CHECK(said.find("made\n") != std::string::npos);
  CHECK(said.find("made\n") == said.rfind("made\n"));
  CHECK(said.find("is up already, with 2 nodes") != std::string::npos);
  CHECK(on_node(end.name, "n2", "true").status == 0);
}

TEST_CASE("a lab keeps nothing of its maker", "[lab]") {
  if (!can_make_labs()) return;
  const DownAtEnd end{prefix + "alone"};
  int output = -1;
  const pid_t maker = in_child(
      [] {
        dup(STDOUT_FILENO);  // one that survives an exec
        (void)lab_up(options("alone", 1));
      },
      &output);
  CHECK(wait_for(maker) == 0);
  CHECK(read_all(output) == "");  // returns, since nobody holds the pipe any more
  CHECK(on_node(end.name, "n1", "true").status == 0);
}

TEST_CASE("what a killed lab leaves on disk is swept, and a stranger with its number is spared",
          "[lab]") {
  if (!can_make_labs()) return;
  const Footprint footprint(prefix);
  REQUIRE(message_of(lab_up(options("stale", 1))) == "");
  const auto record = lab::read_record(labs_directory(), prefix + "stale");
  REQUIRE(record.has_value());
  kill(record->supervisor, SIGKILL);
  REQUIRE(eventually([&] { return !record->alive(); }));
  REQUIRE(fs::exists(labs_directory() / (prefix + "stale")));
  REQUIRE(message_of(lab_up(options("stale", 1))) == "");
  REQUIRE(message_of(lab_down(prefix + "stale")) == "");

  int output = -1;
  auto reused = *record;
  reused.supervisor = in_child([] { pause(); }, &output);
  fs::create_directories(labs_directory() / reused.name);
  REQUIRE(lab::write_record(labs_directory(), reused).has_value());
  CHECK_FALSE(lab_down(reused.name).has_value());
  CHECK_FALSE(fs::exists(labs_directory() / reused.name));
  CHECK(kill(reused.supervisor, 0) == 0);
  kill(reused.supervisor, SIGKILL);
  CHECK(wait_for(reused.supervisor) == 128 + SIGKILL);
  close(output);
  CHECK(footprint.left_behind() == std::vector<std::string>{});
}

TEST_CASE("an ephemeral lab ends with its process, however that ends", "[lab]") {
  if (!can_make_labs()) return;
  const Footprint footprint(prefix);
  for (const int number : {SIGKILL, SIGTERM, 0}) {
    int output = -1;
    const pid_t owner = in_child(
        [&] {
          const auto lab = EphemeralLab::up(options("short", 2));
          if (write(STDERR_FILENO, message_of(lab).data(), message_of(lab).size()) != 0) _exit(1);
          if (write(STDOUT_FILENO, "u", 1) != 1 || number != 0) pause();
          _exit(0);  // without its destructor
        },
        &output);
    char up = 0;
    REQUIRE(read(output, &up, 1) == 1);
    if (number != 0) kill(owner, number);
    wait_for(owner);
    close(output);
    CHECK(footprint.left_behind() == std::vector<std::string>{});
  }
  { REQUIRE(message_of(EphemeralLab::up(options("scope", 2))) == ""); }
  CHECK(footprint.left_behind() == std::vector<std::string>{});
}

TEST_CASE("killing anything of a lab at any moment leaves nothing", "[lab]") {
  if (!can_make_labs()) return;
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  Rng random(seed);
  const Footprint footprint(prefix);
  for (int round = 0; round < 20; ++round) {
    const auto wanted = options("k" + std::to_string(round), 3);
    int output = -1;
    const pid_t maker = in_child([&] { (void)lab_up(wanted); }, &output);
    std::this_thread::sleep_for(random.between(0ms, 200ms));
    if (random.chance(0.4)) {
      kill(maker, SIGKILL);
    } else if (const auto processes = processes_of(wanted.name); !processes.empty()) {
      kill(random.pick(processes), SIGKILL);
    }
    wait_for(maker);
    close(output);
    (void)lab_down(
        wanted.name);  // it may have survived: without a node, or since its maker was done
    INFO("round " << round);
    CHECK(footprint.left_behind() == std::vector<std::string>{});
  }
}

}  // namespace
}  // namespace ordeal::clusters
