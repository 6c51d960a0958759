#include "harness/keys.h"

#include <atomic>
#include <cstdio>

#include <fmt/core.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

namespace ordeal::harness {

namespace {

termios found;  // as the terminal was
std::atomic<bool> is_changed{false};

// A background process that changes the terminal, or reads from it, is stopped by the kernel.
bool is_ours() { return ::isatty(STDIN_FILENO) == 1 && ::tcgetpgrp(STDIN_FILENO) == ::getpgrp(); }

void obey(char key, std::stop_source& stop, Controls& controls) {
  switch (key) {
    case 't':
      ++controls.dumps;
      break;
    case 'f':
      controls.faults_held = !controls.faults_held;
      break;
    case 'q':
      if (stop.stop_requested()) break;
      fmt::print(stderr, "\nordeal: ending: undoing faults, then judging what was recorded\n");
      stop.request_stop();
      break;
    default:
      break;
  }
}

}  // namespace

Keys::Keys(std::stop_source& stop, Controls& controls) {
  if (!is_ours() || ::tcgetattr(STDIN_FILENO, &found) != 0) return;
  termios single = found;
  single.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);  // Ctrl-C stays a signal
  single.c_cc[VMIN] = 1;
  single.c_cc[VTIME] = 0;
  is_changed = true;
  if (::tcsetattr(STDIN_FILENO, TCSANOW, &single) != 0) {
    is_changed = false;
    return;
  }
  controls.keys_are_read = true;
  thread_ = std::jthread([&stop, &controls](const std::stop_token& done) {
    pollfd input = {STDIN_FILENO, POLLIN, 0};
    while (!done.stop_requested()) {
      constexpr int interval_ms = 100;
      if (::poll(&input, 1, interval_ms) <= 0) continue;
      char key = 0;
      if ((input.revents & POLLIN) == 0 || !is_ours() || ::read(STDIN_FILENO, &key, 1) != 1) return;
      obey(key, stop, controls);
    }
  });
}

Keys::~Keys() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  restore_terminal();
}

void restore_terminal() noexcept {
  if (is_changed.exchange(false)) (void)::tcsetattr(STDIN_FILENO, TCSANOW, &found);
}

}  // namespace ordeal::harness
