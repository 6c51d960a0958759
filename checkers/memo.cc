#include "checkers/memo.h"

#include <algorithm>
#include <limits>

namespace ordeal::checkers {

namespace {

constexpr std::size_t first_capacity = 64;

}  // namespace

Memo::Memo(std::size_t record_words, std::size_t memory_limit)
    : words_(record_words), limit_(memory_limit) {}

std::uint64_t Memo::hash(const std::uint64_t* record, std::size_t words) {
  std::uint64_t hash = 0x9e3779b97f4a7c15U;
  for (std::size_t i = 0; i < words; ++i) {
    hash = (hash ^ record[i]) * 0xbf58476d1ce4e5b9U;
    hash ^= hash >> 29U;
  }
  hash *= 0x94d049bb133111ebU;
  return hash ^ (hash >> 32U);
}

std::size_t Memo::place_of(const std::uint64_t* record, std::uint64_t hash) const {
  const std::size_t mask = table_.size() - 1;
  std::size_t place = hash & mask;
  while (table_[place] != 0) {
    const std::uint64_t* other = &records_[(table_[place] - 1) * words_];
    if (std::equal(record, record + words_, other)) break;
    place = (place + 1) & mask;
  }
  return place;
}

bool Memo::grow() {
  // Half of the table is in use at most; the old arrays live on while the new ones are filled.
  const std::size_t capacity = table_.empty() ? first_capacity : table_.size();
  const std::size_t bytes_per_record = words_ * sizeof(std::uint64_t) + 2 * sizeof(std::uint32_t);
  if (capacity + capacity / 2 > limit_ / bytes_per_record) return false;
  if (capacity >= std::numeric_limits<std::uint32_t>::max()) return false;
  records_.reserve(capacity * words_);
  table_.assign(2 * capacity, 0);
  for (std::size_t i = 0; i < size_; ++i) {
    const std::uint64_t* record = &records_[i * words_];
    table_[place_of(record, hash(record, words_))] = static_cast<std::uint32_t>(i + 1);
  }
  return true;
}

Memo::Insertion Memo::insert(const std::uint64_t* record, std::uint64_t hash) {
  if (2 * size_ >= table_.size() && !grow()) return Insertion::out_of_memory;
  const std::size_t place = place_of(record, hash);
  if (table_[place] != 0) return Insertion::present;
  records_.insert(records_.end(), record, record + words_);
  table_[place] = static_cast<std::uint32_t>(++size_);
  return Insertion::added;
}

}  // namespace ordeal::checkers
