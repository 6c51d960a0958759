// The guard, with the real program for nodes on this machine.

#include "nemesis/guard.h"

#include <csignal>
#include <cstring>

#include <catch2/catch.hpp>
#include <elf.h>
#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nemesis/node/protocol.h"
#include "nemesis/node_program.h"
#include "tests/clusters/local_remote.h"
#include "tests/nemesis/scratch.h"

using namespace ordeal;
using namespace ordeal::nemesis;
using clusters::LocalRemote;

namespace {

GuardOptions options_of(const Scratch& scratch) {
  GuardOptions options;
  options.directory = scratch / "node";
  return options;
}

// The bare program, without anybody who beats for it.
class BareGuard {
 public:
  BareGuard(const Scratch& scratch, const std::string& flags) {
    const std::string program = scratch / "node/bin/ordeal-node";
    REQUIRE(remote.upload(node_program(), program, 0755, 10s));
    auto opened = remote.stream(
        fmt::format("exec {} guard --directory {} {}", program, scratch / "node", flags), 10s);
    REQUIRE(opened);
    stream = std::move(*opened);
  }

  void say(const std::string& line) { REQUIRE(stream->write(line + "\n")); }
  std::string hear() { return stream->read_line(Deadline::after(10s)).value_or("nothing"); }

  LocalRemote remote;
  std::unique_ptr<clusters::Stream> stream;
};

std::string append(const Scratch& scratch, const std::string& word) {
  return fmt::format("echo {} >> {}", word, scratch / "done");
}

bool guard_has_ended(const Scratch& scratch) {
  const std::string pid = scratch.read("node/guard.lock");
  return !pid.empty() && ::kill(static_cast<pid_t>(std::stoi(pid)), 0) != 0;
}

pid_t parent_of(pid_t pid) {
  const std::string stat = read_file(fmt::format("/proc/{}/stat", pid)).value_or(") S 0 ");
  const std::string rest = stat.substr(stat.rfind(')') + 4);
  return static_cast<pid_t>(std::stoi(rest));
}

}  // namespace

TEST_CASE("lines carry any text") {
  for (const std::string text :
       {"", "plain", "two\nlines\n", "back\\slash \\n not a newline", "\\"}) {
    CHECK(unescape_line(escape_line(text)) == text);
    CHECK(escape_line(text).find('\n') == std::string::npos);
  }
}

TEST_CASE("the program for nodes is one static file") {
  const std::string_view program = node_program();
  REQUIRE(program.substr(1, 3) == "ELF");
  Elf64_Ehdr header;
  std::memcpy(&header, program.data(), sizeof header);
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr part;
    std::memcpy(&part, program.data() + header.e_phoff + i * sizeof part, sizeof part);
    CHECK(part.p_type != PT_INTERP);  // no dynamic linker is asked for
  }
  CHECK(node_program().size() < 3'000'000);
}

