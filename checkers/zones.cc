// Why this is exact. Every value is set once, so the operations on one value (its setter first,
// then those that observe it) stand together in every order, and a compare-and-set glues the values
// it leads from and to: the values of one chain form a block that nothing can come between.
//
// Unknown setters count only if a certain operation observes their value, directly or through
// compare-and-sets of unknown outcome that themselves count: then they did happen. The others can
// be taken out of any order: nobody stands behind them in their blocks.
//
// Inside a block the order of values is given; it must not contradict real time. Between blocks, A
// must come before B when some operation of A completed before some operation of B began: when
// A.done < B.begun, with done the first completion and begun the last invocation in the block. No
// order of blocks exists if two of them must each precede the other. Otherwise one does: put each
// block with done < begun ("forward") on the time line as the interval [done, begun]; these do not
// overlap. Each other block ("backward") has a point of [begun, done] that lies inside no forward
// interval, because none contains it whole; put it there. The order of these places satisfies every
// constraint.
//
// Compare-and-sets that lead in a circle, a value observed that nobody set, and two
// compare-and-sets from one value admit no order: each value is there once.

#include "checkers/zones.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <limits>
#include <memory>

namespace ordeal::checkers {

namespace {

// What is known of one value. All zero: nothing yet; so memory that was never touched costs
// nothing.
struct Cluster {
  std::uint32_t done_complement = 0;  // of the first completion
  std::uint32_t begun = 0;            // one more than the last invocation
  std::uint32_t setter = 0;           // one more than its invocation; 0: none
  std::uint32_t parent = 0;           // one more than the value that its setter found
  std::uint32_t next = 0;             // one more than the value that it was turned into
  bool is_wanted = false;             // its setter is certain, or a certain read observes it
  bool is_live = false;               // it was there, in every order

  void add(const RegisterOp& op) {
    done_complement = std::max(done_complement, ~op.completed);
    begun = std::max(begun, op.invoked + 1);
  }
  [[nodiscard]] EventIndex done() const { return ~done_complement; }
};

// Clusters by value, where values are not much larger than their number.
class DirectClusters {
 public:
  explicit DirectClusters(std::size_t operations)
      : limit_(4 * operations + 1024),
        size_(1),
        clusters_(static_cast<Cluster*>(std::calloc(limit_, sizeof(Cluster)))) {
    if (clusters_ == nullptr) limit_ = 0;
  }

  static constexpr std::size_t none = ~std::size_t{0};
  // Where the value's cluster is; none when it is beyond reach.
  std::size_t operator()(ValueId value) {
    if (value >= limit_) return none;
    size_ = std::max<std::size_t>(size_, value + std::size_t{1});
    return value;
  }
  Cluster& operator[](std::size_t i) { return clusters_.get()[i]; }
  [[nodiscard]] static ValueId value(std::size_t i) { return static_cast<ValueId>(i); }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(Cluster* memory) const { std::free(memory); }
  };
  std::size_t limit_;
  std::size_t size_;  // one more than the highest in use
  std::unique_ptr<Cluster, Free> clusters_;
};

// Clusters in order of appearance, with a table of values. Kept by each thread, for the next key.
class TableClusters {
 public:
  void reset(std::size_t operations) {
    const std::size_t wanted = std::bit_ceil(4 * operations + 16);
    if (table_.size() < wanted || table_.size() > 64 * wanted) {
      table_.assign(wanted, 0);
    } else {
      for (const std::size_t place : places_) table_[place] = 0;
    }
    places_.clear();
    values_.clear();
    clusters_.clear();
    (*this)(nil_value);
  }

  static constexpr std::size_t none = ~std::size_t{0};
  std::size_t operator()(ValueId value) {
    const std::size_t mask = table_.size() - 1;
    std::size_t place = (value * std::size_t{0x9e3779b97f4a7c15U} >> 32U) & mask;
    while (table_[place] != 0 && values_[table_[place] - 1] != value) place = (place + 1) & mask;
    if (table_[place] == 0) {
      values_.push_back(value);
      clusters_.emplace_back();
      places_.push_back(place);
      table_[place] = static_cast<std::uint32_t>(values_.size());
    }
    return table_[place] - 1;
  }
  Cluster& operator[](std::size_t i) { return clusters_[i]; }
  [[nodiscard]] std::size_t size() const { return clusters_.size(); }

