#include "harness/live.h"

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "results/text.h"

namespace ordeal::harness {

namespace {

constexpr auto redraw_interval = 250ms;
constexpr int redraws_per_line = 40;      // without a terminal: a line every ten seconds
constexpr std::size_t kept_moments = 21;  // five seconds
constexpr std::size_t spark_seconds = 8;

bool on_terminal() {
  const char* term = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && term != nullptr && std::strcmp(term, "dumb") != 0;
}

bool speaks_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* locale = std::getenv(name);
    if (locale == nullptr || *locale == '\0') continue;
    return std::strstr(locale, "UTF-8") != nullptr || std::strstr(locale, "utf8") != nullptr;
  }
  return true;
}

std::size_t columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string stamp(Nanoseconds at) {
  const auto tenths = at.count() / 100'000'000;
  return fmt::format("{:02}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10);
}

}  // namespace

Live::Live(Progress progress, RunClock clock, const Controls* controls)
    : clock_(clock), controls_(controls), unicode_(speaks_utf8()) {
  if (progress == Progress::automatic) progress = on_terminal() ? Progress::bar : Progress::lines;
  bar_ = progress == Progress::bar;
  lines_ = progress == Progress::lines;
  const char* no_color = std::getenv("NO_COLOR");
  colour_ = bar_ && on_terminal() && (no_color == nullptr || *no_color == '\0');
  if (bar_ || lines_) thread_ = std::jthread([this](const std::stop_token& stop) { draw(stop); });
}

Live::~Live() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  const std::lock_guard lock(mutex_);
  erase_locked();
}

void Live::erase_locked() {
  if (drawn_.empty()) return;
  std::string codes = "\r\x1b[K";
  for (std::size_t i = 1; i < drawn_.size(); ++i) codes += "\x1b[A\x1b[K";
  fmt::print(stderr, "{}", codes);
  drawn_.clear();
}

void Live::event(const std::string& what, const std::string& text) {
  if (!bar_ && !lines_) return;
  const std::lock_guard lock(mutex_);
  const std::vector<std::string> block = drawn_;
  erase_locked();
  fmt::print(stderr, "{}  {:<10} {}\n", stamp(clock_.now()), what, results::clean(text, 400));
  for (std::size_t i = 0; i < block.size(); ++i)
    fmt::print(stderr, "{}{}", i == 0 ? "" : "\n", block[i]);
  drawn_ = block;
  std::fflush(stderr);
}

void Live::set_status(std::function<LiveState()> status) {
  {
    const std::lock_guard asking(asking_);
    status_ = std::move(status);
  }
  const std::lock_guard lock(mutex_);
  moments_.clear();
  erase_locked();
}

LiveHistory Live::history_locked(const LiveState& now) const {
  LiveHistory history;
  if (moments_.empty()) return history;
  const auto seconds_since = [&](const Moment& moment) {
    return std::chrono::duration<double>(SteadyClock::now() - moment.at).count();
  };
  history.before = moments_.front().state;
  history.seconds = seconds_since(moments_.front());
  const auto total = [](const LiveState& state) { return state.ok + state.fail + state.info; };
  for (std::size_t i = moments_.size() > spark_seconds * 2 ? moments_.size() - spark_seconds * 2
                                                           : 0;
       i + 2 < moments_.size(); i += 2) {
    history.per_second.push_back(
        static_cast<double>(total(moments_[i + 2].state) - total(moments_[i].state)));
  }
  history.per_second.push_back(
      static_cast<double>(total(now) - total(moments_[moments_.size() / 2].state)) * 2 /
      static_cast<double>(std::max<std::size_t>(moments_.size() / 2, 1)));
  return history;
}

void Live::show_locked(LiveState state) {
  const LiveHistory history = history_locked(state);
  if (lines_) {
    fmt::print(stderr, "{}  {}\n", stamp(clock_.now()), live_line(state, history));
  } else {
    const std::vector<std::string> block =
        live_block(state, history, {columns() - 1, colour_, unicode_});
    if (block != drawn_) {
      erase_locked();
      for (std::size_t i = 0; i < block.size(); ++i)
        fmt::print(stderr, "{}{}", i == 0 ? "" : "\n", block[i]);
      drawn_ = block;
    }
  }
  std::fflush(stderr);
}

void Live::dump() {
  std::optional<LiveState> state;
  {
    const std::lock_guard asking(asking_);
    if (status_) state = status_();
  }
  if (!state) return event("status", "no client is at work yet, or any more");
  for (const std::string& line : live_dump(*state)) event("status", line);
}

void Live::draw(const std::stop_token& stop) {
  std::mutex unused;
  std::condition_variable_any wake;
  std::unique_lock waiting(unused);
  unsigned dumps = controls_ == nullptr ? 0 : controls_->dumps.load();
  bool held = false;
  for (int round = 1; !stop.stop_requested(); ++round) {
    wake.wait_for(waiting, stop, redraw_interval, [] { return false; });
    if (controls_ != nullptr && dumps != controls_->dumps.load()) {
      dumps = controls_->dumps.load();
      dump();
    }
    if (controls_ != nullptr && held != controls_->faults_held.load()) {
      held = !held;
      event("faults", held ? "are held back: none begins until f is pressed again" : "go on");
    }
    std::optional<LiveState> asked;
    {
      const std::lock_guard asking(asking_);
      if (status_) asked = status_();
    }
    if (!asked || stop.stop_requested()) continue;
    LiveState state = std::move(*asked);
    const std::lock_guard lock(mutex_);
    if (bar_ || round % redraws_per_line == 0) show_locked(state);
    moments_.push_back({SteadyClock::now(), std::move(state)});
    if (moments_.size() > kept_moments) moments_.pop_front();
  }
}

}  // namespace ordeal::harness
