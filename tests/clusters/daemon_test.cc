// The shell text of daemons, run by this machine's /bin/sh.

#include "clusters/daemon.h"

#include <atomic>
#include <charconv>
#include <thread>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <fmt/core.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/file.h"
#include "tests/clusters/local_remote.h"

namespace ordeal::clusters {
namespace {

namespace fs = std::filesystem;

// A folder and a daemon in it, killed by its own means when the test ends. The space and the quote
// are there to be stumbled over.
class Trial {
 public:
  explicit Trial(std::string_view script) {
    char name[] = "/tmp/ordeal daemon's XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    folder = name;
    daemon.name = "server";
    daemon.directory = folder / "state";
    daemon.log = folder / "log";
    daemon.command = {"/bin/sh", "-c", std::string(script), "server"};
  }
  ~Trial() {
    (void)remote.run({kill_command(daemon), {}});
    std::error_code ignored;
    fs::remove_all(folder, ignored);
  }

  Output run(const std::string& shell) {
    const auto output = remote.run({shell, {}, 30s});
    REQUIRE(output);
    INFO(output->err);
    return *output;
  }
  Output start() { return run(start_command(daemon)); }
  // 0 when it does not run.
  pid_t pid() {
    const Output output = run(pid_command(daemon));
    REQUIRE(output.exit_status == (output.out.empty() ? 1 : 0));
    pid_t number = 0;
    std::from_chars(output.out.data(), output.out.data() + output.out.size(), number);
    return number;
  }
  std::string log() { return read_file(daemon.log).value_or(""); }
  std::string pid_file() const { return daemon.directory + "/server.pid"; }
  // The log, once it contains `part`.
  std::string log_with(std::string_view part) {
    const Deadline deadline = Deadline::after(60s);
    while (log().find(part) == std::string::npos && !deadline.passed())
      std::this_thread::sleep_for(1ms);
    return log();
  }

