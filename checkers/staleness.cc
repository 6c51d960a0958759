#include "checkers/staleness.h"

#include <algorithm>
#include <queue>

namespace ordeal::checkers {

namespace {

struct Version {
  EventIndex done = never;   // the first completion of its write or of a read that gave it
  EventIndex begun = never;  // its write
  EventIndex last = 0;       // the last beginning among these
  std::size_t place = 0;     // in the order of writes; 0 is nil
  bool is_made_from = false;
  bool is_known = false;
};
using Versions = std::vector<Version>;  // by value

// nullopt when a value was written twice, made from another one, or read out of nowhere.
std::optional<Versions> read_versions(const std::vector<RegisterOp>& ops) {
  ValueId last = nil_value;
  for (const RegisterOp& op : ops) {
    for (const ValueId value : {op.sets, op.observes}) {
      if (value != no_value) last = std::max(last, value);
    }
  }
  Versions versions(last + std::size_t{1});
  versions[nil_value] = {0, 0, 0, 0, false, true};
  for (const RegisterOp& op : ops) {
    if (op.sets == no_value) continue;
    Version& version = versions[op.sets];
    const bool is_made_from = op.observes != no_value;
    if (version.is_known || (is_made_from && op.is_certain())) return std::nullopt;
    version = {op.completed, op.invoked, op.invoked, 0, is_made_from, true};
  }
  for (const RegisterOp& op : ops) {
    if (op.denies != no_value) return std::nullopt;
    if (!op.is_read()) continue;
    Version& version = versions[op.observes];
    if (!version.is_known || op.completed < version.begun) return std::nullopt;
    if (version.is_made_from) return std::nullopt;
    version.done = std::min(version.done, op.completed);
    version.last = std::max(version.last, op.invoked);
  }
  return versions;
}

void number(Versions& versions) {
  std::vector<std::uint64_t> order;  // with the value in the lower half
  for (std::size_t value = nil_value + 1; value < versions.size(); ++value) {
    const Version& version = versions[value];
    if (version.done == never) continue;
    order.push_back(std::uint64_t{std::min(version.done, version.last)} << 32U | value);
  }
  std::ranges::sort(order);
  for (std::size_t i = 0; i < order.size(); ++i) {
    versions[order[i] & ~std::uint32_t{0}].place = i + 1;
  }
}

struct Edge {
  EventIndex at;
  std::uint32_t op;
  bool is_end;
};

// Beginnings and ends of the certain operations. `ops` by invocation.
std::vector<Edge> edges_of(const std::vector<RegisterOp>& ops) {
  std::priority_queue<std::uint64_t, std::vector<std::uint64_t>, std::greater<>>
      ends;  // of what is under way, with the operation in the lower half
  std::vector<Edge> edges;
  edges.reserve(2 * ops.size());
  for (std::uint32_t i = 0; i <= ops.size(); ++i) {
    const EventIndex now = i < ops.size() ? ops[i].invoked : never;
    for (; !ends.empty() && ends.top() >> 32U < now; ends.pop()) {
      edges.push_back({static_cast<EventIndex>(ends.top() >> 32U),
                       static_cast<std::uint32_t>(ends.top()), true});
    }
    if (i == ops.size() || !ops[i].is_certain()) continue;
    edges.push_back({now, i, false});
    ends.push(std::uint64_t{ops[i].completed} << 32U | i);
  }
  return edges;
}

}  // namespace

std::optional<Staleness> measure_staleness(const std::vector<RegisterOp>& ops,
                                           const History& history) {
  auto versions = read_versions(ops);
  if (!versions) return std::nullopt;
  number(*versions);
  Staleness found;
  // How far the order has got for certain, and where each operation that is under way must be.
  std::size_t reached = 0;
  std::vector<std::size_t> places(ops.size(), 0);
  std::vector<std::pair<std::size_t, Nanoseconds>> steps = {{0, Nanoseconds::zero()}};
  for (const Edge& edge : edges_of(ops)) {
    const RegisterOp& op = ops[edge.op];
    const std::size_t own = (*versions)[op.is_read() ? op.observes : op.sets].place;
    if (edge.is_end) {
      if (places[edge.op] <= reached) continue;
      reached = places[edge.op];
      steps.emplace_back(reached, history.operations[op.source].completed_at);
      continue;
    }
    places[edge.op] = op.is_read() ? std::max(reached, own) : own;
    if (!op.is_read()) continue;
    ++found.reads;
    if (own >= reached) continue;
    ++found.stale;
    found.writes = std::max(found.writes, reached - own);
    const auto replaced =
        std::ranges::upper_bound(steps, own, {}, [](const auto& step) { return step.first; });
    found.longest =
        std::max(found.longest, history.operations[op.source].invoked_at - replaced->second);
  }
  return found;
}

}  // namespace ordeal::checkers
