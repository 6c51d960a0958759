// A skewed clock for one server: patched, renewed every fifth of a second with an expiry two
// seconds away, patched again when the server was started anew, and put right at the end.

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "nemesis/node/child.h"
#include "nemesis/node/keeper.h"
#include "nemesis/node/tasks.h"
#include "nemesis/node/vdso.h"

namespace ordeal::node {

namespace {

constexpr long long renew_ms = 200, look_ms = 1000, command_ms = 5000;
constexpr std::int64_t expiry_ns = 2'000'000'000;
constexpr std::int64_t patience_ns = 1'500'000'000;  // for a question about the clock that is wrong
constexpr std::int64_t per_ms = 1'000'000;

std::int64_t monotonic_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

pid_t server(const std::string& pid_command) {
  const ChildResult result = run_shell(pid_command, command_ms);
  return result.status == 0 ? std::atoi(result.last_line.c_str()) : 0;
}

class Skew {
 public:
  explicit Skew(const Arguments& arguments)
      : pid_command_(arguments.text("pid-command")), strobe_ms_(arguments.integer("strobe-ms")) {
    wanted_.realtime = arguments.integer("realtime-ms") * per_ms;
    wanted_.monotonic = arguments.integer("monotonic-ms") * per_ms;
    wanted_.drift_ppm = arguments.integer("drift-ppm");
    wanted_.base = monotonic_ns();
  }

  // False with a sentence.
  bool begin(std::string& trouble) {
    const pid_t pid = server(pid_command_);
    if (pid <= 1) {
      trouble = "the server was not running";
      return false;
    }
    return take(pid, trouble) && renew(trouble);
  }

  void keep(Keeper& keeper) {
    long long looked = now_ms(), flipped = now_ms();
    std::string ignored;
    do {
      if (now_ms() - looked >= look_ms) {
        looked = now_ms();
        tell(keeper);
        const pid_t pid = server(pid_command_);
        if (pid > 1 && (clock_ == nullptr || clock_->pid() != pid)) (void)take(pid, ignored);
      }
      if (strobe_ms_ > 0 && now_ms() - flipped >= strobe_ms_) {
        flipped = now_ms();
        is_off_ = !is_off_;
      }
      (void)renew(ignored);
    } while (keeper.wait_ms(strobe_ms_ > 0 && strobe_ms_ < renew_ms ? strobe_ms_ : renew_ms));
    if (clock_ != nullptr) (void)clock_->restore(ignored);
  }

 private:
  bool take(pid_t pid, std::string& trouble) {
    clock_ = std::make_unique<SkewedClock>(pid);
    return clock_->patch(trouble);
  }

  bool renew(std::string& trouble) {
    ClockParameters now = wanted_;
    if (is_off_) now.realtime = now.monotonic = now.drift_ppm = 0;
    now.expiry = monotonic_ns() + expiry_ns;
    if (clock_ != nullptr && clock_->set(now)) return true;
    trouble = "its clock cannot be set";
    return false;
  }

  void tell(const Keeper& keeper) {
    ClockParameters now{};
    if (clock_ == nullptr || !clock_->get(now) || now.asked == 0) return;
    if (now.lies == 0 && monotonic_ns() - wanted_.base < patience_ns) return;
    const std::string who = "process " + std::to_string(clock_->pid());
    // One that looks at another clock only has this one wrong all the same, and we know it asks us.
    keeper.tell(now.lies > 0
                    ? who + " has been told a wrong time " + std::to_string(now.lies) + " times"
                    : "the clock is wrong; " + who + " has asked " + std::to_string(now.asked) +
                          " times, each time for another one, which is right");
  }

  std::string pid_command_;
  long long strobe_ms_;
  ClockParameters wanted_{};
  std::unique_ptr<SkewedClock> clock_;
  bool is_off_ = false;
};

}  // namespace

int run_clock(const Arguments& arguments) {
  // What is patched here is kept by the process that comes out of the fork.
  Skew skew(arguments);
  return start_keeper(
      arguments, [&](std::string& trouble) { return skew.begin(trouble); },
      [&](Keeper& keeper) { skew.keep(keeper); });
}

// Patches a child of our own and asks it for the time.
int check_clock(const Arguments&) {
  int asks[2], answers[2];
  if (::pipe(asks) != 0 || ::pipe(answers) != 0) return 1;
  const pid_t child = ::fork();
  if (child == 0) {
    char word = 0;
    ::close(asks[1]);
    while (::read(asks[0], &word, 1) == 1) {
      timespec now{};
      ::clock_gettime(CLOCK_REALTIME, &now);
      if (::write(answers[1], &now, sizeof now) < 0) break;
    }
    ::_exit(0);
  }
  SkewedClock clock(child);
  std::string trouble;
  timespec seen{}, here{};
  bool is_good = clock.patch(trouble);
  if (is_good) {
    ClockParameters parameters{};
    parameters.realtime = 3600 * 1000 * per_ms;
    is_good = clock.set(parameters) && ::write(asks[1], "?", 1) == 1 &&
              ::read(answers[0], &seen, sizeof seen) == sizeof seen;
    ::clock_gettime(CLOCK_REALTIME, &here);
    is_good = is_good && seen.tv_sec - here.tv_sec > 3000;
    if (!is_good) trouble = "a process with a skewed clock saw the right time";
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  if (!is_good) std::fprintf(stderr, "%s\n", trouble.c_str());
  return is_good ? 0 : 1;
}

}  // namespace ordeal::node