  LocalRemote remote;
  fs::path folder;
  Daemon daemon;
};

constexpr const char* sleeper = "echo up; while :; do sleep 1; done";

}  // namespace

TEST_CASE("daemon: starts once, is killed, starts again") {
  Trial trial(sleeper);
  CHECK(trial.pid() == 0);
  REQUIRE(trial.start().ok());
  const pid_t first = trial.pid();
  REQUIRE(first > 1);
  CHECK(::getsid(first) == first);
  REQUIRE(trial.start().ok());
  CHECK(trial.pid() == first);

  REQUIRE(trial.run(kill_command(trial.daemon)).ok());
  CHECK(trial.pid() == 0);
  REQUIRE(trial.run(kill_command(trial.daemon)).ok());

  REQUIRE(trial.start().ok());
  CHECK(trial.pid() > 1);
  CHECK(trial.pid() != first);
  // The log is appended to.
  CHECK(trial.log_with("up\nup\n") == "up\nup\n");
}

// Not a test: the first thread ends, a second lives on. So does every server with threads look like
// for some milliseconds of its death.
TEST_CASE("a process without its first thread", "[.without-first-thread]") {
  std::thread([] { std::this_thread::sleep_for(60s); }).detach();
  ::syscall(SYS_exit, 0);
}

TEST_CASE("daemon: a server is not gone before its last thread is") {
  Trial trial(sleeper);
  trial.daemon.command = {fs::read_symlink("/proc/self/exe"), "[.without-first-thread]"};
  REQUIRE(trial.start().ok());
  const pid_t pid = trial.pid();
  const auto state = [&] {
    const std::string stat = read_file(fmt::format("/proc/{}/stat", pid)).value_or("");
    return stat.empty() ? ' ' : stat[stat.rfind(')') + 2];
  };
  const Deadline deadline = Deadline::after(60s);
  while (state() != 'Z' && !deadline.passed()) std::this_thread::sleep_for(1ms);
  REQUIRE(state() == 'Z');
  CHECK(trial.pid() == pid);
  REQUIRE(trial.run(kill_command(trial.daemon)).ok());
  CHECK(trial.pid() == 0);
  CHECK(state() != 'S');
}

TEST_CASE("daemon: commands before the first start find nothing and succeed") {
  Trial trial(sleeper);
  CHECK(trial.run(kill_command(trial.daemon)).ok());
  CHECK(trial.run(stop_command(trial.daemon, 1s)).ok());
  CHECK(trial.pid() == 0);
  CHECK_FALSE(fs::exists(trial.daemon.directory));
}

TEST_CASE(
    "daemon: sees only the environment that it was given, no input and no descriptor of ours") {
  Trial trial("env; [ -t 0 ] || cat; ls -l /proc/$$/fd; echo end; exec sleep 1000");
  trial.daemon.environment = {"GREETING=it's me"};
  ::setenv("ETCD_NAME", "intruder", 1);
  REQUIRE(trial.start().ok());
  ::unsetenv("ETCD_NAME");
  const std::string log = trial.log_with("end\n");
  CHECK(log.find("ETCD_") == std::string::npos);
  CHECK(log.find("GREETING=it's me\n") != std::string::npos);
  CHECK(log.find("PATH=/usr") != std::string::npos);
  CHECK(log.find("server.lock") == std::string::npos);
  CHECK(log.find(" 0 -> /dev/null") != std::string::npos);
}

TEST_CASE("daemon: a process that has the number of a dead one is not ours") {
  Trial trial(sleeper);
  REQUIRE(trial.start().ok());
  const pid_t server = trial.pid();
  REQUIRE(trial.run(kill_command(trial.daemon)).ok());
  // This process's own number with a start time that is not its own.
  const std::string record = std::to_string(::getpid()) + " 1\n";
  REQUIRE(write_file(trial.pid_file(), record));
  CHECK(trial.pid() == 0);
  CHECK(trial.run(kill_command(trial.daemon)).ok());
  CHECK(trial.run(stop_command(trial.daemon, 1s)).ok());
  REQUIRE(trial.start().ok());
  CHECK(trial.pid() != ::getpid());
  CHECK(trial.pid() != server);
}

TEST_CASE("daemon: a torn or foreign pid file means that nothing runs") {
  Trial trial(sleeper);
  fs::create_directories(trial.daemon.directory);
  for (const char* content :
       {"", "\n", "abc def\n", "-1 5\n", "1", "999999999 1\n", "1 \n", "$(id) 1\n"}) {
    INFO(content);
    REQUIRE(write_file(trial.pid_file(), content));
    CHECK(trial.pid() == 0);
    CHECK(trial.run(kill_command(trial.daemon)).ok());
  }
}

TEST_CASE("daemon: a stopped process counts as running and is killed") {
  Trial trial(sleeper);
  REQUIRE(trial.start().ok());
  const pid_t pid = trial.pid();
  REQUIRE(::kill(pid, SIGSTOP) == 0);
  CHECK(trial.pid() == pid);
  CHECK(trial.run(kill_command(trial.daemon)).ok());
  CHECK(trial.pid() == 0);
}

TEST_CASE("daemon: children die with it") {
  Trial trial("sleep 1000 & echo child $!; wait");
  REQUIRE(trial.start().ok());
  const std::string log = trial.log_with("\n");
  const auto child = static_cast<pid_t>(std::stol(log.substr(log.find(' ') + 1)));
  REQUIRE(::kill(child, 0) == 0);
  REQUIRE(trial.run(kill_command(trial.daemon)).ok());
  // Its signal was sent with the daemon's; nobody waits for its last breath.
  const auto lives = [&] {
    const Output state =
        trial.run("sed 's/.*) //' /proc/" + std::to_string(child) + "/stat 2>/dev/null | cut -c1");
    return !state.out.empty() && state.out != "Z\n" && state.out != "X\n";
  };
  const Deadline deadline = Deadline::after(60s);
  while (lives() && !deadline.passed()) std::this_thread::sleep_for(1ms);
  CHECK_FALSE(lives());
}

TEST_CASE("daemon: stop is gentle first and hard afterwards") {
  SECTION("a server that listens") {
    Trial trial("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.01; done");
    REQUIRE(trial.start().ok());
    (void)trial.log_with("up\n");
    CHECK(trial.run(stop_command(trial.daemon, 20s)).ok());
    CHECK(trial.pid() == 0);
    CHECK(trial.log().find("bye\n") != std::string::npos);
  }
  SECTION("a server that does not") {
    Trial trial("trap '' TERM; echo up; while :; do sleep 0.01; done");
    REQUIRE(trial.start().ok());
    (void)trial.log_with("up\n");
    CHECK(trial.run(stop_command(trial.daemon, 50ms)).ok());
    CHECK(trial.pid() == 0);
  }
}

TEST_CASE("daemon: starters at the same moment make one server") {
  Trial trial(sleeper);
  std::vector<std::thread> starters;
  std::atomic<int> succeeded = 0;
  for (int i = 0; i < 8; ++i)
    starters.emplace_back([&] {
      LocalRemote remote;
      const auto output = remote.run({start_command(trial.daemon), {}, 60s});
      if (output && output->ok()) ++succeeded;
    });
  for (auto& starter : starters) starter.join();
  CHECK(succeeded == 8);
  CHECK(trial.log_with("up\n") == "up\n");
}

TEST_CASE("daemon: a program that is not there leaves its reason in the log") {
  Trial trial(sleeper);
  trial.daemon.command = {"/nonexistent/server"};
  REQUIRE(trial.start().ok());
  (void)trial.log_with("not found");
  CHECK(trial.log().find("/nonexistent/server") != std::string::npos);
  CHECK(trial.pid() == 0);
}

TEST_CASE("daemon: what cannot be put on record is not started, and says why") {
  Trial trial(sleeper);
  fs::create_directories(trial.pid_file() + ".new");
  const Output output = trial.start();
  CHECK(output.exit_status == 1);
  CHECK(output.err.find("server was not started") != std::string::npos);
  CHECK(output.err.find("server.pid.new") != std::string::npos);
  CHECK(trial.pid() == 0);
  CHECK(trial.log().find("up") == std::string::npos);
}

TEST_CASE("daemon: who listens on a port is named") {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(listener >= 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  REQUIRE(::bind(listener, generic, size) == 0);
  REQUIRE(::getsockname(listener, generic, &size) == 0);
  const std::uint16_t port = ntohs(address.sin_port);
  LocalRemote remote;
  // Bound, but nobody listens yet.
  CHECK(remote.run({port_owners_command({port}), {}})->out.empty());
  REQUIRE(::listen(listener, 1) == 0);
  const auto output = remote.run({port_owners_command({port, 1}), {}});
  REQUIRE(output);
  CHECK(output->out.rfind(std::to_string(port) + " " + std::to_string(::getpid()) + " ", 0) == 0);
  CHECK(std::count(output->out.begin(), output->out.end(), '\n') == 1);
  ::close(listener);
}

}  // namespace ordeal::clusters
