// Remote against a real sshd on loopback: commands, files, streams, ways in, and every way in which
// it goes wrong.

#include "clusters/remote.h"

#include <atomic>

#include <catch2/catch.hpp>

#include "tests/clusters/local_remote.h"
#include "tests/clusters/private_sshd.h"

namespace ordeal::clusters {
namespace {

using Catch::Contains;
using Catch::EndsWith;
using Catch::StartsWith;

// Long enough for a machine under load, short against what a hang would take.
constexpr Nanoseconds patience = 60s;

// Without the account's own agent, keys and configuration.
struct Account {
  TemporaryFolder folder;
  Environment home{"HOME", folder.file(".")};
  Environment agent{"SSH_AUTH_SOCK", folder.file("no-agent")};
  Account() { std::filesystem::create_directory(folder.file(".ssh")); }
};

std::unique_ptr<Remote> connected(const Node& node, const Credentials& credentials = {}) {
  auto remote = connect(node, credentials, patience);
  if (!remote) FAIL(remote.error().message);
  return std::move(*remote);
}

std::string refusal(const Node& node, Nanoseconds timeout = patience,
                    const Credentials& credentials = {}) {
  const auto remote = connect(node, credentials, timeout);
  return remote ? "connected" : remote.error().message;
}

Command command(std::string shell, std::string input = "", Nanoseconds timeout = patience) {
  return Command{.shell = std::move(shell),
                 .input = std::move(input),
                 .timeout = timeout,
                 .output_limit = 8 << 20};
}

std::string noise(std::size_t size) {
  std::string text(size, ' ');
  std::uint32_t state = 1;
  for (char& c : text) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return text;
}

}  // namespace

TEST_CASE("commands over SSH: status, signals, streams, concurrency") {
  Account account;
  PrivateSshd sshd;
  const auto remote = connected(sshd.node());

  {
    INFO("status and both streams");
    const auto output = remote->run(command("echo out; echo err >&2; exit 7"));
    REQUIRE(output);
    CHECK(output->exit_status == 7);
    CHECK(output->out == "out\n");
    CHECK(output->err == "err\n");
    CHECK(output->signal.empty());
    CHECK_FALSE(output->truncated);
  }
  {
    INFO("quotes, newlines and dollars arrive as they are");
    const std::string odd = "a'b\"c $HOME `id` \\ \n * end";
    const auto output = remote->run(command("printf %s " + shell_quote(odd)));
    REQUIRE(output);
    CHECK(output->out == odd);
  }
  {
    INFO("a signal is told by name and as a status");
    const auto killed = remote->run(command("kill -KILL $$"));
    REQUIRE(killed);
    CHECK(killed->signal == "KILL");
    CHECK(killed->exit_status == 137);
    const auto ended = remote->run(command("kill -TERM $$"));
    REQUIRE(ended);
    CHECK(ended->signal == "TERM");
    CHECK(ended->exit_status == 143);
  }
  {
    INFO("3 MB on both streams at once");
    const auto output =
        remote->run(command("head -c 3000000 /dev/zero & head -c 3000000 /dev/zero >&2; wait"));
    REQUIRE(output);
    CHECK(output->out.size() == 3000000);
    CHECK(output->err.size() == 3000000);
  }
  {
    INFO("output beyond the limit is dropped, and said to be");
    Command limited = command("head -c 3000000 /dev/zero; echo e >&2");
    limited.output_limit = 1000;
    const auto output = remote->run(limited);
    REQUIRE(output);
    CHECK(output->out.size() == 1000);
    CHECK(output->err == "e\n");
    CHECK(output->truncated);
  }
  {
    INFO("3 MB of input come back");
    const std::string input = noise(3 << 20);
    const auto output = remote->run(command("cat", input));
    REQUIRE(output);
    CHECK(output->out == input);
  }
  {
    INFO("input that nobody reads does not block");
    const auto output = remote->run(command("exit 3", noise(6 << 20)));
    REQUIRE(output);
    CHECK(output->exit_status == 3);
  }
  {
    INFO("50 commands from 10 threads, more than sshd has channels for");
    std::atomic<int> right = 0;
    const auto answers = on_each<void>(10, [&](std::size_t thread) -> Result<void> {
      for (std::size_t i = 0; i < 5; ++i) {
        const auto output = remote->run(command(fmt::format("sleep 0.05; echo {}.{}", thread, i)));
        if (!output) return pass_on(output.error());
        if (output->out == fmt::format("{}.{}\n", thread, i)) ++right;
      }
      return {};
    });
    for (const auto& answer : answers) CHECK(answer);
    CHECK(right == 50);
  }
  {
    INFO("nonsense is refused before it is sent");
    CHECK_FALSE(remote->run(command("")));
    CHECK_FALSE(remote->run(command(std::string("true\0false", 10))));
    CHECK_FALSE(remote->run(command("true " + std::string(200000, 'x'))));
  }
  {
    INFO("run_or_error names node, step, status and the last words");
    const auto good = run_or_error(*remote, command("echo fine"), "looking");
    REQUIRE(good);
    CHECK(*good == "fine\n");
    const auto bad =
        run_or_error(*remote, command("echo one >&2; echo two >&2; exit 4"), "starting etcd");
    REQUIRE_FALSE(bad);
    CHECK(bad.error().message == "n1: starting etcd: exit status 4: two");
    const auto killed = run_or_error(*remote, command("kill -KILL $$"), "starting etcd");
    REQUIRE_FALSE(killed);
    CHECK(killed.error().message == "n1: starting etcd: ended by signal KILL");
  }
}

TEST_CASE("a command that does not end in time is killed, and the connection lives on") {
  Account account;
  PrivateSshd sshd;
  const auto remote = connected(sshd.node());
  const auto began = SteadyClock::now();
  const auto late = remote->run(
      command("echo $$ > " + sshd.folder.file("pid") + "; sleep 1000; true", "", 300ms));
  CHECK(SteadyClock::now() - began < patience);
  REQUIRE_FALSE(late);
  CHECK_THAT(late.error().message,
             StartsWith("n1: `echo") && Contains("did not end within 300 ms"));
  const auto gone =
      remote->run(command("read pid < " + sshd.folder.file("pid") +
                          "; i=0; while kill -0 $pid 2>/dev/null && [ $i -lt 500 ]; do sleep 0.02; "
                          "i=$((i+1)); done; ! kill -0 $pid"));
  REQUIRE(gone);
  CHECK(gone->ok());

  const auto held = remote->run(command("sleep 1000 & exit 5", "", 500ms));
  REQUIRE_FALSE(held);
  CHECK_THAT(held.error().message, Contains("ended with status 5") && Contains("redirect"));
}

TEST_CASE("more commands than the node has sessions for wait their turn") {
  Account account;
  PrivateSshd sshd("MaxSessions 2");
  const auto remote = connected(sshd.node());
  const auto answers =
      on_each<Output>(8, [&](std::size_t) { return remote->run(command("sleep 0.02")); });
  for (const auto& answer : answers) CHECK(answer);

  PrivateSshd closed("MaxSessions 0");
  const auto refused = connected(closed.node())->run(command("true"));
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message, Contains("n1") && Contains("MaxSessions"));
}

