// Operations of unknown outcome have no revision. One is put in where an answer needs it: a value
// that is not what came before. It must have begun before anything from there on completed, and
// nothing else binds it; so of those that do the same the one that began first is taken. A
// compare-and-set goes before a write, which could serve elsewhere, too. That may miss an order,
// never find a wrong one.

#include "checkers/revisions.h"

#include <algorithm>
#include <unordered_map>

namespace ordeal::checkers {

namespace {

struct Placed {
  std::int64_t revision;
  std::uint32_t op;
};

std::optional<std::vector<Placed>> by_revision(std::span<const RegisterOp> ops,
                                               const History& history) {
  std::vector<Placed> placed;
  for (std::uint32_t i = 0; i < ops.size(); ++i) {
    if (!ops[i].is_certain()) continue;
    const std::int64_t revision = history.operations[ops[i].source].revision;
    if (revision <= 0) return std::nullopt;
    placed.push_back({revision, i});
  }
  std::ranges::sort(placed, [&](const Placed& a, const Placed& b) {
    return std::tuple(a.revision, ops[a.op].is_read(), a.op) <
           std::tuple(b.revision, ops[b.op].is_read(), b.op);
  });
  return placed;
}

// Unknown operations by what they find and set, each once.
class Spare {
 public:
  explicit Spare(std::span<const RegisterOp> ops) : ops_(ops) {
    for (std::uint32_t i = 0; i < ops.size(); ++i) {
      if (!ops[i].is_certain()) lanes_[name(ops[i].observes, ops[i].sets)].ops.push_back(i);
    }
  }
  // One that began until then.
  std::optional<std::uint32_t> take(ValueId observes, ValueId sets, EventIndex until) {
    const auto lane = lanes_.find(name(observes, sets));
    if (lane == lanes_.end() || lane->second.used == lane->second.ops.size()) return std::nullopt;
    if (ops_[lane->second.ops[lane->second.used]].invoked > until) return std::nullopt;
    return lane->second.ops[lane->second.used++];
  }

 private:
  struct Lane {
    std::vector<std::uint32_t> ops;  // by invocation
    std::size_t used = 0;
  };
  static std::uint64_t name(ValueId observes, ValueId sets) {
    return std::uint64_t{observes} << 32U | sets;
  }
  std::span<const RegisterOp> ops_;
  std::unordered_map<std::uint64_t, Lane> lanes_;
};

}  // namespace

std::optional<std::vector<std::uint32_t>> order_by_revisions(std::span<const RegisterOp> ops,
                                                             const History& history) {
  const auto placed = by_revision(ops, history);
  if (!placed) return std::nullopt;
  std::vector<EventIndex> soonest(placed->size() + 1, never);  // completion from there on
  for (std::size_t i = placed->size(); i > 0; --i) {
    soonest[i - 1] = std::min(soonest[i], ops[(*placed)[i - 1].op].completed);
  }
  Spare spare(ops);
  std::vector<std::uint32_t> order;
  order.reserve(ops.size());
  ValueId state = nil_value;
  EventIndex latest = 0;  // beginning so far
  const auto put = [&](std::uint32_t i) {
    order.push_back(i);
    latest = std::max(latest, ops[i].invoked);
    if (ops[i].sets != no_value) state = ops[i].sets;
  };
  for (std::size_t at = 0; at < placed->size(); ++at) {
    const RegisterOp& op = ops[(*placed)[at].op];
    if (op.observes != no_value && op.observes != state) {
      auto unknown = spare.take(state, op.observes, soonest[at]);
      if (!unknown) unknown = spare.take(no_value, op.observes, soonest[at]);
      if (!unknown) return std::nullopt;
      put(*unknown);
    }
    if (op.completed < latest || op.denies == state) return std::nullopt;
    put((*placed)[at].op);
  }
  return order;
}

}  // namespace ordeal::checkers
