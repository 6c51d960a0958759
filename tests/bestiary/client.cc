// The client program of the bestiary: Ordeal's JSON lines on one side, a program's lines on the
// other. It sends a request again, under the same number, when the connection breaks before the
// answer came: whether that is safe is the program's business.

#include <cstring>
#include <iostream>
#include <random>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bestiary/rpc.h"

namespace bestiary {
namespace {

class Wire {
 public:
  Wire(std::string host, std::string port) : host_(std::move(host)), port_(std::move(port)) {}

  [[nodiscard]] bool connected() const { return fd_ >= 0; }

  bool connect_by(Clock::time_point deadline) {
    while (fd_ < 0 && Clock::now() < deadline) {
      if (dial(std::min(deadline, Clock::now() + Milliseconds(300)))) return true;
      ::poll(nullptr, 0, 20);
    }
    return fd_ >= 0;
  }

  bool send_line(const Json& message) {
    const std::string line = message.dump() + "\n";
    if (::send(fd_, line.data(), line.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(line.size()))
      return true;
    drop();
    return false;
  }

  // Null at the deadline and when the connection broke; connected() tells which.
  Json receive(Clock::time_point deadline) {
    for (;;) {
      if (const auto end = in_.find('\n'); end != std::string::npos) {
        Json message = Json::parse(in_.substr(0, end), nullptr, false);
        in_.erase(0, end + 1);
        return message;
      }
      const auto left = std::chrono::ceil<Milliseconds>(deadline - Clock::now()).count();
      pollfd watched{fd_, POLLIN, 0};
      if (left <= 0 || ::poll(&watched, 1, static_cast<int>(left)) <= 0) return {};
      char chunk[16384];
      const ssize_t got = ::recv(fd_, chunk, sizeof chunk, 0);
      if (got <= 0) {
        drop();
        return {};
      }
      in_.append(chunk, static_cast<std::size_t>(got));
    }
  }

 private:
  bool dial(Clock::time_point deadline) {
    Address address;
    if (!parse_address(host_, port_, address)) return false;
    fd_ = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto left =
        std::max<std::int64_t>(1, std::chrono::ceil<Milliseconds>(deadline - Clock::now()).count());
    // A connect that takes longer is given up.
    const timeval wait{left / 1000, (left % 1000) * 1000};
    const int no_delay = 1;
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof no_delay);
    const bool done = ::connect(fd_, address.get(), address.size) == 0;
    if (!done) drop();
    return done;
  }

  void drop() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
    in_.clear();
  }

  std::string host_, port_;
  int fd_ = -1;
  std::string in_;
};

class Client {
 public:
  explicit Client(const std::string& server)
      : wire_(server.substr(0, server.rfind(':')), server.substr(server.rfind(':') + 1)) {
    std::random_device entropy;
    session_ = std::to_string((std::uint64_t{entropy()} << 32U) ^ entropy());
  }

  Json invoke(const Json& request) {
    const int timeout = request.at("timeout_ms");
    const auto deadline = Clock::now() + Milliseconds(timeout - std::min(50, timeout / 5));
    const Json id = request.at("id");
    if (!wire_.connect_by(deadline)) return {{"id", id}, {"fail", "not-connected"}};
    const Json message = {{"id", id},
                          {"s", session_},
                          {"q", ++number_},
                          {"f", request.at("function")},
                          {"k", request.at("key")},
                          {"v", request.at("value")},
                          {"timeout_ms", timeout}};
    while (Clock::now() < deadline) {
      if (!wire_.connect_by(deadline) || !wire_.send_line(message)) continue;
      for (;;) {
        Json answer = wire_.receive(deadline);
        if (answer.is_object() && answer.value("id", Json()) == id) return answer;
        if (answer.is_null()) break;  // out of time, or the connection broke: once more
      }
    }
    return {{"id", id}, {"info", "timeout"}};
  }

 private:
  Wire wire_;
  std::string session_;
  std::uint64_t number_ = 0;
};

}  // namespace
}  // namespace bestiary

int main(int argc, char** argv) {
  const auto values = bestiary::arguments(argc, argv, {{"server", "127.0.0.1:7000"}});
  bestiary::Client client(values.at("server"));
  for (std::string line; std::getline(std::cin, line);) {
    const auto request = bestiary::Json::parse(line);
    // Speaks whatever it is asked to: the program at the other end decides.
    const auto answer = request.contains("hello")
                            ? bestiary::Json{{"hello", 1},
                                             {"client", "bestiary"},
                                             {"functions", request.at("functions")}}
                            : client.invoke(request);
    std::cout << answer.dump() << std::endl;
  }
}
