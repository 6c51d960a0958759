#pragma once
// The byte stream under an SSH session: a TCP connection, or a socket pair with the ProxyCommand
// that
// ~/.ssh/config asks for (ProxyJump is one) at its other end. Ours rather than libssh's, so that a
// hung connection can be given up at any time, the proxy's complaint ends up in the error, and no
// other child of this process inherits the sockets.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "core/result.h"

namespace ordeal::clusters {

// A file descriptor that closes itself.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd();
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// How the opening of a connection, which takes several steps, talks to those who wait for it.
struct Watch {
  // What it is busy with from now on, and what to look at when that never ends.
  std::function<void(std::string step, std::string advice)> doing;
  // Asked every few milliseconds; once true, the opening ends with some error.
  std::function<bool()> given_up;
};

// Waits until the descriptor is ready for `events`, at most `slice_ms`.
void wait_ready(int fd, short events, int slice_ms);

class Transport {
 public:
  // Tries the addresses of the host one after the other. Name look-up cannot be interrupted.
  [[nodiscard]] static Result<Transport> tcp(const std::string& host, std::uint16_t port,
                                             const Watch& watch);
  [[nodiscard]] static Result<Transport> proxy(const std::string& command);

  Transport(Transport&& other) noexcept;
  Transport& operator=(Transport&&) = delete;
  ~Transport();  // ends the proxy

  [[nodiscard]] bool is_proxy() const { return proxy_ != 0; }
  // The connected, non-blocking socket; from now on the caller's to close.
  [[nodiscard]] int release_socket() { return socket_.release(); }
  // What the proxy printed last on its standard error, if anything: ": ssh: connect to host ...".
  [[nodiscard]] std::string complaint();

 private:
  explicit Transport(Fd socket) : socket_(std::move(socket)) {}

  Fd socket_;
  Fd errors_;         // of the proxy
  std::string said_;  // by the proxy; the tail
  pid_t proxy_ = 0;
};

// %h, %p, %r and %n (host, port, user, host as given) in a ProxyCommand.
[[nodiscard]] std::string expand_proxy_command(std::string_view command, const std::string& host,
                                               std::uint16_t port, const std::string& user,
                                               const std::string& given_host);

}  // namespace ordeal::clusters
