#pragma once
// A set of fixed-size records of words, for the configurations that a search has seen: one flat
// array of records and an open-addressing table of positions in it. Not for concurrent use.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ordeal::checkers {

class Memo {
 public:
  enum class Insertion { added, present, out_of_memory };

  Memo(std::size_t record_words, std::size_t memory_limit);

  [[nodiscard]] static std::uint64_t hash(const std::uint64_t* record, std::size_t words);
  // The record is `record_words` long, the hash is its own.
  [[nodiscard]] Insertion insert(const std::uint64_t* record, std::uint64_t hash);
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  // Where the record is, or the free place where it belongs.
  [[nodiscard]] std::size_t place_of(const std::uint64_t* record, std::uint64_t hash) const;
  [[nodiscard]] bool grow();

  std::size_t words_;
  std::size_t limit_;
  std::size_t size_ = 0;
  std::vector<std::uint64_t> records_;
  std::vector<std::uint32_t> table_;  // 1 + position of the record; 0 is free
};

}  // namespace ordeal::checkers
