#include "clusters/ssh_transport.h"

#include <cerrno>
#include <cstring>
#include <memory>
#include <thread>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/time.h"

namespace ordeal::clusters {
namespace {

constexpr int slice_ms = 20;
constexpr std::size_t complaint_limit = 4096;
// How long one address of several may stay silent.
constexpr Nanoseconds address_patience = 3s;

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Result<Addresses> resolve(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (failed != 0)
    return error("resolving {}: {}; check the name, or give an address", host,
                 failed == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(failed));
  return Addresses(list);
}

std::string_view advice_for(int why) {
  switch (why) {
    case ECONNREFUSED:
      return "check that sshd runs there and that the port is right";
    case EHOSTUNREACH:
    case ENETUNREACH:
      return "check the address and the routes to it";
    default:
      return "check that the node is up and reachable from here";
  }
}

// 0, or the errno that connecting ended with.
int connect_to(const addrinfo& address, bool is_last, const Watch& watch, Fd& connected) {
  Fd fd(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0) return errno;
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  if (::connect(fd.get(), address.ai_addr, address.ai_addrlen) != 0 && errno != EINPROGRESS)
    return errno;
  const Deadline patience = Deadline::after(address_patience);
  for (;;) {
    pollfd ready{fd.get(), POLLOUT, 0};
    if (::poll(&ready, 1, slice_ms) > 0) break;
    if (watch.given_up() || (!is_last && patience.passed())) return ETIMEDOUT;
  }
  int why = 0;
  socklen_t size = sizeof why;
  ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &why, &size);
  if (why == 0) connected = std::move(fd);
  return why;
}

// Runs it with a session of its own: without a terminal an ssh that wants to ask a question fails
// instead.
Result<pid_t> spawn_shell(const std::string& command, int in_out, int errors) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, in_out, 0);
  posix_spawn_file_actions_adddup2(&files, in_out, 1);
  posix_spawn_file_actions_adddup2(&files, errors, 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  std::string sh = "sh", dash_c = "-c", text = command;
  char* arguments[] = {sh.data(), dash_c.data(), text.data(), nullptr};
  pid_t pid = 0;
  const int failed = posix_spawn(&pid, "/bin/sh", &files, &attributes, arguments, environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (failed != 0) return error("starting the ProxyCommand: {}", std::strerror(failed));
  return pid;
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = other.release();
  }
  return *this;
}

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

void wait_ready(int fd, short events, int slice) {
  pollfd ready{fd, events, 0};
  ::poll(&ready, 1, slice);
}

Result<Transport> Transport::tcp(const std::string& host, std::uint16_t port, const Watch& watch) {
  watch.doing(fmt::format("resolving {}", host), "check the name, or give an address");
  const Result<Addresses> addresses = resolve(host, port);
  if (!addresses) return pass_on(addresses.error());
  const std::string step = fmt::format("connecting to {} port {}", host, port);
  watch.doing(step, "check that the node is up and reachable from here");
  int why = 0;
  for (const addrinfo* address = addresses->get(); address != nullptr; address = address->ai_next) {
    Fd connected;
    why = connect_to(*address, address->ai_next == nullptr, watch, connected);
    if (why == 0) return Transport(std::move(connected));
    if (watch.given_up()) break;
  }
  return error("{}: {}; {}", step, std::strerror(why), advice_for(why));
}

Result<Transport> Transport::proxy(const std::string& command) {
  int pair[2], errors[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
    return error("a socket pair for the ProxyCommand: {}", std::strerror(errno));
  Transport transport{Fd(pair[0])};
  const Fd theirs(pair[1]);
  ::fcntl(pair[0], F_SETFL, O_NONBLOCK);
  if (::pipe2(errors, O_CLOEXEC) != 0)
    return error("a pipe for the ProxyCommand: {}", std::strerror(errno));
  transport.errors_ = Fd(errors[0]);
  const Fd their_errors(errors[1]);
  ::fcntl(errors[0], F_SETFL, O_NONBLOCK);
  const Result<pid_t> pid = spawn_shell(command, theirs.get(), their_errors.get());
  if (!pid) return pass_on(pid.error());
  transport.proxy_ = *pid;
  return transport;
}

Transport::Transport(Transport&& other) noexcept
    : socket_(std::move(other.socket_)),
      errors_(std::move(other.errors_)),
      said_(std::move(other.said_)),
      proxy_(std::exchange(other.proxy_, 0)) {}

Transport::~Transport() {
  if (proxy_ == 0) return;
  ::kill(-proxy_, SIGTERM);
  for (int wait = 0; wait < 100; ++wait) {
    if (::waitpid(proxy_, nullptr, WNOHANG) != 0) return;
    std::this_thread::sleep_for(1ms);
  }
  ::kill(-proxy_, SIGKILL);
  ::waitpid(proxy_, nullptr, 0);
}

std::string Transport::complaint() {
  if (errors_.get() < 0) return {};
  char buffer[1024];
  for (ssize_t got = 0; (got = ::read(errors_.get(), buffer, sizeof buffer)) > 0;) {
    said_.append(buffer, static_cast<std::size_t>(got));
    if (said_.size() > complaint_limit) said_.erase(0, said_.size() - complaint_limit);
  }
  // ssh ends its lines with \r\n, and its last line is often "Connection closed": all of it is
  // shown.
  std::string text;
  for (const char c : said_)
    if (c != '\r') text += c == '\n' ? ' ' : c;
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text.empty() ? text : ": the proxy says: " + text;
}

std::string expand_proxy_command(std::string_view command, const std::string& host,
                                 std::uint16_t port, const std::string& user,
                                 const std::string& given_host) {
  std::string text;
  for (std::size_t i = 0; i < command.size(); ++i) {
    if (command[i] != '%' || i + 1 == command.size()) {
      text += command[i];
      continue;
    }
    switch (command[++i]) {
      case 'h':
        text += host;
        break;
      case 'p':
        text += std::to_string(port);
        break;
      case 'r':
        text += user;
        break;
      case 'n':
        text += given_host;
        break;
      case '%':
        text += '%';
        break;
      default:
        text += {'%', command[i]};
    }
  }
  return text;
}

}  // namespace ordeal::clusters
