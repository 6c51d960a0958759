#pragma once
// Randomness from one seed, in named streams. A stream depends on the seed and on its name alone,
// so that one more draw in the workload does not reshuffle the faults, and the same seed gives the
// same plan on every machine (the standard distributions are implementation-defined and banned
// here).
//
// Algorithms: xoshiro256** (Blackman and Vigna 2018) seeded by splitmix64; bounded draws by
// Lemire's multiply-and-reject (2019).

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"

namespace ordeal {

// Regular value; not for concurrent use of one object.
class Rng {
 public:
  explicit Rng(std::uint64_t seed);

  // The stream of that name under this stream. Independent of how much has been drawn from either.
  [[nodiscard]] Rng fork(std::string_view name) const;

  [[nodiscard]] std::uint64_t next();
  // Uniform in [0, bound); bound must not be 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);
  // Uniform in [low, high], both included.
  [[nodiscard]] std::int64_t between(std::int64_t low, std::int64_t high);
  [[nodiscard]] Nanoseconds between(Nanoseconds low, Nanoseconds high);
  // True with the given probability (53 bits of it).
  [[nodiscard]] bool chance(double probability);

  template <class T>
  [[nodiscard]] const T& pick(const std::vector<T>& from) {
    ORDEAL_CHECK(!from.empty(), "a draw from nothing");
    return from[below(from.size())];
  }

  // Fisher and Yates.
  template <class T>
  void shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  std::uint64_t seed_;
  std::array<std::uint64_t, 4> state_;
};

}  // namespace ordeal
