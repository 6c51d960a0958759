#pragma once
// Sockets inside the network namespaces of lab nodes, held by the test: what one node can send to
// another is seen from outside, without any program on the nodes.

#include <array>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clusters/remote.h"

namespace ordeal::nemesis {

// matrix[from][to]
using Matrix = std::vector<std::vector<bool>>;

// A file descriptor with one owner.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

class Namespace {
 public:
  explicit Namespace(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  void enter() const {
    ORDEAL_CHECK(::setns(fd_.get(), CLONE_NEWNET) == 0, "no way into a network");
  }

 private:
  Descriptor fd_;
};

class NodeSockets {
 public:
  explicit NodeSockets(const std::vector<clusters::Remote*>& remotes) {
    for (std::size_t i = 0; i < remotes.size(); ++i) {
      namespaces_.push_back(Namespace(find_namespace(*remotes[i])));
      for (const bool six : {false, true}) {
        datagram_[six].push_back(socket_in(i, six, SOCK_DGRAM));
        listener_[six].push_back(socket_in(i, six, SOCK_STREAM));
        for (const auto* bound : {&datagram_[six].back(), &listener_[six].back()}) {
          const sockaddr_storage any = address(six, i, true);
          ORDEAL_CHECK(
              ::bind(bound->get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0,
              "no port");
        }
        ORDEAL_CHECK(::listen(listener_[six].back().get(), 64) == 0, "no listener");
      }
    }
  }

  // Which node's datagrams reach which node. Datagrams go one way, so each direction is seen by
  // itself.
  [[nodiscard]] Matrix datagrams(bool six) const {
    const std::size_t count = namespaces_.size();
    Matrix open(count, std::vector<bool>(count, false));
    for (std::size_t from = 0; from < count; ++from) {
      open[from][from] = true;
      for (std::size_t to = 0; to < count; ++to) {
        if (from == to) continue;
        const sockaddr_storage there = address(six, to, false);
        const char word = static_cast<char>(from);
        (void)::sendto(datagram_[six][from].get(), &word, 1, 0,
                       reinterpret_cast<const sockaddr*>(&there), sizeof there);
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    for (std::size_t to = 0; to < count; ++to) {
      char word = 0;
      while (::recv(datagram_[six][to].get(), &word, 1, 0) == 1) {
        open[static_cast<std::size_t>(word)][to] = true;
      }
    }
    return open;
  }

  // Which node can connect to which.
  [[nodiscard]] Matrix connections(bool six) const {
    const std::size_t count = namespaces_.size();
    Matrix open(count, std::vector<bool>(count, false));
    std::vector<Descriptor> calls;
    std::vector<pollfd> polls;
    for (std::size_t from = 0; from < count; ++from) {
      for (std::size_t to = 0; to < count; ++to) {
        calls.push_back(socket_in(from, six, SOCK_STREAM));
        const sockaddr_storage there = address(six, to, false);
        (void)::connect(calls.back().get(), reinterpret_cast<const sockaddr*>(&there),
                        sizeof there);
        polls.push_back({calls.back().get(), POLLOUT, 0});
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
    (void)::poll(polls.data(), polls.size(), 0);
    for (std::size_t i = 0; i < polls.size(); ++i) {
      int failure = 0;
      socklen_t size = sizeof failure;
      ::getsockopt(polls[i].fd, SOL_SOCKET, SO_ERROR, &failure, &size);
      open[i / count][i % count] = (polls[i].revents & POLLOUT) != 0 && failure == 0;
    }
    return open;
  }

  // Both ends of a connection from one node to another; not after connections(), which leaves
  // some waiting to be accepted.
  [[nodiscard]] std::array<Descriptor, 2> connected(std::size_t from, std::size_t to) const {
    std::array<Descriptor, 2> ends = {socket_in(from, false, SOCK_STREAM), Descriptor()};
    const sockaddr_storage there = address(false, to, false);
    (void)::connect(ends[0].get(), reinterpret_cast<const sockaddr*>(&there), sizeof there);
    pollfd waiting{listener_[0][to].get(), POLLIN, 0};
    (void)::poll(&waiting, 1, 10'000);
    ends[1] = Descriptor(::accept4(waiting.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    ORDEAL_CHECK(ends[1].get() >= 0, "no connection between nodes");
    return ends;
  }

 private:
  static constexpr std::uint16_t port = 7070;

  // Node k of a lab is 10.77.0.k and fd77::k.
  static sockaddr_storage address(bool six, std::size_t node, bool any) {
    sockaddr_storage storage{};
    if (six) {
      auto* to = reinterpret_cast<sockaddr_in6*>(&storage);
      to->sin6_family = AF_INET6;
      to->sin6_port = htons(port);
      const std::string text = any ? "::" : fmt::format("fd77::{:x}", node + 1);
      ::inet_pton(AF_INET6, text.c_str(), &to->sin6_addr);
    } else {
      auto* to = reinterpret_cast<sockaddr_in*>(&storage);
      to->sin_family = AF_INET;
      to->sin_port = htons(port);
      const std::string text = any ? "0.0.0.0" : fmt::format("10.77.0.{}", node + 1);
      ::inet_pton(AF_INET, text.c_str(), &to->sin_addr);
    }
    return storage;
  }

  // The node tells its namespace's name; a process of it is found from outside.
  static std::string find_namespace(clusters::Remote& remote) {
    const auto told = clusters::run_or_error(remote, {"readlink /proc/self/ns/net", {}}, "asking");
    ORDEAL_CHECK(told.has_value(), "a lab node does not answer");
    const std::string wanted = told->substr(0, told->find('\n'));
    std::error_code failed;
    for (const auto& process : std::filesystem::directory_iterator("/proc", failed)) {
      const auto link = process.path() / "ns/net";
      if (std::filesystem::read_symlink(link, failed).string() == wanted) return link.string();
    }
    return {};
  }

  [[nodiscard]] Descriptor socket_in(std::size_t node, bool six, int kind) const {
    int fd = -1;
    std::thread([&] {
      namespaces_[node].enter();
      fd = ::socket(six ? AF_INET6 : AF_INET, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      const int on = 1;
      if (six) ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    }).join();
    ORDEAL_CHECK(fd >= 0, "no socket in a node");
    return Descriptor(fd);
  }

  std::vector<Namespace> namespaces_;
  std::array<std::vector<Descriptor>, 2> datagram_, listener_;
};

}  // namespace ordeal::nemesis
