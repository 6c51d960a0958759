// Why this is exact. As in zones.cc, the operations on one value stand together in every order, the
// write first, and compare-and-sets glue values to a chain; such a block is nil's, which comes
// first, or begins with a write. Unknown setters count only if somebody saw what they set. Inside a
// block the order is given, up to that of reads of one value, which may be any. So an order exists
// if no client goes back within a block and the blocks can be put in a row: if "a client left A for
// B" has no circle (Gibbons and Korach 1997, with the client's order in place of real time).

#include "checkers/sequential.h"

#include <algorithm>
#include <unordered_map>

namespace ordeal::checkers {

namespace {

constexpr std::uint32_t none = ~std::uint32_t{0};

struct Version {
  std::uint32_t setter = none;  // position of the operation
  ValueId next = no_value;      // what a compare-and-set made of it
  bool is_live = false;
  std::uint32_t block = none;
  std::uint32_t rank = 0;  // in its block
};

class Blocks {
 public:
  explicit Blocks(const Register& reg) : ops_(reg.ops), versions_(reg.values.size()) {}

  // False when there are operations that this algorithm does not read.
  bool read() {
    for (std::uint32_t i = 0; i < ops_.size(); ++i) {
      const RegisterOp& op = ops_[i];
      if (op.denies != no_value) return false;
      if (op.sets == no_value) continue;
      if (op.sets == nil_value || versions_[op.sets].setter != none) return false;
      versions_[op.sets].setter = i;
    }
    return true;
  }

  // False when the operations contradict each other whatever their order.
  bool chain() {
    versions_[nil_value].is_live = true;
    for (const RegisterOp& op : ops_) {
      if (!op.is_certain()) continue;
      if (op.sets != no_value && !keep(op.sets)) return false;
      if (op.observes != no_value && !keep(op.observes)) return false;
    }
    std::size_t live = 0;
    for (ValueId value = 0; value < versions_.size(); ++value) {
      if (!versions_[value].is_live) continue;
      ++live;
      const ValueId from = made_from(value);
      if (from != no_value) versions_[from].next = value;
    }
    for (ValueId value = 0; value < versions_.size(); ++value) {
      if (versions_[value].is_live && made_from(value) == no_value) live -= lay(value);
    }
    return live == 0;  // the others lead in a circle, or are a second one from one value
  }

  // False when the clients' own order has no place for all.
  bool agree(const History& history) {
    edges_.reserve(ops_.size());
    std::unordered_map<Process, Place> last;  // that the client completed
    for (const RegisterOp& op : ops_) {
      const ValueId value = op.sets != no_value ? op.sets : op.observes;
      if (!versions_[value].is_live) continue;
      const Place here = {versions_[value].block,
                          2 * versions_[value].rank + (op.is_read() ? 1 : 0)};
      const auto [entry, added] = last.try_emplace(history.operations[op.source].process, here);
      if (!added && !follows(entry->second, here)) return false;
      if (op.is_certain()) entry->second = here;
      if (added && !op.is_certain()) last.erase(entry);
    }
    return has_no_circle();
  }

 private:
  struct Place {
    std::uint32_t block;
    std::uint32_t rank;
  };
  struct Edge {
    std::uint32_t from;
    std::uint32_t to;
  };

  [[nodiscard]] ValueId made_from(ValueId value) const {
    const std::uint32_t setter = versions_[value].setter;
    return setter == none ? no_value : ops_[setter].observes;
  }
  bool keep(ValueId value) {
    for (; value != no_value && !versions_[value].is_live; value = made_from(value)) {
      if (versions_[value].setter == none) return false;
      versions_[value].is_live = true;
    }
    return true;
  }
  // How many values the block has that begins with that one.
  std::size_t lay(ValueId first) {
    std::uint32_t rank = 0;
    for (ValueId value = first; value != no_value; value = versions_[value].next) {
      versions_[value].block = count_;
      versions_[value].rank = rank++;
    }
    ++count_;
    return rank;
  }
  bool follows(const Place& before, const Place& here) {
    if (before.block == here.block) return before.rank <= here.rank;
    if (here.block == versions_[nil_value].block) return false;
    edges_.push_back({before.block, here.block});
    return true;
  }
  bool has_no_circle() const {
    std::vector<std::uint32_t> first(count_ + 1, 0);  // of the edges from a block, in `later`
    std::vector<std::uint32_t> before(count_, 0);     // edges to the block
    for (const Edge& edge : edges_) {
      ++first[edge.from];
      ++before[edge.to];
    }
    for (std::uint32_t i = 0, sum = 0; i <= count_; ++i) first[i] = sum += first[i];
    std::vector<std::uint32_t> later(edges_.size());
    for (const Edge& edge : edges_) later[--first[edge.from]] = edge.to;
    // In the order in which they become free, which is nearly that in which they lie in memory.
    std::vector<std::uint32_t> free;
    free.reserve(count_);
    for (std::uint32_t i = 0; i < count_; ++i) {
      if (before[i] == 0) free.push_back(i);
    }
    std::size_t placed = 0;
    for (; placed < free.size(); ++placed) {
      const std::uint32_t block = free[placed];
      for (std::uint32_t i = first[block]; i < first[block + 1]; ++i) {
        if (--before[later[i]] == 0) free.push_back(later[i]);
      }
    }
    return placed == count_;
  }

  const std::vector<RegisterOp>& ops_;
  std::vector<Version> versions_;  // by value
  std::uint32_t count_ = 0;        // blocks
  std::vector<Edge> edges_;        // from a block to one that comes later
};

}  // namespace

std::optional<bool> is_sequential(const Register& reg, const History& history) {
  Blocks blocks(reg);
  if (!blocks.read()) return std::nullopt;
  return blocks.chain() && blocks.agree(history);
}

}  // namespace ordeal::checkers
