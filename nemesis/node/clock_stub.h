#pragma once
// Code that is copied into another process and answers there in the place of the vDSO: the kernel's
// time, moved by what the parameters say. Position-independent, without data of its own: it finds
// its parameters in the page that it stands in.

#include <cstddef>
#include <cstdint>

namespace ordeal::node {

inline constexpr std::size_t stub_page = 4096, parameters_at = 3072;
inline constexpr char stub_magic[16] = {'O', 'R', 'D', 'E', 'A', 'L', '-', 'C',
                                        'L', 'O', 'C', 'K', '-', '0', '0', '1'};

// At `parameters_at` of the page. Times in nanoseconds.
struct ClockParameters {
  char magic[16];
  std::int64_t realtime = 0, monotonic = 0;  // added to the clocks of either group
  std::int64_t drift_ppm = 0;                // added to both for every million since `base`
  std::int64_t base = 0;                     // of CLOCK_MONOTONIC
  std::int64_t expiry = 0;                   // of CLOCK_MONOTONIC: from then on the truth is told
  std::uint64_t lies = 0;                    // answers that were not the truth
  unsigned char original[3][16];             // what stood in the vDSO, by function
  std::uint64_t asked = 0;                   // all answers, the true ones of other clocks too
};

// The functions that it stands in for, in the order of `original`.
inline constexpr const char* replaced_names[3] = {"__vdso_clock_gettime", "__vdso_gettimeofday",
                                                  "__vdso_time"};

struct StubCode {
  const char* begin;
  std::size_t size;
  std::size_t entries[3];  // of the functions, from `begin`
};
// Size 0 where this program was built for a machine that it has no stub for.
[[nodiscard]] StubCode clock_stub();

}  // namespace ordeal::node
