#include "harness/signals.h"

#include <csignal>
#include <cstdio>

#include <fmt/core.h>
#include <pthread.h>
#include <unistd.h>

#include "core/verdict.h"
#include "harness/keys.h"

namespace ordeal::harness {

namespace {

sigset_t watched() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGUSR1);
  return set;
}

}  // namespace

Signals::Signals(std::stop_source& stop, Controls& controls) {
  const sigset_t set = watched();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  thread_ = std::jthread([&stop, &controls, set](const std::stop_token& done) {
    constexpr timespec interval = {0, 50'000'000};
    while (!done.stop_requested()) {
      const int caught = sigtimedwait(&set, nullptr, &interval);
      if (caught < 0) continue;
      if (caught == SIGUSR1) {
        ++controls.dumps;
        continue;
      }
      if (stop.stop_requested()) {
        fmt::print(
            stderr,
            "\nordeal: stopped at once. The nodes undo their faults by themselves within seconds; "
            "`ordeal heal` on the run directory makes sure.\n");
        std::fflush(stderr);
        restore_terminal();
        ::_exit(exit_interrupted);
      }
      fmt::print(stderr,
                 "\nordeal: interrupted: undoing faults, then judging what was recorded "
                 "(once more: stop at once)\n");
      stop.request_stop();
    }
  });
}

Signals::~Signals() {
  thread_.request_stop();
  thread_.join();
  const sigset_t set = watched();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace ordeal::harness
