#include "clusters/custom/probe.h"

#include <cerrno>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ordeal::clusters::custom {
namespace {

constexpr std::size_t most_bytes = std::size_t{1} << 20U;

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int fd() const { return fd_; }

  // False when the deadline passed first.
  [[nodiscard]] bool await(short events, Deadline deadline) const {
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.left()).count();
      pollfd watched{fd_, events, 0};
      const int ready = ::poll(&watched, 1, static_cast<int>(std::min<std::int64_t>(left, 60'000)));
      if (ready > 0) return true;
      if (deadline.passed() || (ready < 0 && errno != EINTR)) return false;
    }
  }

 private:
  int fd_;
};

struct Address {
  std::string host, port;
};

Result<Address> split(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon + 1 == text.size())
    return error("{} names no port", text);
  std::string host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return Address{std::move(host), text.substr(colon + 1)};
}

Result<Socket> connect_to(const std::string& address, Deadline deadline) {
  const auto parts = split(address);
  if (!parts) return pass_on(parts.error());
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int failed = ::getaddrinfo(parts->host.c_str(), parts->port.c_str(), &hints, &found);
      failed != 0)
    return error("{}: {}", address, ::gai_strerror(failed));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> guard(found, ::freeaddrinfo);
  Socket socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket.fd() < 0) return error("no socket: {}", std::strerror(errno));
  if (::connect(socket.fd(), found->ai_addr, found->ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return error("{} refused: {}", address, std::strerror(errno));
    if (!socket.await(POLLOUT, deadline)) return error("{} does not answer", address);
    int failed = 0;
    socklen_t size = sizeof failed;
    ::getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &failed, &size);
    if (failed != 0) return error("{}: {}", address, std::strerror(failed));
  }
  return socket;
}

}  // namespace

Result<void> tcp_answers(const std::string& address, Deadline deadline) {
  const auto socket = connect_to(address, deadline);
  if (!socket) return pass_on(socket.error());
  return {};
}

Result<std::string> http_get(const std::string& url, Deadline deadline) {
  constexpr std::string_view scheme = "http://";
  const std::size_t slash = url.find('/', scheme.size());
  const std::string address = url.substr(scheme.size(), slash - scheme.size());
  const std::string path = slash == std::string::npos ? "/" : url.substr(slash);
  const auto socket = connect_to(split(address) ? address : address + ":80", deadline);
  if (!socket) return pass_on(socket.error());
  const std::string request =
      fmt::format("GET {} HTTP/1.0\r\nHost: {}\r\nConnection: close\r\n\r\n", path, address);
  if (::send(socket->fd(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size()))
    return error("{} took no request: {}", url, std::strerror(errno));
  std::string answer;
  for (char buffer[4096]; answer.size() < most_bytes;) {
    if (!socket->await(POLLIN, deadline)) return error("{} does not answer", url);
    const ssize_t got = ::recv(socket->fd(), buffer, sizeof buffer, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got < 0) return error("{}: {}", url, std::strerror(errno));
    if (got == 0) break;
    answer.append(buffer, static_cast<std::size_t>(got));
  }
  const std::size_t blank = answer.find("\r\n\r\n");
  if (answer.rfind("HTTP/1.", 0) != 0 || answer.size() < 12 || blank == std::string::npos)
    return error("{} answers, but not in HTTP", url);
  if (answer[9] != '2') return error("{} answers {}", url, answer.substr(9, answer.find('\r') - 9));
  return answer.substr(blank + 4);
}

}  // namespace ordeal::clusters::custom
