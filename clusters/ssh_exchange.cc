#include "clusters/ssh_exchange.h"

#include <algorithm>
#include <array>
#include <utility>

namespace ordeal::clusters {
namespace {

constexpr std::size_t write_chunk = 256 << 10;     // in one go, so that channels take turns
constexpr std::size_t unread_limit = 1 << 20;      // of a stream; the node is held back beyond it
constexpr std::size_t outgoing_limit = 16 << 20;   // of a stream that does not read
constexpr std::size_t stream_errors_limit = 4096;  // of its standard error, the last bytes
constexpr std::size_t title_limit = 60;
constexpr int max_times_lost = 2;

std::string title_of(const std::string& shell) {
  std::string_view line(shell);
  line = line.substr(0, line.find('\n'));
  const bool whole = line.size() == shell.size() && line.size() <= title_limit;
  return fmt::format("`{}{}`", line.substr(0, title_limit), whole ? "" : "...");
}

// The node itself ends a command whose time is up, with all its process group: no network is needed
// for that, and sshd takes no signals for root. A stream has no end of its own.
std::string command_line(Exchange::Kind kind, const Command& command) {
  if (command.shell.empty()) return {};
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(command.timeout).count();
  const std::string limit =
      kind == Exchange::Kind::command
          ? fmt::format("timeout -s KILL {} ", std::max<std::int64_t>(seconds, 1))
          : "";
  return fmt::format("exec {}/bin/sh -c {}", limit, shell_quote(command.shell));
}

int signal_number(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, int>, 13> numbers = {{{"HUP", 1},
                                                                         {"INT", 2},
                                                                         {"QUIT", 3},
                                                                         {"ILL", 4},
                                                                         {"ABRT", 6},
                                                                         {"FPE", 8},
                                                                         {"KILL", 9},
                                                                         {"USR1", 10},
                                                                         {"SEGV", 11},
                                                                         {"USR2", 12},
                                                                         {"PIPE", 13},
                                                                         {"ALRM", 14},
                                                                         {"TERM", 15}}};
  for (const auto& [known, number] : numbers)
    if (known == name) return number;
  return 0;
}

}  // namespace

std::string_view last_line(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  const auto newline = text.rfind('\n');
  return newline == std::string_view::npos ? text : text.substr(newline + 1);
}

Exchange::Exchange(Kind kind, std::string node, const Command& command)
    : kind_(kind),
      node_(std::move(node)),
      shell_(command_line(kind, command)),
      title_(title_of(command.shell)),
      output_limit_(command.output_limit),
      feeding_(command.input) {
  ssh_callbacks_init(&callbacks_);
  callbacks_.userdata = this;
  callbacks_.channel_data_function = on_data;
  callbacks_.channel_eof_function = on_eof;
  callbacks_.channel_close_function = on_close;
  callbacks_.channel_exit_status_function = on_exit_status;
  callbacks_.channel_exit_signal_function = on_exit_signal;
}

// --- Callers.

bool Exchange::await(Stage stage, Deadline deadline) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, deadline.when(), [&] { return stage_ >= stage; });
}

Exchange::Stage Exchange::stage() const {
  const std::lock_guard lock(mutex_);
  return stage_;
}

std::optional<Result<Output>> Exchange::abandon() {
  const std::lock_guard lock(mutex_);
  abandoned_ = true;
  return std::move(outcome_);
}

std::optional<Error> Exchange::failure() const {
  const std::lock_guard lock(mutex_);
  return outcome_ && !*outcome_ ? std::optional(outcome_->error()) : std::nullopt;
}

std::optional<int> Exchange::early_status() const {
  const std::lock_guard lock(mutex_);
  return has_status_ ? std::optional(output_.exit_status) : std::nullopt;
}

Result<void> Exchange::write(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  if (stage_ == Stage::ended) return pass_on(stream_over());
  if (outgoing_.size() + bytes.size() > outgoing_limit)
    return error("{}: {} does not read its input: {} bytes wait for it", node_, title_,
                 outgoing_.size());
  outgoing_ += bytes;
  return {};
}

