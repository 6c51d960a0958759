#include "harness/live.h"

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace ordeal::harness {

namespace {

constexpr auto redraw_interval = 250ms;
constexpr int redraws_per_line = 40;  // without a terminal: a line every ten seconds

bool on_terminal() {
  const char* term = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && term != nullptr && std::strcmp(term, "dumb") != 0;
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

Live::Live(Progress progress, RunClock clock) : clock_(clock) {
  if (progress == Progress::automatic) progress = on_terminal() ? Progress::bar : Progress::lines;
  bar_ = progress == Progress::bar;
  lines_ = progress == Progress::lines;
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
  if (!drawn_) return;
  fmt::print(stderr, "\r\x1b[K");
  drawn_ = false;
}

void Live::event(const std::string& what, const std::string& text) {
  if (!bar_ && !lines_) return;
  const std::lock_guard lock(mutex_);
  erase_locked();
  fmt::print(stderr, "{}  {:<10} {}\n", stamp(clock_.now()), what, text);
  std::fflush(stderr);
}

void Live::set_status(std::function<std::string()> status) {
  const std::lock_guard lock(mutex_);
  status_ = std::move(status);
  if (!status_) erase_locked();
}

void Live::draw(const std::stop_token& stop) {
  std::mutex unused;
  std::condition_variable_any wake;
  std::unique_lock waiting(unused);
  for (int round = 1; !stop.stop_requested(); ++round) {
    wake.wait_for(waiting, stop, redraw_interval, [] { return false; });
    const std::lock_guard lock(mutex_);
    if (!status_ || stop.stop_requested() || (lines_ && round % redraws_per_line != 0)) continue;
    std::string text = fmt::format("{}  {}", stamp(clock_.now()), status_());
    if (bar_) {
      const std::size_t width = columns();
      if (text.size() >= width) text.resize(width - 1);
      fmt::print(stderr, "\r{}\x1b[K", text);
      drawn_ = true;
    } else {
      fmt::print(stderr, "{}\n", text);
    }
    std::fflush(stderr);
  }
}

}  // namespace ordeal::harness