 private:
  std::vector<std::uint32_t> table_;  // one more than the position
  std::vector<std::size_t> places_;   // in use
  std::vector<ValueId> values_;
  std::vector<Cluster> clusters_;
};

struct Zone {
  std::int64_t done = 0;
  std::int64_t begun = 0;
  std::size_t last = 0;  // cluster of the block
};

template <class Clusters>
class Zones {
 public:
  explicit Zones(Clusters& clusters) : clusters_(clusters) {}

  // Takes in one operation, in any order. False when this algorithm does not apply.
  bool add(const RegisterOp& op);
  [[nodiscard]] std::optional<bool> decide();
  // After an answer of false: values whose operations are impossible by themselves, with those that
  // they were made from; empty when the contradiction is a circle.
  [[nodiscard]] std::vector<ValueId> conflict();

 private:
  bool keep_live();
  bool lay_out();
  bool add_block(std::size_t first);
  bool fit_together();
  // It is impossible because of these clusters.
  bool blame(std::initializer_list<std::size_t> clusters) {
    blamed_ = clusters;
    return false;
  }

  Clusters& clusters_;
  std::vector<std::size_t> blamed_;
  bool has_denials_ = false;
  std::size_t live_ = 0;
  std::size_t placed_ = 0;
  std::vector<Zone> zones_;  // the forward ones from the front, the backward ones from the back
  std::size_t forward_ = 0;  // how many
  std::size_t backward_ = 0;
};

template <class Clusters>
bool Zones<Clusters>::add(const RegisterOp& op) {
  if (op.denies != no_value) {
    has_denials_ = true;
    return true;
  }
  // As in read_operation, reads and writes take the same way.
  const std::uint32_t if_sets = op.is_read() ? 0 : ~0U;
  const ValueId value = (op.sets & if_sets) | (op.observes & ~if_sets);
  const std::size_t at = clusters_(value);
  if (at == Clusters::none) return false;
  Cluster& cluster = clusters_[at];
  const std::uint32_t is_taken = cluster.setter | (value == nil_value ? 1U : 0U);
  if ((is_taken & if_sets) != 0) return false;
  cluster.add(op);
  cluster.setter |= (op.invoked + 1) & if_sets;
  cluster.is_wanted |= op.is_certain();
  if ((op.observes | ~if_sets) == no_value) return true;
  const std::size_t parent = clusters_(op.observes);
  if (parent == Clusters::none) return false;
  clusters_[at].parent = static_cast<std::uint32_t>(parent + 1);
  return true;
}

// Marks what was there, what is wanted and what it was made from, and links it to that. False when
// somebody observed a value that nobody set, or two compare-and-sets found the same value.
template <class Clusters>
bool Zones<Clusters>::keep_live() {
  for (std::size_t i = 0; i < clusters_.size(); ++i) {
    if (!clusters_[i].is_wanted) continue;
    for (std::size_t at = i; !clusters_[at].is_live; at = clusters_[at].parent - 1) {
      clusters_[at].is_live = true;
      ++live_;
      if (clusters_[at].setter == 0 && at != 0) return blame({i});
      if (clusters_[at].parent == 0) break;
      std::uint32_t& next = clusters_[clusters_[at].parent - 1].next;
      if (next != 0) return blame({at, next - std::size_t{1}});
      next = static_cast<std::uint32_t>(at + 1);
    }
  }
  return true;
}

// The block that begins with that value. False when it contradicts real time in itself.
template <class Clusters>
bool Zones<Clusters>::add_block(std::size_t first) {
  Zone zone = {std::numeric_limits<std::int64_t>::max(), -1, first};
  for (std::size_t at = first;; at = clusters_[at].next - 1) {
    const Cluster& cluster = clusters_[at];
    ++placed_;
    const std::int64_t done = cluster.done();
    const bool seen_early = cluster.setter != 0 && done + 1 < cluster.setter;
    if (seen_early || done < zone.begun) return blame({at});
    zone.last = at;
    zone.done = std::min(zone.done, done);
    zone.begun = std::max(zone.begun, std::int64_t{cluster.begun} - 1);
    if (cluster.next == 0) break;
  }
  if (first == 0) zone.done = -1;
  const std::size_t is_forward = zone.done < zone.begun ? 1 : 0;
  zones_[is_forward != 0 ? forward_ : zones_.size() - 1 - backward_] = zone;
  forward_ += is_forward;
  backward_ += 1 - is_forward;
  return true;
}

template <class Clusters>
bool Zones<Clusters>::lay_out() {
  for (std::size_t i = 0; i < clusters_.size(); ++i) {
    if (clusters_[i].is_live && clusters_[i].parent == 0 && !add_block(i)) return false;
  }
  return placed_ == live_;  // the others lead in a circle
}

template <class Clusters>
bool Zones<Clusters>::fit_together() {
  const std::span forward(zones_.data(), forward_);
  const std::span backward(zones_.data() + zones_.size() - backward_, backward_);
  if (!std::ranges::is_sorted(forward, {}, &Zone::done)) {
    std::ranges::sort(forward, {}, &Zone::done);
  }
  for (std::size_t i = 1; i < forward.size(); ++i) {
    if (forward[i].done < forward[i - 1].begun) {
      return blame({forward[i].last, forward[i - 1].last});
    }
  }
  // Blocks come about in order of time, almost: the place of the last is near that of the next.
  std::size_t after = forward.size();
  for (const Zone& zone : backward) {
    while (after < forward.size() && forward[after].done < zone.begun) ++after;
    while (after > 0 && forward[after - 1].done >= zone.begun) --after;
    if (after > 0 && zone.done < forward[after - 1].begun) {
      return blame({zone.last, forward[after - 1].last});
    }
  }
  return true;
}

template <class Clusters>
std::optional<bool> Zones<Clusters>::decide() {
  if (!keep_live()) return false;
  zones_.resize(live_);
  if (!lay_out() || !fit_together()) return false;
  return has_denials_ ? std::nullopt : std::optional(true);
}

template <class Clusters>
std::vector<ValueId> Zones<Clusters>::conflict() {
  std::vector<ValueId> values;
  for (const std::size_t from : blamed_) {
    for (std::size_t at = from;; at = clusters_[at].parent - 1) {
      values.push_back(clusters_.value(at));
      if (clusters_[at].parent == 0 || values.size() > clusters_.size()) break;
    }
  }
  return values;
}

}  // namespace