Result<std::string> Exchange::read_line(Deadline deadline, const std::function<void()>& wake) {
  std::unique_lock lock(mutex_);
  std::size_t searched = read_up_to_;
  for (;;) {
    const auto newline = unread_.find('\n', searched);
    if (newline != std::string::npos) {
      std::string line = unread_.substr(read_up_to_, newline - read_up_to_);
      read_up_to_ = newline + 1;
      // Moving the rest to the front costs its length: only once it is the smaller half.
      if (read_up_to_ > unread_.size() / 2) unread_.erase(0, std::exchange(read_up_to_, 0));
      const bool resume = stalled_ && unread_.size() < unread_limit;
      lock.unlock();
      if (resume) wake();
      return line;
    }
    if (unread_.size() - read_up_to_ >= unread_limit)
      return error("{}: a line of {} is longer than {} bytes", node_, title_, unread_limit);
    if (stage_ == Stage::ended) return pass_on(stream_over());
    searched = unread_.size();
    if (changed_.wait_until(lock, deadline.when()) == std::cv_status::timeout &&
        unread_.size() == searched && stage_ != Stage::ended)
      return error("{}: {} printed no line in time", node_, title_);
  }
}

Error Exchange::stream_over() const {
  if (outcome_ && !*outcome_) return outcome_->error();
  const Output& last = outcome_ ? **outcome_ : output_;
  const std::string_view said = last_line(last.err);
  const std::string how = last.signal.empty() ? fmt::format("with exit status {}", last.exit_status)
                                              : fmt::format("by signal {}", last.signal);
  return Error{
      fmt::format("{}: {} ended {}{}{}", node_, title_, how, said.empty() ? "" : ": ", said)};
}

// --- The I/O thread.

Exchange::Next Exchange::advance(ssh_session session) {
  Next next = Next::wait;
  if (stage_ == Stage::queued && (abandoned_ || shell_.empty())) {
    end(Output{});
    return next;
  }
  if (stage_ <= Stage::opening) next = open(session);
  if (stage_ == Stage::sent) next = request(session);
  if (stage_ == Stage::running) next = run();
  return next;
}

Exchange::Next Exchange::open(ssh_session session) {
  if (channel_ == nullptr) {
    channel_ = ssh_channel_new(session);
    if (channel_ == nullptr) {
      end(error("{}: opening a channel: {}", node_, ssh_get_error(session)));
      return Next::wait;
    }
    ssh_set_channel_callbacks(channel_, &callbacks_);
    enter(Stage::opening);
  }
  const int answer = ssh_channel_open_session(channel_);
  if (answer == SSH_AGAIN) return Next::wait;
  if (answer != SSH_OK) {
    if (ssh_is_connected(session) == 0) return Next::wait;  // lose() follows
    release_channel();
    ++times_refused_;
    enter(Stage::queued);
    return Next::refused;
  }
  if (abandoned_) {
    hang_up();
    end(Output{});
    return Next::wait;
  }
  enter(Stage::sent);
  return Next::again;
}

Exchange::Next Exchange::request(ssh_session session) {
  const int answer = ssh_channel_request_exec(channel_, shell_.c_str());
  if (answer == SSH_AGAIN || (answer != SSH_OK && ssh_is_connected(session) == 0))
    return Next::wait;
  if (answer != SSH_OK) {
    const std::string cause = ssh_get_error(session);
    release_channel();
    end(
        error("{}: the node refuses to run commands ({}); check the ForceCommand of sshd and the "
              "login shell",
              node_, cause));
    return Next::wait;
  }
  enter(Stage::running);
  return Next::again;
}

Exchange::Next Exchange::run() {
  if (abandoned_) {
    if (kind_ == Kind::stream) (void)feed();  // what was written before it was closed
    hang_up();
    end(Output{});
    return Next::wait;
  }
  const bool more_to_write = feed();
  pull();
  bool stalled = false, has_status = false;
  {
    const std::lock_guard lock(mutex_);
    stalled = stalled_;
    has_status = has_status_;
  }
  if (!stalled && (closed_ || (eof_ && has_status))) {
    finish();
    return Next::wait;
  }
  return more_to_write ? Next::again : Next::wait;
}

// Writes what the node has room for. True when there is more to write and room for it.
bool Exchange::feed() {
  if (kind_ == Kind::stream) {
    const std::lock_guard lock(mutex_);
    if (fed_ == feeding_.size()) {
      feeding_ = std::exchange(outgoing_, {});
      fed_ = 0;
    }
  }
  if (closed_ || input_ended_) return false;
  if (fed_ < feeding_.size()) {
    const std::size_t room = std::min(
        {feeding_.size() - fed_, write_chunk, std::size_t{ssh_channel_window_size(channel_)}});
    if (room == 0) return false;
    const int written =
        ssh_channel_write(channel_, feeding_.data() + fed_, static_cast<std::uint32_t>(room));
    if (written <= 0) return false;
    fed_ += static_cast<std::size_t>(written);
    if (fed_ < feeding_.size()) return true;
  }
  if (kind_ == Kind::command) {
    feeding_ = {};
    fed_ = 0;
    input_ended_ = true;
    ssh_channel_send_eof(channel_);
  }
  return false;
}

