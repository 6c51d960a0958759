#pragma once
// What the epoch search remembers: configurations, of which none is dominated by an earlier one.
// See checkers/epoch.h for what dominates what. Regular values.

#include <algorithm>
#include <cstddef>
#include <vector>

#include "checkers/slot_set.h"
#include "checkers/split.h"

namespace ordeal::checkers {

using Counts = std::vector<std::uint64_t>;  // of unknown operations used, in lanes

// Adds, reads and compares the lanes of Counts.
class Lanes {
 public:
  Lanes(std::size_t bits, std::size_t lanes)
      : bits_(bits), words_((lanes * bits + 63) / 64), guards_(0) {
    for (std::size_t at = bits - 1; at < 64; at += bits) guards_ |= std::uint64_t{1} << at;
  }

  [[nodiscard]] std::size_t words() const { return words_; }
  [[nodiscard]] std::uint64_t count(const std::uint64_t* counts, std::size_t lane) const {
    return (counts[lane * bits_ / 64] >> (lane * bits_ % 64)) & mask();
  }
  void add_one(std::uint64_t* counts, std::size_t lane) const {
    counts[lane * bits_ / 64] += std::uint64_t{1} << (lane * bits_ % 64);
  }
  void set_all(std::uint64_t* counts, std::size_t lane, bool on) const {
    const std::uint64_t lane_mask = mask() << (lane * bits_ % 64);
    counts[lane * bits_ / 64] = (counts[lane * bits_ / 64] & ~lane_mask) | (on ? lane_mask : 0);
  }
  // No lane of `a` is above that of `b`: the guard bit of each lane survives the subtraction.
  [[nodiscard]] bool none_above(const std::uint64_t* a, const std::uint64_t* b) const {
    for (std::size_t i = 0; i < words_; ++i) {
      if ((((b[i] | guards_) - a[i]) & guards_) != guards_) return false;
    }
    return true;
  }
  [[nodiscard]] std::uint32_t total(const std::uint64_t* counts) const {
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < words_; ++i) {
      for (std::uint64_t left = counts[i]; left != 0; left >>= bits_) total += left & mask();
    }
    return static_cast<std::uint32_t>(total);
  }

 private:
  [[nodiscard]] std::uint64_t mask() const { return (std::uint64_t{1} << bits_) - 1; }

  std::size_t bits_;
  std::size_t words_;
  std::uint64_t guards_;
};

template <std::size_t words>
struct Configuration {
  std::uint32_t level = 0;  // returns behind it
  ValueId state = nil_value;
  EventIndex epoch = 0;     // T
  std::uint32_t spent = 0;  // the sum of its counts
  std::uint32_t hash = 0;
  SlotSet<words> used;       // pending writes and compare-and-sets
  SlotSet<words> satisfied;  // pending reads
  bool fed = false;          // while steps are chosen: the last was a write, no other may follow
};

// One configuration in hand.
template <std::size_t words>
struct Current {
  Configuration<words> head;
  Counts counts;
};

// Configurations with their counts, in rows.
template <std::size_t words>
class Rows {
 public:
  explicit Rows(std::size_t stride) : stride_(stride) {}

  [[nodiscard]] std::size_t size() const { return heads_.size(); }
  [[nodiscard]] const Configuration<words>& head(std::size_t row) const { return heads_[row]; }
  [[nodiscard]] const std::uint64_t* counts(std::size_t row) const {
    return counts_.data() + row * stride_;
  }
  void add(const Configuration<words>& head, const std::uint64_t* counts) {
    heads_.push_back(head);
    counts_.insert(counts_.end(), counts, counts + stride_);
  }
  void load(Current<words>& to, std::size_t row) const {
    to.head = heads_[row];
    to.counts.assign(counts(row), counts(row) + stride_);
  }
  void clear() {
    heads_.clear();
    counts_.clear();
  }
  [[nodiscard]] std::size_t bytes() const {
    return heads_.capacity() * sizeof(Configuration<words>) + counts_.capacity() * 8;
  }

 private:
  std::size_t stride_;
  std::vector<Configuration<words>> heads_;
  Counts counts_;
};

// Rows of which none is dominated by an earlier one.
template <std::size_t words>
class Undominated {
 public:
  // `by_sum`: whoever used fewer unknown operations in all is taken for better, whichever they are.
  Undominated(const Lanes& lanes, bool by_sum)
      : lanes_(lanes), by_sum_(by_sum), rows_(lanes.words()) {}

  [[nodiscard]] const Rows<words>& rows() const { return rows_; }

  // Adds the row unless one before it dominates it. `sets` are the pending compare-and-sets.
  bool add(const Current<words>& row, const SlotSet<words>& sets) {
    if (2 * rows_.size() >= table_.size()) grow();
    Configuration<words> head = row.head;
    head.hash = hash(head, sets);
    const std::size_t place = head.hash & (table_.size() - 1);
    for (std::uint32_t i = table_[place]; i != 0; i = next_[i - 1]) {
      if (dominates(i - 1, head, row.counts.data(), sets)) return false;
    }
    rows_.add(head, row.counts.data());
    next_.push_back(table_[place]);
    table_[place] = static_cast<std::uint32_t>(rows_.size());
    return true;
  }

  void clear() {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      table_[rows_.head(i).hash & (table_.size() - 1)] = 0;
    }
    rows_.clear();
    next_.clear();
  }

  [[nodiscard]] std::size_t bytes() const {
    return rows_.bytes() + (next_.capacity() + table_.capacity()) * 4;
  }

 private:
  // Rows that may dominate each other share it. Those of levels that follow each other lie near
  // each other in the table, as they are looked for.
  static std::uint32_t hash(const Configuration<words>& head, const SlotSet<words>& sets) {
    const std::uint64_t hash = ((head.used & sets).hash() ^ head.state) * 0x9e3779b97f4a7c15U;
    return 4 * head.level + static_cast<std::uint32_t>(hash >> 50U);
  }

  [[nodiscard]] bool dominates(std::size_t row, const Configuration<words>& head,
                               const std::uint64_t* counts, const SlotSet<words>& sets) const {
    const Configuration<words>& other = rows_.head(row);
    return other.level == head.level && other.state == head.state && (!other.fed || head.fed) &&
           other.epoch >= head.epoch && other.used.is_within(head.used) &&
           (other.used & sets) == (head.used & sets) && head.satisfied.is_within(other.satisfied) &&
           (by_sum_ ? other.spent <= head.spent : lanes_.none_above(rows_.counts(row), counts));
  }

  void grow() {
    table_.assign(std::max<std::size_t>(1024, 2 * table_.size()), 0);
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const std::size_t place = rows_.head(i).hash & (table_.size() - 1);
      next_[i] = table_[place];
      table_[place] = static_cast<std::uint32_t>(i + 1);
    }
  }

  const Lanes& lanes_;
  bool by_sum_;
  Rows<words> rows_;
  std::vector<std::uint32_t> next_;   // of one place in the table
  std::vector<std::uint32_t> table_;  // 1 + row of the newest of a chain; 0 is free
};

}  // namespace ordeal::checkers
