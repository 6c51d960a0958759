#include "nemesis/node/clock_stub.h"

#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#if defined(__x86_64__)

// A call may come on a small stack and from code that keeps values in vector registers.
#define ORDEAL_STUB [[gnu::section("ordeal_stub"), gnu::used, gnu::target("general-regs-only")]]
#define ORDEAL_PART [[gnu::always_inline, gnu::target("general-regs-only")]]

extern "C" {

// Set by the linker around the section.
extern const char __start_ordeal_stub[];
extern const char __stop_ordeal_stub[];

ORDEAL_STUB int ordeal_stub_clock_gettime(clockid_t clock, timespec* time);
ORDEAL_STUB int ordeal_stub_gettimeofday(timeval* time, void* zone);
ORDEAL_STUB time_t ordeal_stub_time(time_t* time);
}

namespace {

using ordeal::node::ClockParameters;

constexpr std::int64_t second = 1'000'000'000;

ORDEAL_PART inline long ask_kernel(clockid_t clock, timespec* time) {
  long status = SYS_clock_gettime;
  __asm__ volatile("syscall"
                   : "+a"(status)
                   : "D"(static_cast<long>(clock)), "S"(time)
                   : "rcx", "r11", "memory");
  return status;
}

ORDEAL_PART inline volatile ClockParameters* parameters() {
  std::uintptr_t here = 0;
  __asm__("lea 0(%%rip), %0" : "=r"(here));
  return reinterpret_cast<volatile ClockParameters*>((here & ~std::uintptr_t{4095}) +
                                                     ordeal::node::parameters_at);
}

enum class Group { none, realtime, monotonic };

ORDEAL_PART inline Group group_of(clockid_t clock) {
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) return Group::realtime;
  if (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_MONOTONIC_COARSE ||
      clock == CLOCK_BOOTTIME)
    return Group::monotonic;
  return Group::none;
}

ORDEAL_PART inline void add(timespec* time, std::int64_t offset) {
  std::int64_t nanoseconds = time->tv_nsec + offset % second;
  std::int64_t seconds = time->tv_sec + offset / second;
  if (nanoseconds >= second) {
    nanoseconds -= second;
    ++seconds;
  }
  if (nanoseconds < 0) {
    nanoseconds += second;
    --seconds;
  }
  time->tv_sec = seconds;
  time->tv_nsec = nanoseconds;
}

ORDEAL_PART inline long skewed(clockid_t clock, timespec* time) {
  const long status = ask_kernel(clock, time);
  const Group group = group_of(clock);
  if (status != 0 || group == Group::none) return status;
  volatile ClockParameters* p = parameters();
  p->asked = p->asked + 1;
  timespec now;
  ask_kernel(CLOCK_MONOTONIC, &now);
  const std::int64_t elapsed_at = now.tv_sec * second + now.tv_nsec;
  if (p->expiry != 0 && elapsed_at >= p->expiry) return 0;
  const std::int64_t drift = (elapsed_at - p->base) / 1000 * p->drift_ppm / 1000;
  const std::int64_t offset = (group == Group::realtime ? p->realtime : p->monotonic) + drift;
  if (offset == 0) return 0;
  p->lies = p->lies + 1;
  add(time, offset);
  return 0;
}

}  // namespace

extern "C" {

int ordeal_stub_clock_gettime(clockid_t clock, timespec* time) {
  return static_cast<int>(skewed(clock, time));
}

int ordeal_stub_gettimeofday(timeval* time, void* zone) {
  if (zone != nullptr) {
    auto* words = static_cast<volatile int*>(zone);  // minutes west and summer time: UTC has none
    words[0] = 0;
    words[1] = 0;
  }
  if (time == nullptr) return 0;
  timespec exact;
  const long status = skewed(CLOCK_REALTIME, &exact);
  time->tv_sec = exact.tv_sec;
  time->tv_usec = exact.tv_nsec / 1000;
  return static_cast<int>(status);
}

time_t ordeal_stub_time(time_t* time) {
  timespec exact;
  skewed(CLOCK_REALTIME, &exact);
  if (time != nullptr) *time = exact.tv_sec;
  return exact.tv_sec;
}
}

namespace ordeal::node {

StubCode clock_stub() {
  const auto offset = [](auto* function) {
    return static_cast<std::size_t>(reinterpret_cast<const char*>(function) - __start_ordeal_stub);
  };
  const auto size = static_cast<std::size_t>(__stop_ordeal_stub - __start_ordeal_stub);
  return {__start_ordeal_stub,
          size <= parameters_at ? size : 0,
          {offset(&ordeal_stub_clock_gettime), offset(&ordeal_stub_gettimeofday),
           offset(&ordeal_stub_time)}};
}

}  // namespace ordeal::node

#else

namespace ordeal::node {
StubCode clock_stub() { return {nullptr, 0, {0, 0, 0}}; }
}  // namespace ordeal::node

#endif
