#include "clusters/ssh_connection.h"

#include <algorithm>

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace ordeal::clusters {
namespace {

// sshd's MaxSessions is 10 unless configured; it frees one a moment after we hear of the end.
constexpr std::size_t max_channels = 8;
constexpr int max_refusals = 50;
constexpr Nanoseconds refusal_pause = 20ms;
constexpr Nanoseconds quiet_until_asked = 3s;
constexpr Nanoseconds silence_until_dead = 12s;
constexpr Nanoseconds silence_worth_telling = 2s;
constexpr Nanoseconds stop_patience = 1s;
constexpr int max_rounds = 64;

void drain(int fd) {
  std::uint64_t count = 0;
  (void)!::read(fd, &count, sizeof count);
}

// libssh's poll loop calls it when the eventfd is written.
int on_wake(socket_t fd, int, void*) {
  drain(fd);
  return 0;
}

}  // namespace

SshConnection::SshConnection(Node node, Credentials credentials)
    : node_(std::move(node)),
      credentials_(std::move(credentials)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      heard_at_(SteadyClock::now()) {
  ORDEAL_CHECK(wake_.get() >= 0, "no file descriptor left for a connection");
}

SshConnection::~SshConnection() {
  // The thread holds a reference to this object: it has ended, or this is its own last act.
  if (thread_.joinable()) thread_.detach();
}

void SshConnection::start() {
  thread_ = std::thread([self = shared_from_this()] { self->serve(); });
}

void SshConnection::stop() {
  stopping_ = true;
  wake();
  bool finished = false;
  {
    std::unique_lock lock(mutex_);
    finished = finished_changed_.wait_for(lock, stop_patience, [&] { return finished_; });
  }
  if (!thread_.joinable()) return;
  // Name look-up and the agent cannot be interrupted: a thread stuck there ends by itself, later.
  finished ? thread_.join() : thread_.detach();
}

void SshConnection::submit(const std::shared_ptr<Exchange>& exchange) {
  bool is_open = false;
  {
    const std::lock_guard lock(mutex_);
    is_open = !finished_;
    if (is_open) submitted_.push_back(exchange);
  }
  if (!is_open) exchange->end(error("{}: the connection was closed", node_.name));
  wake();
}

void SshConnection::wake() const {
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

std::string SshConnection::late(const Exchange& exchange, Nanoseconds timeout) const {
  const std::lock_guard lock(mutex_);
  const std::string limit = to_text(timeout);
  const Nanoseconds silence = SteadyClock::now() - heard_at_;
  const std::string silent =
      open_ && silence > silence_worth_telling
          ? fmt::format("; nothing has been heard from the node for {}: is the network to it cut?",
                        to_text(silence))
          : "";
  switch (exchange.stage()) {
    case Exchange::Stage::queued:
      if (!open_)
        return fmt::format("{}: {}: no answer within {}; {}", node_.name, step_, limit, advice_);
      return fmt::format(
          "{}: {} was not started within {}: {} other commands were running on the node{}",
          node_.name, exchange.title(), limit, busy_, silent);
    case Exchange::Stage::opening:
      return fmt::format("{}: opening a channel for {}: no answer within {}{}", node_.name,
                         exchange.title(), limit, silent);
    case Exchange::Stage::sent:
      return fmt::format(
          "{}: {} was sent, but not confirmed within {}; it is unknown whether it ran{}",
          node_.name, exchange.title(), limit, silent);
    default:
      break;
  }
  if (const std::optional<int> status = exchange.early_status())
    return fmt::format(
        "{}: {} ended with status {}, but something that it started still holds its output open "
        "after {}; redirect "
        "the output of what stays behind",
        node_.name, exchange.title(), *status, limit);
  return fmt::format("{}: {} did not end within {}; the node kills it{}", node_.name,
                     exchange.title(), limit, silent);
}

void SshConnection::serve() {
  // Signals are for other threads; and a proxy that dies while we write shall be an error, not
  // SIGPIPE.
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
  while (!stopping_) {
    take_submitted();
    if (session_ != nullptr) {
      advance_all();
      poll_network();
    } else if (queued_.empty()) {
      sleep_until_woken();
    } else {
      open_session();
    }
  }
  if (session_ != nullptr)
    (void)advance_once();  // the last words of streams that were closed just now
  close_session();
  std::unique_lock lock(mutex_);
  finished_ = true;
  for (auto& exchange : std::exchange(submitted_, {})) queued_.push_back(std::move(exchange));
  lock.unlock();
  for (const auto& exchange : queued_)
    exchange->end(error("{}: the connection was closed", node_.name));
  queued_.clear();
  lock.lock();
  finished_changed_.notify_all();
}

void SshConnection::take_submitted() {
  const std::lock_guard lock(mutex_);
  for (auto& exchange : submitted_) queued_.push_back(std::move(exchange));
  submitted_.clear();
  queued_.remove_if([](const auto& exchange) { return exchange->abandoned(); });
}

void SshConnection::sleep_until_woken() const {
  wait_ready(wake_.get(), POLLIN, -1);
  drain(wake_.get());
}

bool SshConnection::anybody_waits() const {
  return std::any_of(queued_.begin(), queued_.end(),
                     [](const auto& exchange) { return !exchange->abandoned(); });
}

void SshConnection::open_session() {
  Watch watch;
  watch.doing = [this](std::string step, std::string advice) {
    const std::lock_guard lock(mutex_);
    step_ = std::move(step);
    advice_ = std::move(advice);
  };
  watch.given_up = [this] { return stopping_ || !anybody_waits(); };
  Result<std::unique_ptr<SshSession>> opened = SshSession::open(node_, credentials_, watch);
  if (!opened) {
    for (const auto& exchange : queued_) exchange->end(pass_on(opened.error()));
    queued_.clear();
    return;
  }
  session_ = std::move(*opened);
  event_ = ssh_event_new();
  ORDEAL_CHECK(event_ != nullptr, "no memory for the poll set of a connection");
  ssh_event_add_fd(event_, wake_.get(), POLLIN, on_wake, nullptr);
  ssh_event_add_session(event_, session_->handle());
  bytes_heard_ = 0;
  asked_at_ = {};
  retry_at_ = {};
  const std::lock_guard lock(mutex_);
  open_ = true;
  heard_at_ = SteadyClock::now();
}

// libssh handles packets of all channels in any call, so one exchange's turn may be news for
// another: go round until nothing new came in.
void SshConnection::advance_all() {
  call_again_ = true;
  for (int round = 0; round < max_rounds && call_again_; ++round) {
    const std::uint64_t before = session_->bytes_received();
    call_again_ = advance_once();
    call_again_ = call_again_ || session_->bytes_received() != before;
  }
}

bool SshConnection::advance_once() {
  while (!queued_.empty() && active_.size() < max_channels && SteadyClock::now() >= retry_at_)
    active_.splice(active_.end(), queued_, queued_.begin());
  bool again = false;
  for (auto at = active_.begin(); at != active_.end();) {
    const auto current = at++;
    Exchange& exchange = **current;
    const Exchange::Next next = exchange.advance(session_->handle());
    again = again || next == Exchange::Next::again;
    if (exchange.stage() == Exchange::Stage::ended) {
      active_.erase(current);
      again = again || !queued_.empty();
    } else if (next == Exchange::Next::refused) {
      retry_at_ = SteadyClock::now() + refusal_pause;
      if (exchange.times_refused() < max_refusals || active_.size() > 1) {
        queued_.splice(queued_.begin(), active_, current);
      } else {
        exchange.end(
            error("{}: the node opens no channel ({}); check MaxSessions in its sshd_config",
                  node_.name, session_->cause()));
        active_.erase(current);
      }
    }
  }
  const std::lock_guard lock(mutex_);
  busy_ = active_.size();
  return again;
}

void SshConnection::poll_network() {
  const bool waits_for_retry = !queued_.empty() && active_.size() < max_channels;
  const auto pause = std::chrono::duration_cast<std::chrono::milliseconds>(
      waits_for_retry ? refusal_pause : Nanoseconds(1s));
  const int answer = ssh_event_dopoll(event_, call_again_ ? 0 : static_cast<int>(pause.count()));
  if (answer == SSH_ERROR || !session_->connected()) return lose_session(session_->cause());
  watch_pulse();
}

// A network that swallows everything tells nothing: after a while without news the node is asked
// for a sign of life, and without one the session is given up.
void SshConnection::watch_pulse() {
  const auto now = SteadyClock::now();
  if (session_->bytes_received() != bytes_heard_) {
    bytes_heard_ = session_->bytes_received();
    asked_at_ = {};
    const std::lock_guard lock(mutex_);
    heard_at_ = now;
    return;
  }
  // Only this thread writes heard_at_.
  if (asked_at_ == SteadyClock::time_point{}) {
    if (now - heard_at_ < quiet_until_asked) return;
    asked_at_ = now;
    session_->ask_sign_of_life();
  } else if (now - asked_at_ > silence_until_dead) {
    lose_session(fmt::format("nothing was heard from the node for {}", to_text(now - heard_at_)));
  }
}

void SshConnection::lose_session(const std::string& cause) {
  Exchanges again;
  for (auto& exchange : active_)
    if (exchange->lose(cause)) again.push_back(std::move(exchange));
  active_.clear();
  queued_.splice(queued_.begin(), again);
  close_session();
}

void SshConnection::close_session() {
  for (auto& exchange : active_) (void)exchange->lose("it was closed");
  for (auto& exchange : active_) exchange->end(error("{}: the connection was closed", node_.name));
  active_.clear();
  if (event_ != nullptr) {
    ssh_event_remove_session(event_, session_->handle());
    ssh_event_remove_fd(event_, wake_.get());
    ssh_event_free(event_);
    event_ = nullptr;
  }
  session_.reset();
  const std::lock_guard lock(mutex_);
  open_ = false;
  busy_ = 0;
  step_ = "connecting again";
  advice_ = "check that the node is up and reachable from here";
}

}  // namespace ordeal::clusters