TEST_CASE("an undo is held, run when asked for, and then forgotten") {
  const Scratch scratch;
  LocalRemote remote;
  auto guard = Guard::start(remote, options_of(scratch));
  REQUIRE(guard);
  CHECK((*guard)->alive());
  const auto refused = (*guard)->inject("1", append(scratch, "fault"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("holds no undo") != std::string::npos);
  REQUIRE((*guard)->hold("1", append(scratch, "undo") + "\n" + append(scratch, "more")));
  CHECK(scratch.read("done").empty());
  REQUIRE((*guard)->inject("1", append(scratch, "fault")));
  CHECK(scratch.read("done") == "fault\n");
  REQUIRE((*guard)->undo("1"));
  CHECK(scratch.read("done") == "fault\nundo\nmore\n");
  CHECK_FALSE((*guard)->undo("1"));
  guard->reset();
  CHECK(eventually([&] { return guard_has_ended(scratch); }));
  CHECK(scratch.read("done") == "fault\nundo\nmore\n");
}

TEST_CASE("what fails says its status and its last line, and is held on") {
  const Scratch scratch;
  LocalRemote remote;
  auto guard = Guard::start(remote, options_of(scratch));
  REQUIRE(guard);
  REQUIRE((*guard)->hold(
      "1", fmt::format("echo first; echo 'no such chain' >&2; test -e {}", scratch / "ok")));
  const auto failed = (*guard)->undo("1");
  REQUIRE_FALSE(failed);
  CHECK(failed.error().message == "n1: exit status 1: no such chain");
  REQUIRE(write_file(scratch / "ok", ""));
  CHECK((*guard)->undo("1"));
}

TEST_CASE("a closed channel undoes everything, newest first") {
  const Scratch scratch;
  {
    LocalRemote remote;
    auto guard = Guard::start(remote, options_of(scratch));
    REQUIRE(guard);
    for (const std::string id : {"a", "b", "c"}) REQUIRE((*guard)->hold(id, append(scratch, id)));
    REQUIRE((*guard)->hold("b", append(scratch, "new-b")));  // replaces, and is the newest now
  }
  CHECK(eventually([&] { return guard_has_ended(scratch); }));
  CHECK(scratch.read("done") == "new-b\nc\na\n");
}

TEST_CASE("silence undoes everything although the channel is open") {
  const Scratch scratch;
  BareGuard guard(scratch, "--timeout 0.2");
  REQUIRE(guard.hear() == "ready");
  guard.say("hold a " + escape_line(append(scratch, "a")));
  REQUIRE(guard.hear() == "held a");
  CHECK(eventually([&] { return guard_has_ended(scratch); }));
  CHECK(scratch.read("done") == "a\n");
  CHECK(scratch.read("node/guard.log").find("silence, 1 held") != std::string::npos);
}

TEST_CASE("a beating heart keeps the guard waiting") {
  const Scratch scratch;
  BareGuard guard(scratch, "--timeout 5");
  REQUIRE(guard.hear() == "ready");
  guard.say("hold a " + escape_line(append(scratch, "a")));
  guard.say("beat");
  guard.say("hold b true");
  REQUIRE(guard.hear() == "held a");
  REQUIRE(guard.hear() == "held b");
  CHECK(scratch.read("done").empty());
  guard.say("quit");
  CHECK(eventually([&] { return guard_has_ended(scratch); }));
  CHECK(scratch.read("done") == "a\n");
}

TEST_CASE("an undo that fails is tried again") {
  const Scratch scratch;
  BareGuard guard(scratch, "");
  REQUIRE(guard.hear() == "ready");
  // Fails twice.
  guard.say("hold a " + escape_line(fmt::format("echo try >> {0}; [ $(wc -l < {0}) -ge 3 ]",
                                                scratch / "done")));
  guard.say("hold b " + escape_line(append(scratch, "b")));
  guard.say("quit");
  CHECK(eventually([&] { return guard_has_ended(scratch); }));
  CHECK(scratch.read("done") == "b\ntry\ntry\n");
}

TEST_CASE("an undo that hangs is killed with all its children, and the next one runs") {
  const Scratch scratch;
  BareGuard guard(scratch, "--command-timeout 0.3");
  REQUIRE(guard.hear() == "ready");
  guard.say("hold a " + escape_line(append(scratch, "a")));
  guard.say("hold b " +
            escape_line(fmt::format("test -e {0} && exit 0; sleep 1000 & echo $! > {0}; wait",
                                    scratch / "child")));
  guard.say("quit");
  CHECK(eventually([&] { return guard_has_ended(scratch); }));
  CHECK(scratch.read("done") == "a\n");
  const auto child = static_cast<pid_t>(std::stoi(scratch.read("child")));
  CHECK(eventually([&] { return ::kill(child, 0) != 0; }));
  CHECK(scratch.read("node/guard.log").find("status 124") != std::string::npos);
}

TEST_CASE("a hanging injection is bounded, and its undo comes after it") {
  const Scratch scratch;
  BareGuard guard(scratch, "--command-timeout 0.3");
  REQUIRE(guard.hear() == "ready");
  guard.say("hold a " + escape_line(append(scratch, "undo")));
  guard.say("do a " + escape_line(append(scratch, "fault") + "; sleep 1000"));
  guard.say("quit");  // as when Ordeal dies right after it sent the injection
  CHECK(guard.hear() == "held a");
  CHECK(guard.hear() == "failed a 124 ");
  CHECK(eventually([&] { return guard_has_ended(scratch); }));
  CHECK(scratch.read("done") == "fault\nundo\n");
}

TEST_CASE("commands get the signals and the standard input of an ordinary command") {
  const Scratch scratch;
  LocalRemote remote;
  auto guard = Guard::start(remote, options_of(scratch));
  REQUIRE(guard);
  REQUIRE((*guard)->hold("1", "true"));
  REQUIRE((*guard)->inject(
      "1",
      fmt::format(
          "grep SigIgn /proc/self/status > {0}; cat /proc/self/oom_score_adj >> {0}; cat >> {0}",
          scratch / "done")));
  const std::string own = read_file("/proc/self/oom_score_adj").value_or("?");
  const std::string said = scratch.read("done");
  REQUIRE(said.rfind("SigIgn:", 0) == 0);
  const unsigned long long ignored = std::stoull(said.substr(8), nullptr, 16);
  for (const int signal : {SIGHUP, SIGINT, SIGTERM, SIGPIPE}) {
    CHECK((ignored >> static_cast<unsigned>(signal - 1) & 1U) == 0);
  }
  CHECK(said.substr(said.find('\n') + 1) == own);
}

TEST_CASE("the guard outlives signals to the session that sshd started it in") {
  const Scratch scratch;
  LocalRemote remote;
  auto guard = Guard::start(remote, options_of(scratch));
  REQUIRE(guard);
  REQUIRE((*guard)->hold("1", append(scratch, "undo")));
  const auto pid = static_cast<pid_t>(std::stoi(scratch.read("node/guard.lock")));
  const pid_t session = ::getpgid(parent_of(pid));
  REQUIRE(session > 1);
  REQUIRE(session != ::getpgrp());
  REQUIRE(session != ::getpgid(pid));
  for (const int signal : {SIGHUP, SIGTERM, SIGINT, SIGKILL}) ::kill(-session, signal);
  CHECK((*guard)->hold("2", append(scratch, "second")));
  guard->reset();
  CHECK(eventually([&] { return guard_has_ended(scratch); }));
  CHECK(scratch.read("done") == "second\nundo\n");
}

TEST_CASE("a second guard waits for the end of the first, and refuses a living one") {
  const Scratch scratch;
  BareGuard first(scratch, "--timeout 30");
  REQUIRE(first.hear() == "ready");
  const std::string pid = scratch.read("node/guard.lock");
  LocalRemote remote;
  GuardOptions options = options_of(scratch);
  options.wait = 200ms;
  const auto refused = Guard::start(remote, options);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("process " + pid) != std::string::npos);

  first.say("hold a " + escape_line("sleep 0.3; " + append(scratch, "a")));
  REQUIRE(first.hear() == "held a");
  first.say("quit");
  options.wait = 10s;
  REQUIRE(Guard::start(remote, options));
  CHECK(scratch.read("done") == "a\n");  // it had been done before the second one answered
}

