#pragma once
// The one layer under all programs of the bestiary: a single-threaded loop with timers, JSON lines
// over TCP, and a status page over HTTP. A program is a set of handlers; since nothing runs at the
// same time, it needs no locks.
//
// Messages to peers are one-way and may be lost: they are dropped while a peer cannot be reached
// and when too much is waiting for it. Connections that make no progress are closed and made anew.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <sys/socket.h>

namespace bestiary {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;
using Connection = std::uint64_t;

class Loop {
 public:
  using Handler = std::function<void(Connection, const Json&)>;

  Loop() = default;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  // Serves JSON lines on a port of all addresses.
  void listen(std::uint16_t port, Handler handler);
  // Answers every HTTP request on a port with a page of JSON, and with the time of day that the
  // turn before saw: nothing else here looks at a clock that is set.
  void serve_status(std::uint16_t port, std::function<Json()> page);
  // An answer to whoever sent a message; dropped when the connection is gone.
  void answer(Connection to, const Json& message);

  // A peer is told to, by its number, at "host:port".
  void add_peer(int peer, const std::string& address);
  void tell(int peer, const Json& message);

  // A line of the log, with the time of day.
  void note(const std::string& text) const;

  void after(Milliseconds wait, std::function<void()> action);
  // Called after each batch of messages and timers: the moment to write to disk and to send.
  void each_turn(std::function<void()> action) { turn_ = std::move(action); }

  [[noreturn]] void run();

 private:
  struct Link {
    int fd = -1;
    bool connecting = false;
    Clock::time_point dialed_at{};
    bool closing = false;  // once everything is sent
    std::string in, out;
    Handler handler;  // empty: what comes is ignored
    bool is_http = false;
  };
  struct Listener {
    int fd;
    Handler handler;
    std::function<Json()> page;  // HTTP
  };
  struct Peer {
    std::string host, port;
    Connection link = 0;
    Clock::time_point retry_at{};
  };

  void open_listener(std::uint16_t port, Handler handler, std::function<Json()> page);
  void accept_from(const Listener& listener);
  void dial(Peer& peer);
  void receive(Connection id);
  void handle_http(Connection id, Link& link);
  void flush(Connection id);
  void queue(Connection id, const std::string& bytes);
  void close_link(Connection id);
  void poll_once();
  void run_timers();

  std::vector<Listener> listeners_;
  std::map<Connection, Link> links_;
  std::map<int, Peer> peers_;
  std::multimap<Clock::time_point, std::function<void()>> timers_;
  std::function<void()> turn_;
  std::chrono::system_clock::time_point wall_;
  Connection next_ = 1;
};

// A numeric address of either family; false when it is none (names would need shared libraries).
struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};
[[nodiscard]] bool parse_address(const std::string& host, const std::string& port, Address& to);

// "--name=value" arguments of a program; ends it with a sentence when one is not known.
[[nodiscard]] std::map<std::string, std::string> arguments(
    int argc, char** argv, const std::map<std::string, std::string>& defaults);

// "1=10.0.0.1:7001,2=10.0.0.2:7001" -> number to address.
[[nodiscard]] std::map<int, std::string> members(const std::string& text);

// Files of a program: lines that are appended and synced, and documents that are replaced whole.
class Disk {
 public:
  explicit Disk(std::string folder);
  [[nodiscard]] std::vector<Json> lines(const std::string& file) const;
  // Synced on return, unless told otherwise.
  void append(const std::string& file, const std::string& lines, bool sync = true);
  [[nodiscard]] Json document(const std::string& file) const;         // null when there is none
  void replace(const std::string& file, const std::string& content);  // synced on return

 private:
  int open_for_append(const std::string& file);
  std::string folder_;
  std::map<std::string, int> open_;
};

// Whether to misbehave in a way: --bug=NAME.
class Bugs {
 public:
  Bugs(std::string chosen, std::vector<std::string> known, const std::vector<std::string>& more);
  [[nodiscard]] bool has(const std::string& name) const;

 private:
  std::string chosen_;
  std::vector<std::string> known_;
};

}  // namespace bestiary
