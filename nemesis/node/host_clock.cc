// Sets the clock of a whole machine wrong, and right again: by the clock that counts since boot,
// which nothing sets. What it takes to set it right is on the disk before it is wrong.

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "nemesis/node/keeper.h"
#include "nemesis/node/tasks.h"

namespace ordeal::node {

namespace {

constexpr long long second = 1'000'000'000, millisecond = 1'000'000;
constexpr long usual_tick =
    10'000;  // microseconds, of which the kernel allows a tenth more or less

long long read_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return now.tv_sec * second + now.tv_nsec;
}
bool set_ns(long long time) {
  const timespec wanted{time / second, time % second};
  return ::clock_settime(CLOCK_REALTIME, &wanted) == 0;
}
bool set_tick(long tick) {
  timex change{};
  change.modes = ADJ_TICK;
  change.tick = tick;
  return ::adjtimex(&change) >= 0;
}
long tick_now() {
  timex now{};
  return ::adjtimex(&now) < 0 ? usual_tick : now.tick;
}

std::string first_line(const char* path) {
  char text[128] = "";
  FILE* file = std::fopen(path, "re");
  if (file == nullptr) return {};
  const bool read = std::fgets(text, sizeof text, file) != nullptr;
  std::fclose(file);
  text[std::strcspn(text, "\n")] = '\0';
  return read ? text : "";
}
std::string boot() { return first_line("/proc/sys/kernel/random/boot_id"); }

// Of this boot: what the time is ahead of the clock since boot, and how long a tick was.
struct Right {
  long long ahead = 0;
  long tick = usual_tick;
};
std::string file_of(const Arguments& arguments) {
  return arguments.text("directory") + "/host-clock";
}
bool note(const std::string& path, const Right& right) {
  const std::string text =
      boot() + " " + std::to_string(right.ahead) + " " + std::to_string(right.tick) + "\n";
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const bool whole = fd >= 0 &&
                     ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                     ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  return whole;
}
// False when nothing is noted, or it was noted before the machine was started anew.
bool noted(const std::string& path, Right& right) {
  char of[64] = "";
  return std::sscanf(first_line(path.c_str()).c_str(), "%63s %lld %ld", of, &right.ahead,
                     &right.tick) == 3 &&
         boot() == of;
}
long long off_by_ms(const Right& right) {
  return (read_ns(CLOCK_REALTIME) - read_ns(CLOCK_BOOTTIME) - right.ahead) / millisecond;
}

}  // namespace

int run_host_clock(const Arguments& arguments) {
  const long long offset = arguments.integer("offset-ms") * millisecond;
  const long long strobe = arguments.integer("strobe-ms");
  const long tick = usual_tick + static_cast<long>(arguments.integer("drift-ppm") / 100);
  Right right{read_ns(CLOCK_REALTIME) - read_ns(CLOCK_BOOTTIME), tick_now()};
  const auto prepare = [&](std::string& trouble) {
    if (first_line("/proc/2/comm") != "kthreadd") {
      trouble = "this is a container, which has no clock of its own";
      return false;
    }
    // One that is noted already is the right one: the clock may be wrong by now.
    if (!noted(file_of(arguments), right)) {
      ::unlink(file_of(arguments).c_str());
      if (!note(file_of(arguments), right)) {
        trouble = file_of(arguments) + ": " + std::strerror(errno);
        return false;
      }
    }
    if (set_ns(read_ns(CLOCK_BOOTTIME) + right.ahead + offset) &&
        (tick == usual_tick || set_tick(tick)))
      return true;
    trouble = std::string("the clock cannot be set: ") + std::strerror(errno);
    return false;
  };
  return start_keeper(arguments, prepare, [&](Keeper& keeper) {
    for (bool is_off = true;; is_off = !is_off) {
      if (const long long off = off_by_ms(right); off != 0)
        keeper.tell("the clock of the machine is off by " + std::to_string(off) + " ms");
      if (!keeper.wait_ms(strobe > 0 ? strobe : 300)) break;
      if (strobe > 0) set_ns(read_ns(CLOCK_BOOTTIME) + right.ahead + (is_off ? 0 : offset));
    }
    right_host_clock(arguments);
  });
}

int right_host_clock(const Arguments& arguments) {
  Right right;
  if (noted(file_of(arguments), right) &&
      !(set_tick(right.tick) && set_ns(read_ns(CLOCK_BOOTTIME) + right.ahead))) {
    std::fprintf(stderr, "the clock cannot be set right: %s\n", std::strerror(errno));
    return 1;
  }
  ::unlink(file_of(arguments).c_str());
  return 0;
}

}  // namespace ordeal::node