// Takes what libssh kept for a stream while its reader was slow.
void Exchange::pull() {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (!stalled_ || unread_.size() >= unread_limit) return;
    }
    std::array<char, 16 << 10> buffer;
    const int got = ssh_channel_read_nonblocking(channel_, buffer.data(), buffer.size(), 0);
    const std::lock_guard lock(mutex_);
    if (got <= 0) {
      stalled_ = false;
      return;
    }
    unread_.append(buffer.data(), static_cast<std::size_t>(got));
    changed_.notify_all();
  }
}

// How much was taken; the rest stays with libssh, which holds the node back once it has enough.
std::size_t Exchange::keep(std::string_view bytes, bool is_stderr) {
  const std::lock_guard lock(mutex_);
  if (kind_ == Kind::stream && is_stderr) {
    output_.err += bytes;
    if (output_.err.size() > stream_errors_limit)
      output_.err.erase(0, output_.err.size() - stream_errors_limit);
    return bytes.size();
  }
  std::string& to = kind_ == Kind::stream ? unread_ : is_stderr ? output_.err : output_.out;
  const std::size_t limit = kind_ == Kind::stream ? unread_limit : output_limit_;
  const std::size_t room = std::min(bytes.size(), limit - std::min(limit, to.size()));
  to += bytes.substr(0, room);
  if (kind_ == Kind::stream) {
    stalled_ = room < bytes.size();
    changed_.notify_all();
    return room;
  }
  output_.truncated = output_.truncated || room < bytes.size();
  return bytes.size();
}

void Exchange::enter(Stage stage) {
  const std::lock_guard lock(mutex_);
  stage_ = stage;
  changed_.notify_all();
}

void Exchange::finish() {
  hang_up();
  bool has_status = false;
  Output output;
  {
    const std::lock_guard lock(mutex_);
    has_status = has_status_;
    output = std::move(output_);
  }
  if (has_status) return end(std::move(output));
  end(error(
      "{}: the node closed the channel of {} without an exit status; it is unknown how it ended",
      node_, title_));
}

void Exchange::end(Result<Output> outcome) {
  const std::lock_guard lock(mutex_);
  stage_ = Stage::ended;
  if (!outcome_) outcome_.emplace(std::move(outcome));
  changed_.notify_all();
}

bool Exchange::lose(const std::string& cause) {
  release_channel();
  const Stage stage = stage_;
  if (stage == Stage::ended) return false;
  if (stage <= Stage::opening && ++times_lost_ < max_times_lost) {
    enter(Stage::queued);
    return true;
  }
  if (stage <= Stage::opening) {
    end(error("the connection to {} was lost again before {} was sent ({})", node_, title_, cause));
  } else if (kind_ == Kind::stream) {
    end(error("the connection to {} was lost while {} ran ({})", node_, title_, cause));
  } else {
    end(error("the connection to {} was lost while {} ran ({}); it is unknown whether {}", node_,
              title_, cause,
              stage == Stage::sent ? "the command ran" : "the command ran to its end"));
  }
  return false;
}

// A close that meets a full socket only sends the end of input; the second one then sends the
// close.
void Exchange::hang_up() {
  if (channel_ == nullptr) return;
  if (ssh_channel_close(channel_) != SSH_OK) ssh_channel_close(channel_);
  release_channel();
}

void Exchange::release_channel() {
  if (channel_ == nullptr) return;
  ssh_remove_channel_callbacks(channel_, &callbacks_);
  ssh_channel_free(channel_);
  channel_ = nullptr;
}

int Exchange::on_data(ssh_session, ssh_channel, void* data, std::uint32_t size, int is_stderr,
                      void* self) {
  return static_cast<int>(
      static_cast<Exchange*>(self)->keep({static_cast<const char*>(data), size}, is_stderr != 0));
}

void Exchange::on_eof(ssh_session, ssh_channel, void* self) {
  static_cast<Exchange*>(self)->eof_ = true;
}

void Exchange::on_close(ssh_session, ssh_channel, void* self) {
  static_cast<Exchange*>(self)->closed_ = true;
}

void Exchange::on_exit_status(ssh_session, ssh_channel, int status, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  const std::lock_guard lock(exchange.mutex_);
  exchange.output_.exit_status = status;
  exchange.has_status_ = true;
}

void Exchange::on_exit_signal(ssh_session, ssh_channel, const char* signal, int, const char*,
                              const char*, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  const std::lock_guard lock(exchange.mutex_);
  exchange.output_.signal = signal;
  exchange.output_.exit_status = 128 + signal_number(signal);
  exchange.has_status_ = true;
}

}  // namespace ordeal::clusters
