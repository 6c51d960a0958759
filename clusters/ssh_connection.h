#pragma once
// The connection to one node: a thread that owns the session and moves every exchange forward. It
// connects when there is something to do, multiplexes, notices a dead network by itself, and
// connects anew for the next exchange; what had been sent over a lost session is reported, never
// sent again.
//
// Callers wait with their own deadlines and never depend on the I/O thread for coming back in time.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <libssh/libssh.h>

#include "clusters/ssh_exchange.h"
#include "clusters/ssh_session.h"

namespace ordeal::clusters {

class SshConnection : public std::enable_shared_from_this<SshConnection> {
 public:
  SshConnection(Node node, Credentials credentials);
  SshConnection(const SshConnection&) = delete;
  SshConnection& operator=(const SshConnection&) = delete;
  ~SshConnection();

  void start();
  // Ends every exchange and the session. Comes back soon, whatever the network does.
  void stop();
  void submit(const std::shared_ptr<Exchange>& exchange);
  // There is something new in an exchange.
  void wake() const;
  // Why an exchange is not further, in words: to be said when its time is up.
  [[nodiscard]] std::string late(const Exchange& exchange, Nanoseconds timeout) const;

 private:
  using Exchanges = std::list<std::shared_ptr<Exchange>>;

  void serve();
  void take_submitted();
  void sleep_until_woken() const;
  void open_session();
  void advance_all();
  bool advance_once();
  void poll_network();
  void watch_pulse();
  void lose_session(const std::string& cause);
  void close_session();
  [[nodiscard]] bool anybody_waits() const;

  const Node node_;
  const Credentials credentials_;
  const Fd wake_;
  std::thread thread_;
  std::atomic<bool> stopping_ = false;

  mutable std::mutex mutex_;
  std::condition_variable finished_changed_;
  // Guarded by mutex_.
  std::vector<std::shared_ptr<Exchange>> submitted_;
  bool finished_ = false;
  bool open_ = false;
  std::size_t busy_ = 0;  // channels in use
  std::string step_, advice_;
  SteadyClock::time_point heard_at_{};

  // The I/O thread's own.
  std::unique_ptr<SshSession> session_;
  ssh_event event_ = nullptr;
  Exchanges queued_, active_;
  bool call_again_ = false;
  SteadyClock::time_point retry_at_{};  // after a refused channel
  std::uint64_t bytes_heard_ = 0;
  SteadyClock::time_point
      asked_at_{};  // for a sign of life that has not come yet; zero: none is due
};

}  // namespace ordeal::clusters
