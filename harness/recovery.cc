#include "harness/recovery.h"

#include <algorithm>
#include <map>

namespace ordeal::harness {

namespace {

bool served(const Operation& op) { return op.outcome == Outcome::ok && op.completed != never; }

class Served {
 public:
  explicit Served(const History& history) : history_(history) {}

  // From `moment` until the first ok answer to an operation that began at or after it, by node.
  [[nodiscard]] std::vector<std::optional<Nanoseconds>> after(Nanoseconds moment,
                                                              Nanoseconds until) const {
    std::vector<std::optional<Nanoseconds>> found(history_.nodes.size());
    for (auto op = first_from(moment); op != history_.operations.end(); ++op) {
      if (op->invoked_at > until) break;
      if (!served(*op) || op->node >= found.size()) continue;
      auto& best = found[op->node];
      const Nanoseconds took = op->completed_at - moment;
      if (!best || took < *best) best = took;
    }
    return found;
  }

  // The longest time within [from, to] in which nothing was answered ok.
  [[nodiscard]] Nanoseconds longest_silence(Nanoseconds from, Nanoseconds to) const {
    constexpr auto longest_operation = 30s;
    std::vector<Nanoseconds> answers = {from, to};
    for (auto op = first_from(from - longest_operation); op != history_.operations.end(); ++op) {
      if (op->invoked_at > to) break;
      if (served(*op) && op->completed_at > from && op->completed_at < to)
        answers.push_back(op->completed_at);
    }
    std::sort(answers.begin(), answers.end());
    Nanoseconds longest{};
    for (std::size_t i = 1; i < answers.size(); ++i)
      longest = std::max(longest, answers[i] - answers[i - 1]);
    return longest;
  }

 private:
  [[nodiscard]] std::vector<Operation>::const_iterator first_from(Nanoseconds moment) const {
    return std::lower_bound(history_.operations.begin(), history_.operations.end(), moment,
                            [](const Operation& op, Nanoseconds at) { return op.invoked_at < at; });
  }

  const History& history_;
};

// Who leads, as the nodes say, sample by sample.
class Leadership {
 public:
  Leadership(std::vector<NodeSample> samples, std::size_t nodes) : majority_(nodes / 2 + 1) {
    std::stable_sort(samples.begin(), samples.end(),
                     [](const NodeSample& a, const NodeSample& b) { return a.at < b.at; });
    std::map<std::string, NodeSample> latest;
    std::uint64_t term = 0;
    for (NodeSample& sample : samples) {
      term = std::max(term, sample.term);
      const Nanoseconds at = sample.at;
      latest[sample.node] = std::move(sample);
      steps_.push_back({at, is_led(latest), term});
    }
  }

  [[nodiscard]] Nanoseconds without(Nanoseconds from, Nanoseconds to) const {
    Nanoseconds total{};
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      const Nanoseconds end = i + 1 < steps_.size() ? steps_[i + 1].at : to;
      if (steps_[i].led) continue;
      const Nanoseconds overlap = std::min(end, to) - std::max(steps_[i].at, from);
      total += std::max(overlap, Nanoseconds::zero());
    }
    return total;
  }

  [[nodiscard]] std::uint64_t term_at(Nanoseconds at) const {
    std::uint64_t term = 0;
    for (const Step& step : steps_) {
      if (step.at <= at) term = step.term;
    }
    return term;
  }

 private:
  struct Step {
    Nanoseconds at{};
    bool led = false;
    std::uint64_t term = 0;  // the highest so far
  };

  [[nodiscard]] bool is_led(const std::map<std::string, NodeSample>& latest) const {
    std::map<std::pair<std::string, std::uint64_t>, std::size_t> followers;
    for (const auto& [node, sample] : latest) {
      if (!sample.answers || sample.leader.empty()) continue;
      const auto leader = latest.find(sample.leader);
      const bool agrees = leader != latest.end() && leader->second.answers &&
                          leader->second.leader == sample.leader &&
                          leader->second.term == sample.term;
      if (agrees && ++followers[{sample.leader, sample.term}] >= majority_) return true;
    }
    return false;
  }

  std::size_t majority_;
  std::vector<Step> steps_;
};

std::optional<Nanoseconds> soonest(const std::vector<std::optional<Nanoseconds>>& times) {
  std::optional<Nanoseconds> best;
  for (const auto& time : times) {
    if (time && (!best || *time < *best)) best = time;
  }
  return best;
}

}  // namespace

std::vector<Recovery> measure_recoveries(const History& history,
                                         const std::vector<FaultSummary>& faults,
                                         std::vector<NodeSample> samples) {
  std::vector<Recovery> recoveries;
  if (history.operations.empty()) return recoveries;
  const Served clients(history);
  const bool leaders_known = !samples.empty();
  const Leadership leadership(std::move(samples), history.nodes.size());
  Nanoseconds last{};
  for (const Operation& op : history.operations) last = std::max(last, op.invoked_at);
  for (const FaultSummary& fault : faults) {
    if (!fault.began) continue;
    Nanoseconds until = last;
    for (const FaultSummary& other : faults) {
      if (other.began && *other.began > fault.ended.value_or(*fault.began))
        until = std::min(until, *other.began);
    }
    Recovery recovery;
    recovery.fault = fault.spec.id;
    recovery.served_after_begin = soonest(clients.after(*fault.began, until));
    Nanoseconds recovered = until;
    if (fault.ended) {
      const auto by_node = clients.after(*fault.ended, until);
      recovery.served_after_end = soonest(by_node);
      for (std::size_t node = 0; node < by_node.size(); ++node)
        recovery.nodes.push_back({history.nodes[node], by_node[node]});
      if (recovery.served_after_end)
        recovered = std::min(until, *fault.ended + *recovery.served_after_end);
    }
    recovered = std::max(recovered, *fault.began);
    recovery.longest_silence = clients.longest_silence(*fault.began, recovered);
    if (leaders_known) {
      recovery.leaderless = leadership.without(*fault.began, recovered);
      recovery.terms = leadership.term_at(recovered) - leadership.term_at(*fault.began);
    }
    recoveries.push_back(std::move(recovery));
  }
  return recoveries;
}

}  // namespace ordeal::harness
