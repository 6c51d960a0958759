// The sentences for what keeps etcd from running on a node, and its installation, with a shell in
// the node's place.

#include <catch2/catch.hpp>

#include "clusters/etcd/etcd.h"
#include "clusters/etcd/program.h"
#include "core/file.h"
#include "tests/clusters/local_remote.h"

namespace ordeal::clusters::etcd {
namespace {

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

Output answer(int status, std::string out, std::string err) {
  Output output;
  output.exit_status = status;
  output.out = std::move(out);
  output.err = std::move(err);
  return output;
}

}  // namespace

TEST_CASE("etcd program: the reason is found in what etcd says") {
  CHECK(reason_in_log("flag provided but not defined: -foo\nUsage:\n\n  etcd [flags]\n") ==
        "flag provided but not defined: -foo");
  CHECK(reason_in_log(
            R"({"level":"info","msg":"starting"})"
            "\n"
            R"({"level":"fatal","msg":"discovery failed","error":"listen tcp: bind: in use"})"
            "\n") == "discovery failed: listen tcp: bind: in use");
  CHECK(reason_in_log(R"({"level":"panic","msg":"tocommit(106) is out of range"})") ==
        "tocommit(106) is out of range");
  CHECK(reason_in_log("one\ntwo\n") == "two");
  CHECK(reason_in_log("") == "nothing");
  CHECK(reason_in_log(R"({"level":7,"msg":[]})"
                      "\n[1]\n") == "[1]");
  CHECK(reason_in_log(std::string(5000, 'x')).size() <= 300);
}

TEST_CASE("etcd program: a taken port names the process") {
  const std::string ours = taken_port("2379 812 etcd\n2380 812 etcd\n");
  CHECK(contains(ours, "port 2379 is taken by process 812 (etcd)"));
  CHECK(contains(ours, "systemctl disable --now etcd"));
  const std::string other = taken_port("2380 99 python3\n");
  CHECK(contains(other, "port 2380 is taken by process 99 (python3)"));
  CHECK_FALSE(contains(other, "systemctl"));
  CHECK(contains(taken_port("2379 ? ?\n"), "a process we cannot see"));
}

TEST_CASE("etcd program: a node without etcd is told what to do") {
  LocalRemote remote("n3");
  remote.intercept = [](const Command& command) -> std::optional<Result<Output>> {
    CHECK(contains(command.shell, "command -v etcd"));
    return answer(127, "", "");
  };
  const auto installed = install_program(remote, {});
  REQUIRE_FALSE(installed);
  CHECK(contains(installed.error().message, "n3: there is no etcd on this node"));
  CHECK(contains(installed.error().message, "apt-get install etcd-server"));
  CHECK(contains(installed.error().message, "--etcd-binary"));
}

TEST_CASE("etcd program: what does not run as etcd is refused with its own words") {
  LocalRemote remote("n2");
  remote.intercept = [](const Command& command) -> std::optional<Result<Output>> {
    if (contains(command.shell, "command -v")) return answer(0, "/usr/bin/etcd\n", "");
    if (contains(command.shell, "ln -s")) return Output{};
    return answer(126, "", "sh: 1: /usr/bin/etcd: Exec format error\n");
  };
  const auto installed = install_program(remote, {});
  REQUIRE_FALSE(installed);
  CHECK(contains(installed.error().message, "n2: /usr/bin/etcd does not run as etcd"));
  CHECK(contains(installed.error().message, "Exec format error"));
  CHECK(contains(installed.error().message, "126"));
}

TEST_CASE("etcd program: a given binary that cannot be read is an error, not an upload") {
  LocalRemote remote;
  const auto installed = install_program(remote, "/nonexistent/etcd");
  REQUIRE_FALSE(installed);
  CHECK(contains(installed.error().message, "/nonexistent/etcd"));
  CHECK(remote.commands().empty());
}

TEST_CASE(
    "etcd cluster: the command line of a node names all members and ends with the user's flags") {
  LocalRemote n1("n1"), n2("n2");
  ClusterOptions options;
  options.server_flags = {"--pre-vote=true", "--x=it's"};
  const auto cluster = make_cluster({&n1, &n2}, options);
  const std::string start = cluster->start_command(1);
  CHECK(contains(start, "'--name=n2'"));
  CHECK(contains(start, "'--initial-cluster=n1=http://127.0.0.1:2380,n2=http://127.0.0.1:2380'"));
  CHECK(contains(start, "'--listen-client-urls=http://127.0.0.1:2379'"));
  CHECK(start.find("'--snapshot-count=100'") < start.find("--pre-vote=true"));
  CHECK(start.find('\n') == std::string::npos);
  CHECK(cluster->kill_command(0).find('\n') == std::string::npos);
}

TEST_CASE("etcd cluster: deploying beside a foreign server stops before anything is removed") {
  LocalRemote remote("n1");
  std::vector<std::string> removed;
  remote.intercept = [&removed](const Command& command) -> std::optional<Result<Output>> {
    if (contains(command.shell, "rm -rf")) removed.push_back(command.shell);
    if (contains(command.shell, "/proc/net/tcp")) return answer(0, "2379 4711 nginx\n", "");
    return Output{};
  };
  const auto cluster = make_cluster({&remote}, {});
  const auto deployed = cluster->deploy(0);
  REQUIRE_FALSE(deployed);
  CHECK(contains(deployed.error().message, "n1: port 2379 is taken by process 4711 (nginx)"));
  CHECK(removed.empty());
}

TEST_CASE("etcd cluster: eight nodes are refused in a sentence") {
  std::vector<std::unique_ptr<LocalRemote>> nodes;
  std::vector<Remote*> remotes;
  for (int i = 1; i <= 8; ++i) {
    nodes.push_back(std::make_unique<LocalRemote>("n" + std::to_string(i)));
    remotes.push_back(nodes.back().get());
  }
  const auto deployed = make_cluster(remotes, {})->deploy(0);
  REQUIRE_FALSE(deployed);
  CHECK(contains(deployed.error().message, "1 to 7 nodes, not to 8"));
  CHECK(nodes.front()->commands().empty());
}

}  // namespace ordeal::clusters::etcd