TEST_CASE(
    "a connection that is killed: the fate is unknown, nothing is sent twice, the next call "
    "works") {
  Account account;
  PrivateSshd sshd;
  const auto remote = connected(sshd.node());
  const std::string marks = sshd.folder.file("marks");
  std::jthread killer([&] {
    for (const Deadline deadline = Deadline::after(patience);
         !deadline.passed() && take(marks).empty();)
      std::this_thread::sleep_for(5ms);
    sshd.signal_sessions(SIGKILL);
  });
  const auto lost =
      remote->run(command("echo ran >> " + marks + "; exec sleep 1000 > /dev/null 2>&1"));
  killer.join();
  REQUIRE_FALSE(lost);
  CHECK_THAT(lost.error().message, StartsWith("the connection to n1 was lost while `echo ran") &&
                                       Contains("it is unknown whether the command ran"));
  const auto next = remote->run(command("cat " + marks));
  REQUIRE(next);
  CHECK(next->out == "ran\n");

  sshd.stop();
  const auto down = remote->run(command("true"));
  REQUIRE_FALSE(down);
  CHECK_THAT(down.error().message, StartsWith("n1: ") && Contains("Connection refused"));
  sshd.start();
  const auto up = remote->run(command("true"));
  REQUIRE(up);
  CHECK(up->ok());
}

