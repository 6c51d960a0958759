#include "core/random.h"

#include <bit>

namespace ordeal {

namespace {

std::uint64_t splitmix64(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15U;
  std::uint64_t z = state;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

// FNV-1a, 64 bits.
std::uint64_t hash_name(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

}  // namespace

Rng::Rng(std::uint64_t seed) : seed_(seed), state_{} {
  std::uint64_t mix = seed;
  for (auto& word : state_) word = splitmix64(mix);
}

Rng Rng::fork(std::string_view name) const {
  std::uint64_t mix = seed_ ^ std::rotl(hash_name(name), 32);
  (void)splitmix64(mix);
  return Rng(splitmix64(mix));
}

std::uint64_t Rng::next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17U;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::uint64_t Rng::below(std::uint64_t bound) {
  ORDEAL_CHECK(bound > 0, "a draw below zero");
  __extension__ using Wide = unsigned __int128;
  Wide product = static_cast<Wide>(next()) * bound;
  if (static_cast<std::uint64_t>(product) < bound) {
    const std::uint64_t threshold = (0 - bound) % bound;
    while (static_cast<std::uint64_t>(product) < threshold)
      product = static_cast<Wide>(next()) * bound;
  }
  return static_cast<std::uint64_t>(product >> 64U);
}

std::int64_t Rng::between(std::int64_t low, std::int64_t high) {
  ORDEAL_CHECK(low <= high, "a draw from an empty range");
  const std::uint64_t width =
      static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;
  const std::uint64_t offset = width == 0 ? next() : below(width);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + offset);
}

Nanoseconds Rng::between(Nanoseconds low, Nanoseconds high) {
  return Nanoseconds(between(std::int64_t{low.count()}, std::int64_t{high.count()}));
}

bool Rng::chance(double probability) {
  return static_cast<double>(next() >> 11U) * 0x1p-53 < probability;
}

}  // namespace ordeal
