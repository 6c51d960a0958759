#pragma once
// A small set of slots, of a size known at compile time: what a configuration of a search holds.
// Regular value.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace ordeal::checkers {

template <std::size_t words>
class SlotSet {
 public:
  [[nodiscard]] bool has(std::size_t slot) const {
    return (words_[slot / 64] >> (slot % 64) & 1U) != 0;
  }
  void add(std::size_t slot) { words_[slot / 64] |= std::uint64_t{1} << (slot % 64); }
  void remove(std::size_t slot) { words_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64)); }

  [[nodiscard]] bool is_empty() const {
    std::uint64_t any = 0;
    for (const std::uint64_t word : words_) any |= word;
    return any == 0;
  }
  [[nodiscard]] std::size_t size() const {
    std::size_t size = 0;
    for (const std::uint64_t word : words_) size += static_cast<std::size_t>(std::popcount(word));
    return size;
  }
  [[nodiscard]] bool is_within(const SlotSet& other) const { return (*this - other).is_empty(); }

  [[nodiscard]] SlotSet operator-(const SlotSet& other) const {
    SlotSet result;
    for (std::size_t i = 0; i < words; ++i) result.words_[i] = words_[i] & ~other.words_[i];
    return result;
  }
  [[nodiscard]] SlotSet operator&(const SlotSet& other) const {
    SlotSet result;
    for (std::size_t i = 0; i < words; ++i) result.words_[i] = words_[i] & other.words_[i];
    return result;
  }
  [[nodiscard]] SlotSet operator|(const SlotSet& other) const {
    SlotSet result;
    for (std::size_t i = 0; i < words; ++i) result.words_[i] = words_[i] | other.words_[i];
    return result;
  }
  friend bool operator==(const SlotSet&, const SlotSet&) = default;

  // Each slot, ascending.
  template <class Action>
  void each(Action action) const {
    for (std::size_t i = 0; i < words; ++i) {
      for (std::uint64_t left = words_[i]; left != 0; left &= left - 1) {
        action(i * 64 + static_cast<std::size_t>(std::countr_zero(left)));
      }
    }
  }

  [[nodiscard]] std::uint64_t hash() const {
    std::uint64_t hash = 0;
    for (const std::uint64_t word : words_) {
      hash = (hash ^ word) * 0xbf58476d1ce4e5b9U;
      hash ^= hash >> 29U;
    }
    return hash;
  }

 private:
  std::array<std::uint64_t, words> words_{};
};

}  // namespace ordeal::checkers