TEST_CASE("a node that falls silent costs every call its own time-out only") {
  Account account;
  PrivateSshd sshd;
  auto remote = connected(sshd.node());
  sshd.signal_sessions(SIGSTOP);
  const auto silent = remote->run(command("echo $PPID", "", 200ms));
  REQUIRE_FALSE(silent);
  CHECK_THAT(silent.error().message, StartsWith("n1: opening a channel for") && Contains("200 ms"));
  const auto upload = remote->upload(noise(9 << 20), sshd.folder.file("f"), 0644, 200ms);
  CHECK_FALSE(upload);
  sshd.signal_sessions(SIGCONT);
  const auto after = remote->run(command("echo back"));
  REQUIRE(after);
  CHECK(after->out == "back\n");
  CHECK_FALSE(std::filesystem::exists(sshd.folder.file("f")));
  sshd.signal_sessions(SIGSTOP);
  remote.reset();  // does not wait for the node
}

TEST_CASE("connecting fails in words that tell the cases apart") {
  Account account;
  PrivateSshd sshd;

  {
    INFO("nobody listens");
    Node node = sshd.node();
    node.port = SilentPort().number();
    CHECK_THAT(refusal(node),
               StartsWith("n1: connecting to 127.0.0.1 port") && Contains("Connection refused"));
  }
  {
    INFO("what listens says nothing");
    Node node = sshd.node();
    const SilentPort silent;
    node.port = silent.number();
    const auto began = SteadyClock::now();
    CHECK_THAT(refusal(node, 300ms), StartsWith("n1: the SSH handshake with 127.0.0.1 port") &&
                                         Contains("no answer within 300 ms") &&
                                         Contains("is an SSH server"));
    CHECK(SteadyClock::now() - began < patience);
  }
  {
    INFO("the name does not exist");
    Node node = sshd.node();
    node.host = "no-such-host.invalid";
    CHECK_THAT(refusal(node), StartsWith("n1: resolving no-such-host.invalid"));
  }
  {
    INFO("the key is not the right one");
    Node node = sshd.node();
    make_key(sshd.folder.file("other"));
    node.identity = sshd.folder.file("other");
    CHECK_THAT(refusal(node), StartsWith("n1: authenticating as root: the node refuses") &&
                                  Contains(sshd.folder.file("other") + " (refused)") &&
                                  Contains("authorized_keys"));
  }
  {
    INFO("the key file is missing, or is no key");
    Node node = sshd.node();
    node.identity = sshd.folder.file("missing");
    CHECK_THAT(refusal(node), Contains("authenticating") && Contains("no such file"));
    node.identity = sshd.folder.file("sshd_config");
    CHECK_THAT(refusal(node),
               Contains("authenticating") && Contains("not usable as a private key"));
  }
  {
    INFO("the password is wrong");
    Node node = sshd.node();
    node.identity.clear();
    CHECK_THAT(refusal(node, patience, Credentials{"sardine"}), Contains("the password (refused)"));
    CHECK_THAT(refusal(node), Contains("no password was given"));
  }
  {
    INFO("the host key is unknown, was changed, is of another type, or nothing is known at all");
    Node node = sshd.node();
    const std::string entry = fmt::format("[127.0.0.1]:{} ", sshd.port);
    put(node.known_hosts, "elsewhere " + take(sshd.folder.file("host_key.pub")));
    CHECK_THAT(refusal(node), StartsWith("n1: the host key (ssh-ed25519 SHA256:") &&
                                  Contains("is unknown") && Contains("ssh-keyscan -p"));
    make_key(sshd.folder.file("foreign"));
    put(node.known_hosts, entry + take(sshd.folder.file("foreign.pub")));
    CHECK_THAT(refusal(node), Contains("is not the one that") && Contains("ssh-keygen -f"));
    make_key(sshd.folder.file("ecdsa"), "ecdsa");
    put(node.known_hosts, entry + take(sshd.folder.file("ecdsa.pub")));
    CHECK_THAT(refusal(node), Contains("of another type (ssh-ed25519"));
    node.known_hosts = sshd.folder.file("missing");
    CHECK_THAT(refusal(node), Contains("missing does not exist; compare the key"));
  }
}

