#include "harness/coverage.h"

#include <algorithm>
#include <set>

#include "core/history.h"

namespace ordeal::harness {

namespace {

// A leader that goes within this time of a fault's end is put down to the fault (healing deposes
// leaders too).
constexpr auto aftermath = 5s;
// A finding further than this from any fault is not put down to one.
constexpr auto nearness = 10s;

bool is_on(const FaultSummary& fault, Nanoseconds at, Nanoseconds after_end = Nanoseconds::zero()) {
  return fault.began && *fault.began <= at && (!fault.ended || at <= *fault.ended + after_end);
}

bool any_on(const std::vector<FaultSummary>& faults, Nanoseconds at,
            Nanoseconds after_end = Nanoseconds::zero()) {
  return std::any_of(faults.begin(), faults.end(),
                     [&](const FaultSummary& f) { return is_on(f, at, after_end); });
}

std::string distance(Nanoseconds from_event_to_finding, std::string_view event) {
  const bool after = from_event_to_finding >= Nanoseconds::zero();
  return fmt::format("{} {} {}", to_text(after ? from_event_to_finding : -from_event_to_finding),
                     after ? "after" : "before", event);
}

struct Edge {
  Nanoseconds from{};  // from it to the finding; negative: it came later
  std::string text;
  std::string phase;  // for the signature
};

// The fault that a reader looks at first: the last one that began of those that were on, else the
// last one that was undone. One that came later explains nothing: it is told only when there was
// none before, so that the reader knows that there was none.
std::optional<Edge> nearest_fault(const std::vector<FaultSummary>& faults, Nanoseconds at) {
  const FaultSummary* on = nullptr;
  const FaultSummary* past = nullptr;
  const FaultSummary* next = nullptr;
  for (const FaultSummary& fault : faults) {
    if (!fault.began) continue;
    if (is_on(fault, at)) {
      if (on == nullptr || *fault.began > *on->began) on = &fault;
    } else if (*fault.began > at) {
      if (next == nullptr || *fault.began < *next->began) next = &fault;
    } else if (past == nullptr || *fault.ended > *past->ended) {
      past = &fault;
    }
  }
  const auto name = [](const FaultSummary& fault) {
    return fmt::format("{} {{{}}}", fault.spec.kind, fault.resolved);
  };
  if (on != nullptr) {
    return Edge{
        at - *on->began,
        fmt::format("while {} was on, {} after it began", name(*on), to_text(at - *on->began)),
        "during-" + on->spec.kind};
  }
  if (past != nullptr) {
    return Edge{at - *past->ended,
                fmt::format("{} after {} was undone", to_text(at - *past->ended), name(*past)),
                at - *past->ended <= nearness ? "after-" + past->spec.kind : "no-fault-near"};
  }
  if (next == nullptr) return std::nullopt;
  return Edge{
      at - *next->began,
      fmt::format("before any fault: {} began {} later", name(*next), to_text(*next->began - at)),
      "before-any-fault"};
}

Nanoseconds size_of(Nanoseconds gap) { return gap < Nanoseconds::zero() ? -gap : gap; }

std::optional<Edge> nearest_leader_change(const std::vector<LeaderChange>& leaders,
                                          Nanoseconds at) {
  std::optional<Edge> nearest;
  for (const LeaderChange& change : leaders) {
    if (change.from.empty()) continue;
    if (nearest && size_of(nearest->from) <= size_of(at - change.at)) continue;
    nearest = Edge{at - change.at,
                   distance(at - change.at, fmt::format("the leader changed {} -> {} (term {})",
                                                        change.from, change.to, change.term)),
                   ""};
  }
  return nearest;
}

void need(std::vector<VerdictReason>& reasons, bool met, std::string text, std::string advice) {
  if (!met) reasons.push_back({Verdict::inconclusive, std::move(text), std::move(advice)});
}

}  // namespace

Coverage measure_coverage(const History& history, const std::vector<FaultSummary>& faults,
                          const std::vector<LeaderChange>& leaders,
                          const std::vector<CheckReport>& checks) {
  Coverage coverage;
  coverage.operations = history.operations.size();
  for (const Operation& op : history.operations) {
    auto& count = coverage.functions[std::string(to_text(op.function))];
    ++(op.outcome == Outcome::ok     ? count.ok
       : op.outcome == Outcome::fail ? count.fail
                                     : count.info);
    const bool answered = op.completed != never;
    if (!any_on(faults, answered ? op.completed_at : op.invoked_at)) continue;
    ++coverage.operations_during_faults;
    if (op.outcome == Outcome::ok) ++coverage.ok_during_faults;
  }
  for (const FaultSummary& fault : faults) {
    if (fault.left_out) continue;
    auto& count = coverage.faults[fault.spec.kind];
    ++count.planned;
    if (fault.took_effect) ++count.took_effect;
    if (fault.began && fault.healed) ++count.healed;
  }
  for (const LeaderChange& change : leaders) {
    if (change.from.empty()) continue;
    ++coverage.leader_changes;
    if (any_on(faults, change.at, aftermath)) ++coverage.leaders_deposed_by_faults;
  }
  for (const CheckReport& check : checks) {
    coverage.keys = std::max(coverage.keys, check.keys);
    coverage.keys_checked += check.keys_decided;
  }
  return coverage;
}

std::vector<VerdictReason> vacuity(const Coverage& coverage,
                                   const std::vector<FaultSummary>& faults,
                                   const std::vector<Function>& needed) {
  std::vector<VerdictReason> reasons;
  for (const Function function : needed) {
    const auto found = coverage.functions.find(std::string(to_text(function)));
    need(reasons, found != coverage.functions.end() && found->second.ok > 0,
         fmt::format("no {} succeeded", to_text(function)),
         "look at the errors in history.jsonl and at the servers' logs");
  }
  for (const FaultSummary& fault : faults) {
    if (fault.took_effect || fault.left_out) continue;
    reasons.push_back(
        {Verdict::inconclusive,
         fmt::format("fault {} ({}) {}{}", fault.spec.id, fault.spec.kind,
                     fault.began ? "was injected, but nothing proved that it took effect"
                                 : "was planned and never injected",
                     fault.trouble ? ": " + *fault.trouble : ""),
         "see faults.jsonl; without effect on the cluster the fault tested nothing"});
  }
  const bool was_any_tried = std::any_of(faults.begin(), faults.end(),
                                         [](const FaultSummary& one) { return !one.left_out; });
  if (!faults.empty() && !was_any_tried) {
    reasons.push_back({Verdict::inconclusive,
                       fmt::format("no fault was tried: {}", *faults.front().left_out),
                       "choose kinds that these nodes can take, or another seed"});
  } else {
    need(reasons, faults.empty() || coverage.ok_during_faults > 0,
         "no operation succeeded while a fault was on",
         "run longer, or choose faults that leave a majority alive");
  }
  need(reasons, coverage.keys > 0, "no key was checked",
       "the history holds no operations to judge");
  return reasons;
}

void place(Finding& finding, const std::vector<FaultSummary>& faults,
           const std::vector<LeaderChange>& leaders) {
  if (finding.signature.empty()) return;  // a remark, which happened at no moment
  finding.signature = to_text(finding.kind);
  for (const FaultSummary& fault : faults) {
    if (is_on(fault, finding.at)) finding.context.faults_on.push_back(fault.spec.id);
  }
  if (const auto fault = nearest_fault(faults, finding.at)) {
    finding.context.nearest_fault = fault->text;
    finding.context.from_fault = fault->from;
    finding.signature += " / " + fault->phase;
  } else {
    finding.signature += " / no-fault";
  }
  if (const auto change = nearest_leader_change(leaders, finding.at)) {
    finding.context.nearest_leader_change = change->text;
    finding.context.from_leader_change = change->from;
  }
}

}  // namespace ordeal::harness
