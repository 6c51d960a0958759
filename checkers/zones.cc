// Why this is exact. Every value is set once, so the operations on one value (its setter first,
// then those that observe it) stand together in every order, and a compare-and-set glues the values
// it leads from and to: the values of one chain form a block that nothing can come between. Unknown
// setters that are still here are observed, through others of their kind at most, by a certain
// operation; so they did happen.
//
// Inside a block the order of values is given; it must not contradict real time. Between blocks, A
// must come before B when some operation of A completed before some operation of B began: when
// A.done < B.begun, with done the first completion and begun the last invocation in the block. No
// order of blocks exists if two of them must each precede the other. Otherwise one does: put each
// block with done < begun ("forward") on the time line as the interval [done, begun]; these do not
// overlap. Each other block ("backward") has a point of [begun, done] that lies inside no forward
// interval, because none contains it whole; put it there. The order of these places satisfies every
// constraint.

#include "checkers/zones.h"

#include <algorithm>
#include <limits>

namespace ordeal::checkers {

namespace {

using Moment = std::int64_t;
constexpr Moment before_everything = -1;

struct Cluster {
  const RegisterOp* setter = nullptr;
  Moment done = std::numeric_limits<Moment>::max();
  Moment begun = before_everything;
  bool is_observed = false;
  ValueId next = no_value;     // the value that a compare-and-set turned this one into
  ValueId sibling = no_value;  // another value made from the same expected one

  [[nodiscard]] bool is_present() const { return setter != nullptr || is_observed; }
  void add(const RegisterOp& op) {
    done = std::min<Moment>(done, op.completed);
    begun = std::max<Moment>(begun, op.invoked);
  }
};

struct Zone {
  Moment done;
  Moment begun;
};

class Clusters {
 public:
  explicit Clusters(std::size_t value_count) : clusters_(value_count) {}

  // False when a value is set twice, or nil at all.
  bool fill(const std::vector<RegisterOp>& ops) {
    for (const RegisterOp& op : ops) {
      if (op.is_read()) {
        clusters_[op.observes].add(op);
      } else {
        Cluster& cluster = clusters_[op.sets];
        if (op.sets == nil_value || cluster.setter != nullptr) return false;
        cluster.setter = &op;
        cluster.add(op);
        link(op);
      }
      if (op.observes != no_value) clusters_[op.observes].is_observed = true;
    }
    return true;
  }

  // Whether compare-and-sets lead from values to values in a circle.
  [[nodiscard]] bool has_circle() const {
    std::size_t present = 0;
    std::size_t reached = 0;
    std::vector<ValueId> open;
    for (ValueId value = 0; value < clusters_.size(); ++value) {
      present += clusters_[value].is_present() ? 1U : 0U;
      if (starts_block(value)) open.push_back(value);
    }
    while (!open.empty()) {
      const ValueId value = open.back();
      open.pop_back();
      ++reached;
      for (ValueId next = clusters_[value].next; next != no_value; next = clusters_[next].sibling) {
        open.push_back(next);
      }
    }
    return reached < present;
  }

  // A value observed but never set, or taken away twice.
  [[nodiscard]] bool has_orphan_or_fork() const {
    for (ValueId value = 0; value < clusters_.size(); ++value) {
      const Cluster& cluster = clusters_[value];
      if (cluster.is_observed && cluster.setter == nullptr && value != nil_value) return true;
      if (cluster.next != no_value && clusters_[cluster.next].sibling != no_value) return true;
    }
    return false;
  }

  // The zones of all blocks; nullopt when a block contradicts real time in itself.
  [[nodiscard]] std::optional<std::vector<Zone>> blocks() const {
    std::vector<Zone> zones;
    for (ValueId value = 0; value < clusters_.size(); ++value) {
      if (!starts_block(value)) continue;
      Zone zone = {std::numeric_limits<Moment>::max(), before_everything};
      for (ValueId part = value; part != no_value; part = clusters_[part].next) {
        const Cluster& cluster = clusters_[part];
        const bool seen_early = cluster.setter != nullptr && cluster.done < cluster.setter->invoked;
        if (seen_early || cluster.done < zone.begun) return std::nullopt;
        zone.done = std::min(zone.done, cluster.done);
        zone.begun = std::max(zone.begun, cluster.begun);
      }
      if (value == nil_value) zone.done = before_everything;
      zones.push_back(zone);
    }
    return zones;
  }

 private:
  void link(const RegisterOp& op) {
    if (op.observes == no_value) return;
    clusters_[op.sets].sibling = clusters_[op.observes].next;
    clusters_[op.observes].next = op.sets;
  }

  [[nodiscard]] bool starts_block(ValueId value) const {
    const Cluster& cluster = clusters_[value];
    if (!cluster.is_present()) return false;
    return cluster.setter == nullptr || cluster.setter->observes == no_value;
  }

  std::vector<Cluster> clusters_;
};

bool fit_together(const std::vector<Zone>& zones) {
  std::vector<Zone> forward;
  for (const Zone& zone : zones) {
    if (zone.done < zone.begun) forward.push_back(zone);
  }
  std::ranges::sort(forward, {}, &Zone::done);
  for (std::size_t i = 1; i < forward.size(); ++i) {
    if (forward[i].done < forward[i - 1].begun) return false;
  }
  for (const Zone& zone : zones) {
    if (zone.done < zone.begun) continue;
    const auto after = std::ranges::lower_bound(forward, zone.begun, {}, &Zone::done);
    if (after != forward.begin() && zone.done < std::prev(after)->begun) return false;
  }
  return true;
}

}  // namespace

std::optional<bool> decide_by_zones(const std::vector<RegisterOp>& ops, std::size_t value_count) {
  Clusters clusters(value_count);
  if (!clusters.fill(ops) || clusters.has_circle()) return std::nullopt;
  if (clusters.has_orphan_or_fork()) return false;
  const auto zones = clusters.blocks();
  return zones && fit_together(*zones);
}

}  // namespace ordeal::checkers