TEST_CASE("ways in: password, questions, agent, a default key") {
  Account account;
  SECTION("password") {
    PrivateSshd sshd("PubkeyAuthentication no");
    Node node = sshd.node();
    const auto remote = connected(node, Credentials{"swordfish"});
    CHECK(remote->run(command("true")));
  }
  SECTION("questions, whose answer is the password") {
    PrivateSshd sshd(
        "UsePAM yes\nKbdInteractiveAuthentication yes\nPasswordAuthentication no\n"
        "PubkeyAuthentication no");
    const auto remote = connected(sshd.node(), Credentials{"swordfish"});
    CHECK(remote->run(command("true")));
    CHECK_THAT(refusal(sshd.node(), patience, Credentials{"sardine"}),
               Contains("the password (refused)"));
  }
  SECTION("agent") {
    PrivateSshd sshd;
    const std::string socket = sshd.folder.file("agent");
    Program agent({"ssh-agent", "-D", "-a", socket});
    for (const Deadline deadline = Deadline::after(patience);
         !std::filesystem::exists(socket) && !deadline.passed();)
      std::this_thread::sleep_for(5ms);
    const Environment variable("SSH_AUTH_SOCK", socket);
    REQUIRE(Program({"ssh-add", "-q", sshd.folder.file("key")}).wait() == 0);
    Node node = sshd.node();
    node.identity.clear();
    const auto remote = connected(node);
    CHECK(remote->run(command("true")));
  }
  SECTION("a default key of the account") {
    PrivateSshd sshd;
    std::filesystem::copy_file(sshd.folder.file("key"), account.folder.file(".ssh/id_ed25519"));
    Node node = sshd.node();
    node.identity.clear();
    const auto remote = connected(node);
    CHECK(remote->run(command("true")));
  }
}

TEST_CASE("~/.ssh/config is followed, and what the node says comes first") {
  Account account;
  PrivateSshd sshd;
  put(account.folder.file(".ssh/config"),
      fmt::format(
          "Host db1\n  HostName 127.0.0.1\n  Port {}\n  User root\n  IdentityFile {}\n  "
          "UserKnownHostsFile {}\n"
          "Host db2\n  HostName 127.0.0.1\n  Port 1\n  User nobody\n  IdentityFile /missing\n"
          "  UserKnownHostsFile /missing\n",
          sshd.port, sshd.folder.file("key"), sshd.folder.file("known_hosts")));
  Node node;
  node.name = "n1";
  node.host = "db1";
  CHECK(connected(node)->run(command("true")));
  node = sshd.node();
  node.host = "db2";
  CHECK(connected(node)->run(command("true")));
  put(account.folder.file(".ssh/config"), "Host *\n  StrictHostKeyChecking no\n");
  node = sshd.node();
  node.known_hosts = sshd.folder.file("none");
  CHECK_THAT(refusal(node), Contains("is unknown"));
}

TEST_CASE("ProxyJump goes through the jump host, and its failure is told") {
  Account account;
  PrivateSshd jump, sshd;
  const auto configure = [&](std::uint16_t jump_port) {
    put(account.folder.file(".ssh/config"),
        fmt::format("Host db1\n  HostName 127.0.0.1\n  Port {}\n  User root\n  IdentityFile {}\n"
                    "  UserKnownHostsFile {}\n  ProxyJump root@127.0.0.1:{}\n"
                    "Host 127.0.0.1\n  IdentityFile {}\n  UserKnownHostsFile {}\n",
                    sshd.port, sshd.folder.file("key"), sshd.folder.file("known_hosts"), jump_port,
                    jump.folder.file("key"), jump.folder.file("known_hosts")));
  };
  // ssh looks for its configuration in the home that the account database names, not in $HOME.
  const std::string ssh = account.folder.file("ssh");
  put(ssh, "#!/bin/sh\nexec /usr/bin/ssh -F " + account.folder.file(".ssh/config") + " \"$@\"\n");
  std::filesystem::permissions(ssh, std::filesystem::perms::owner_all);
  const Environment path("PATH", account.folder.file(".") + ":" + std::getenv("PATH"));
  Node node;
  node.name = "n1";
  node.host = "db1";
  {
    configure(jump.port);
    const auto remote = connected(node);
    const auto output = remote->run(command("echo $SSH_CONNECTION; cat", noise(1 << 20)));
    REQUIRE(output);
    CHECK(output->out.size() > (1 << 20));
    CHECK_THAT(take(jump.folder.file("log")), Contains("Accepted publickey for root"));
  }
  configure(SilentPort().number());
  CHECK_THAT(refusal(node), StartsWith("n1: ") && Contains("through its proxy") &&
                                Contains("the proxy says: ") && Contains("Connection refused"));
}