std::optional<std::vector<ValueId>> conflict_by_zones(std::span<const RegisterOp> ops,
                                                      EventIndex end) {
  DirectClusters clusters(ops.size());
  Zones<DirectClusters> zones(clusters);
  for (const RegisterOp& op : ops) {
    if (op.invoked > end) break;
    RegisterOp now = op;
    if (op.completed > end) now.completed = never;
    if (op.is_read() && !now.is_certain()) continue;
    if (!zones.add(now)) return std::nullopt;
  }
  const auto valid = zones.decide();
  if (!valid) return std::nullopt;
  if (*valid) return std::vector<ValueId>();
  std::vector<ValueId> values = zones.conflict();
  return values.empty() ? std::nullopt : std::optional(std::move(values));
}

std::optional<bool> decide_by_zones(std::span<const RegisterOp> ops) {
  static thread_local TableClusters clusters;
  clusters.reset(ops.size());
  Zones<TableClusters> zones(clusters);
  for (const RegisterOp& op : ops) {
    if (!zones.add(op)) return std::nullopt;
  }
  return zones.decide();
}

std::optional<bool> decide_by_zones(const History& history, FailedCas failed_cas) {
  if (history.operations.empty()) return std::nullopt;
  DirectClusters clusters(history.operations.size());
  Zones<DirectClusters> zones(clusters);
  ValueNumbers number;
  const Value& key = history.operations.front().key;
  const std::int64_t* key_number = key.as_integer();
  const auto is_key = [&](const Value& other) {
    const std::int64_t* integer = other.as_integer();
    const bool may_be_quick = key_number != nullptr && integer != nullptr;
    return may_be_quick ? *integer == *key_number : other == key;
  };
  for (std::size_t i = 0; i < history.operations.size(); ++i) {
    RegisterOp op;
    if (!is_key(history.operations[i].key)) return std::nullopt;
    switch (read_operation(history, i, failed_cas, number, op)) {
      case Reading::left_out:
        break;
      case Reading::malformed:
        return std::nullopt;
      case Reading::taken:
        if (!zones.add(op)) return std::nullopt;
    }
  }
  return zones.decide();
}

}  // namespace ordeal::checkers
