#pragma once
// A real etcd of one member for tests: on loopback and free ports, in a folder of its own, ended by
// process id. Needs the program etcd (Debian: etcd-server); a test without it fails and says so.

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clusters/etcd/client.h"
#include "core/file.h"

namespace ordeal::clusters::etcd {

class EtcdServer {
 public:
  EtcdServer() {
    char name[] = "/tmp/ordeal-etcd-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    folder_ = name;
    // Another program may take a port between our look and etcd's bind.
    for (int attempt = 0; attempt < 5 && pid_ == 0; ++attempt) {
      port_ = free_port();
      peer_port_ = free_port();
      start();
    }
    INFO("etcd: " << last_words());
    REQUIRE(pid_ != 0);
  }
  EtcdServer(const EtcdServer&) = delete;
  EtcdServer& operator=(const EtcdServer&) = delete;
  ~EtcdServer() {
    kill();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  // Returns once it answers; leaves pid_ 0 when it ended instead.
  void start() {
    launch();
    const auto client = open();
    const Deadline deadline = Deadline::after(20s);
    while (pid_ != 0 && !deadline.passed()) {
      const Completion answer =
          client->invoke({Function::read, "is it up", {}}, Deadline::after(200ms));
      if (answer.outcome == Outcome::ok) return;
      if (::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = 0;
    }
    kill();
  }
  // Returns as soon as the process exists.
  void launch() {
    const std::string client_url = "http://127.0.0.1:" + std::to_string(port_);
    const std::string peer_url = "http://127.0.0.1:" + std::to_string(peer_port_);
    std::vector<std::string> words = {"env",
                                      "-i",
                                      "PATH=/usr/local/bin:/usr/bin:/bin",
                                      "etcd",
                                      "--name=solo",
                                      "--data-dir=" + (folder_ / "data").string(),
                                      "--listen-client-urls=" + client_url,
                                      "--advertise-client-urls=" + client_url,
                                      "--listen-peer-urls=" + peer_url,
                                      "--initial-advertise-peer-urls=" + peer_url,
                                      "--initial-cluster=solo=" + peer_url,
                                      "--logger=zap",
                                      "--log-outputs=stderr",
                                      "--heartbeat-interval=20",
                                      "--election-timeout=200"};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const std::string log = folder_ / "log";
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    const int failed = ::posix_spawnp(&pid_, "env", &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    REQUIRE(failed == 0);
  }

  void kill() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  // Returns once the process is stopped.
  void pause() {
    ::kill(pid_, SIGSTOP);
    ::waitpid(pid_, nullptr, WUNTRACED);
  }
  void resume() { ::kill(pid_, SIGCONT); }

  // Its connections as the kernel sees them: how many clients are connected, and what they have
  // sent that it has not read.
  struct Traffic {
    int connections = 0;
    std::size_t unread_bytes = 0;
  };
  [[nodiscard]] Traffic traffic() const {
    Traffic sum;
    std::istringstream table(read_file("/proc/self/net/tcp").value_or(""));
    const std::string our_port = fmt::format(":{:04X}", port_);
    const std::string established = "01";
    for (std::string slot, local, remote, state, queues;
         table >> slot >> local >> remote >> state >> queues; table.ignore(1000, '\n')) {
      if (!local.ends_with(our_port) || state != established) continue;
      ++sum.connections;
      sum.unread_bytes += std::stoul(queues.substr(queues.find(':') + 1), nullptr, 16);
    }
    return sum;
  }

  [[nodiscard]] std::unique_ptr<Client> open(bool serializable_reads = false) const {
    return make_client({.port = port_, .serializable_reads = serializable_reads});
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  static std::uint16_t free_port() {
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    const bool bound =
        ::bind(probe, generic, size) == 0 && ::getsockname(probe, generic, &size) == 0;
    ::close(probe);
    REQUIRE(bound);
    return ntohs(address.sin_port);
  }

  std::string last_words() const {
    const std::string log = read_file(folder_ / "log").value_or("no log");
    return log.size() > 2000 ? log.substr(log.size() - 2000) : log;
  }

  std::filesystem::path folder_;
  pid_t pid_ = 0;
  std::uint16_t port_ = 0;
  std::uint16_t peer_port_ = 0;
};

}  // namespace ordeal::clusters::etcd