TEST_CASE("files go up atomically and come down by their end") {
  Account account;
  PrivateSshd sshd;
  const auto remote = connected(sshd.node());
  const std::string content = noise(3 << 20);
  const std::string path = sshd.folder.file("new folder/it's here");

  REQUIRE(remote->upload(content, path, 0750, patience));
  CHECK(take(path) == content);
  CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms::mask) ==
        static_cast<std::filesystem::perms>(0750));
  REQUIRE(remote->upload("", path, 0600, patience));
  CHECK(take(path).empty());
  REQUIRE(remote->upload(content, path, 0600, patience));
  std::ptrdiff_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(sshd.folder.file("new folder")))
    files += entry.is_regular_file() ? 1 : 0;
  CHECK(files == 1);

  const std::string here = sshd.folder.file("down/loaded");
  REQUIRE(remote->download(path, here, 64 << 20, patience));
  CHECK(take(here) == content);
  REQUIRE(remote->download(path, here, 1000, patience));
  CHECK(take(here) == content.substr(content.size() - 1000));

  const auto missing = remote->download("/no/such/file", here, 1000, patience);
  REQUIRE_FALSE(missing);
  CHECK_THAT(missing.error().message,
             StartsWith("n1: downloading /no/such/file") && Contains("No such file"));
  const auto impossible = remote->upload("x", "/proc/version/x", 0600, patience);
  REQUIRE_FALSE(impossible);
  CHECK_THAT(impossible.error().message, StartsWith("n1: uploading /proc/version/x"));
}

TEST_CASE("keys are exchanged anew in the middle of things") {
  Account account;
  PrivateSshd sshd("RekeyLimit 1M");
  const auto remote = connected(sshd.node());
  const std::string content = noise(3 << 20);
  const std::string path = sshd.folder.file("f");
  const auto answers = on_each<void>(2, [&](std::size_t i) -> Result<void> {
    const std::string file = path + std::to_string(i);
    if (const auto up = remote->upload(content, file, 0600, patience); !up) return up;
    return remote->download(file, file + ".back", content.size(), patience);
  });
  for (std::size_t i = 0; i < answers.size(); ++i) {
    CHECK(answers[i]);
    CHECK(take(path + std::to_string(i) + ".back") == content);
  }
}

TEST_CASE("an upload to a full disk says so and leaves the old file") {
  Account account;
  PrivateSshd sshd;
  const auto remote = connected(sshd.node());
  // Inside the mount namespace of the test's sshd only.
  REQUIRE(run_or_error(
      *remote, command("mkdir /run/small && mount -t tmpfs -o size=1m none /run/small"), "mount"));
  REQUIRE(remote->upload("old", "/run/small/f", 0600, patience));
  const auto full = remote->upload(noise(2 << 20), "/run/small/f", 0600, patience);
  REQUIRE_FALSE(full);
  CHECK_THAT(full.error().message, Contains("No space left on device"));
  const auto after = run_or_error(*remote, command("cat /run/small/f; ls /run/small"), "look");
  REQUIRE(after);
  CHECK(*after == "oldf\n");
}