TEST_CASE("a lost guard is noticed") {
  const Scratch scratch;
  LocalRemote remote;
  auto guard = Guard::start(remote, options_of(scratch));
  REQUIRE(guard);
  ::kill(static_cast<pid_t>(std::stoi(scratch.read("node/guard.lock"))), SIGKILL);
  CHECK(eventually([&] { return !(*guard)->alive(); }));
  CHECK_FALSE((*guard)->hold("1", "true"));
}

TEST_CASE("a guard that cannot start says why") {
  const Scratch scratch;
  LocalRemote remote;
  GuardOptions options = options_of(scratch);
  REQUIRE(std::filesystem::create_directories(scratch / "node/guard.lock"));  // in the way
  const auto guard = Guard::start(remote, options);
  REQUIRE_FALSE(guard);
  CHECK(guard.error().message.find("unable to open") != std::string::npos);
}

TEST_CASE("the node heals when the process that controls it is killed") {
  const Scratch scratch;
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t controller = ::fork();
  if (controller == 0) {
    LocalRemote remote;
    auto guard = Guard::start(remote, options_of(scratch));
    const bool held = guard && (*guard)->hold("1", append(scratch, "undo")) &&
                      (*guard)->inject("1", append(scratch, "fault"));
    (void)!::write(ends[1], held ? "y" : "n", 1);
    for (;;) ::pause();
  }
  char answer = '?';
  CHECK(::read(ends[0], &answer, 1) == 1);
  CHECK(answer == 'y');
  CHECK(scratch.read("done") == "fault\n");
  ::kill(controller, SIGKILL);
  ::waitpid(controller, nullptr, 0);
  CHECK(eventually([&] { return guard_has_ended(scratch); }));
  CHECK(scratch.read("done") == "fault\nundo\n");
  ::close(ends[0]);
  ::close(ends[1]);
}