TEST_CASE("a stream is written and read line by line") {
  Account account;
  PrivateSshd sshd;
  auto remote = connected(sshd.node());

  SECTION("from two threads") {
    auto stream = remote->stream("while read line; do echo got $line; done", patience);
    REQUIRE(stream);
    CHECK((*stream)->alive());
    std::jthread writer([&] {
      for (int i = 0; i < 2000; ++i) (void)(*stream)->write(fmt::format("{}\n", i));
    });
    int right = 0;
    for (int i = 0; i < 2000; ++i) {
      const auto line = (*stream)->read_line(Deadline::after(patience));
      if (line && *line == fmt::format("got {}", i)) ++right;
    }
    CHECK(right == 2000);
    const auto none = (*stream)->read_line(Deadline::after(50ms));
    REQUIRE_FALSE(none);
    CHECK_THAT(none.error().message, Contains("no line in time"));
  }
  SECTION("a slow reader holds the node back and loses nothing") {
    auto stream = remote->stream(
        "i=0; while [ $i -lt 300 ]; do printf '%d %020000d\\n' $i 0; i=$((i+1)); done; "
        "echo end; cat > /dev/null",
        patience);
    REQUIRE(stream);
    // Meanwhile the connection stays usable.
    for (int i = 0; i < 20; ++i) REQUIRE(remote->run(command("true")));
    int right = 0;
    for (int i = 0; i < 300; ++i) {
      const auto line = (*stream)->read_line(Deadline::after(patience));
      if (line && line->starts_with(fmt::format("{} 0", i)) && line->size() > 20000) ++right;
    }
    CHECK(right == 300);
    const auto last = (*stream)->read_line(Deadline::after(patience));
    REQUIRE(last);
    CHECK(*last == "end");
  }
  SECTION("its end is told with status and last words, after all its lines") {
    auto stream = remote->stream("echo one; echo two; echo why >&2; exit 9", patience);
    REQUIRE(stream);
    CHECK((*stream)->read_line(Deadline::after(patience)).value_or("") == "one");
    CHECK((*stream)->read_line(Deadline::after(patience)).value_or("") == "two");
    const auto over = (*stream)->read_line(Deadline::after(patience));
    REQUIRE_FALSE(over);
    CHECK_THAT(over.error().message, StartsWith("n1: `echo one") && EndsWith("exit status 9: why"));
    CHECK_FALSE((*stream)->alive());
    CHECK_FALSE((*stream)->write("x"));
  }
  SECTION("closing it ends its input; what was written before arrives") {
    const std::string file = sshd.folder.file("heard");
    auto stream = remote->stream("cat > " + file + "; echo over >> " + file, patience);
    REQUIRE(stream);
    REQUIRE((*stream)->write("last words\n"));
    SECTION("by the stream") { stream->reset(); }
    SECTION("by the whole remote") { remote.reset(); }
    for (const Deadline deadline = Deadline::after(patience);
         take(file) != "last words\nover\n" && !deadline.passed();)
      std::this_thread::sleep_for(5ms);
    CHECK(take(file) == "last words\nover\n");
  }
  SECTION("a lost connection ends it") {
    auto stream = remote->stream("echo hi; cat > /dev/null", patience);
    REQUIRE(stream);
    REQUIRE((*stream)->read_line(Deadline::after(patience)));
    sshd.signal_sessions(SIGKILL);
    const auto lost = (*stream)->read_line(Deadline::after(patience));
    REQUIRE_FALSE(lost);
    CHECK_THAT(lost.error().message, StartsWith("the connection to n1 was lost"));
    CHECK_FALSE((*stream)->alive());
    CHECK(remote->run(command("true")));
  }
}

TEST_CASE("on_each answers by position") {
  const auto answers = on_each<std::size_t>(20, [](std::size_t i) -> Result<std::size_t> {
    if (i == 7) return error("seven");
    return i * i;
  });
  REQUIRE(answers.size() == 20);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    INFO(i);
    CHECK(answers[i].has_value() == (i != 7));
    CHECK(answers[i].value_or(49) == i * i);
  }
  CHECK(on_each<void>(0, [](std::size_t) { return Result<void>{}; }).empty());
}

TEST_CASE("quoting for the shell") {
  CHECK(shell_quote("") == "''");
  CHECK(shell_quote("plain") == "'plain'");
  CHECK(shell_quote("it's") == "'it'\\''s'");
}

TEST_CASE("the local stand-in keeps the same contract") {
  LocalRemote local;
  const auto output = local.run(command("cat; echo err >&2; exit 3", noise(1 << 20)));
  REQUIRE(output);
  CHECK(output->out == noise(1 << 20));
  CHECK(output->err == "err\n");
  CHECK(output->exit_status == 3);
  const auto killed = local.run(command("kill -KILL $$"));
  REQUIRE(killed);
  CHECK(killed->signal == "KILL");
  CHECK(killed->exit_status == 137);
  CHECK_FALSE(local.run(command("sleep 1000", "", 100ms)));
  auto stream = local.stream("while read line; do echo got $line; done", patience);
  REQUIRE(stream);
  REQUIRE((*stream)->write("a\n"));
  CHECK((*stream)->read_line(Deadline::after(patience)).value_or("") == "got a");
  CHECK_FALSE((*stream)->read_line(Deadline::after(20ms)));
  CHECK(local.commands().size() == 4);
}

}  // namespace ordeal::clusters
