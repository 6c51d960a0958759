#include <set>

#include <fmt/format.h>

#include "checkers/shapes.h"

namespace ordeal::checkers {

namespace {

constexpr std::size_t most_ordered = 16;

// The longest order of some of the operations that agrees with real time and gives every answer.
class Furthest {
 public:
  explicit Furthest(const std::vector<RegisterOp>& ops) : ops_(ops) { extend(0, nil_value); }

  [[nodiscard]] const std::vector<std::size_t>& order() const { return best_; }
  [[nodiscard]] ValueId state() const { return best_state_; }
  // What real time would let follow.
  [[nodiscard]] std::vector<std::size_t> stuck() const {
    std::uint32_t placed = 0;
    for (const std::size_t i : best_) placed |= std::uint32_t{1} << i;
    std::vector<std::size_t> stuck;
    for (std::size_t i = 0; i < ops_.size(); ++i) {
      if (ops_[i].is_certain() && may_follow(placed, i)) stuck.push_back(i);
    }
    return stuck;
  }

 private:
  [[nodiscard]] bool may_follow(std::uint32_t placed, std::size_t i) const {
    if ((placed >> i & 1U) != 0) return false;
    for (std::size_t k = 0; k < ops_.size(); ++k) {
      if ((placed >> k & 1U) == 0 && ops_[k].precedes(ops_[i])) return false;
    }
    return true;
  }

  void extend(std::uint32_t placed, ValueId state) {
    if (!seen_.insert({placed, state}).second) return;
    if (order_.size() > best_.size()) {
      best_ = order_;
      best_state_ = state;
    }
    for (std::size_t i = 0; i < ops_.size(); ++i) {
      const RegisterOp& op = ops_[i];
      if (!may_follow(placed, i) || (op.observes != no_value && op.observes != state) ||
          (op.denies != no_value && op.denies == state)) {
        continue;
      }
      order_.push_back(i);
      extend(placed | std::uint32_t{1} << i, op.is_read() ? state : op.sets);
      order_.pop_back();
    }
  }

  const std::vector<RegisterOp>& ops_;
  std::set<std::pair<std::uint32_t, ValueId>> seen_;
  std::vector<std::size_t> order_;
  std::vector<std::size_t> best_;
  ValueId best_state_ = nil_value;
};

std::string list_deeds(const BadKey& bad, const std::vector<std::size_t>& places,
                       std::vector<EventIndex>& evidence) {
  std::string text;
  for (const std::size_t i : places) {
    const RegisterOp& op = bad.core.ops[i];
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", BadKey::name(op), bad.deed(op));
    evidence.push_back(op.invoked);
  }
  return text;
}

void add_orders(const BadKey& bad, Finding& finding) {
  const Furthest furthest(bad.core.ops);
  if (!furthest.order().empty()) {
    Reason longest;
    longest.text =
        "No order gets further than this: " + list_deeds(bad, furthest.order(), longest.evidence) +
        ".";
    finding.reasons.push_back(std::move(longest));
  }
  Reason stuck;
  const std::string who = list_deeds(bad, furthest.stuck(), stuck.evidence);
  stuck.text = fmt::format("There {} is {}, and what would have to come next does not fit: {}.",
                           bad.key(), bad.value(furthest.state()), who);
  finding.reasons.push_back(std::move(stuck));
}

// Setters of observed values that are not shown, and why they do not matter.
void add_left_out(const BadKey& bad, Finding& finding) {
  std::set<ValueId> observed;
  for (const RegisterOp& op : bad.core.ops) {
    if (op.observes != no_value) observed.insert(op.observes);
  }
  std::size_t left_out = 0;
  for (const RegisterOp& op : bad.core.prefix) left_out += observed.contains(op.sets) ? 1U : 0U;
  for (const RegisterOp& op : bad.core.ops) left_out -= observed.contains(op.sets) ? 1U : 0U;
  if (left_out == 0) return;
  finding.reasons.push_back(
      {fmt::format("{} of the same values not shown cannot be what these operations found: each "
                   "had been replaced "
                   "for certain before they began, or began after they were answered.",
                   count_of(left_out, "further write")),
       {}});
}

}  // namespace

void explain_furthest(const BadKey& bad, Finding& finding) {
  const RegisterOp& breaks = bad.core.breaks;
  const RegisterOp* newest =
      nullptr;  // the last certain write of another value before the breaking one began
  for (const RegisterOp& op : bad.core.ops) {
    if (breaks.observes == no_value) break;  // it denies a value: what it found is not known
    if (!op.is_read() && op.sets != breaks.observes && op.precedes(breaks)) newest = &op;
  }
  if (newest == nullptr) {
    finding.kind = FindingKind::nonlinearizable;
    finding.headline = fmt::format("no order of {} on {} explains their answers",
                                   count_of(bad.core.ops.size(), "operation"), bad.key());
    finding.diagnosis = "no simpler pattern fits";
  } else {
    diagnose_stale(bad, newest->sets, *newest, finding);
    finding.headline = stale_headline(bad, newest->sets, *newest, finding.kind);
  }
  if (bad.core.ops.size() <= most_ordered) add_orders(bad, finding);
  add_left_out(bad, finding);
  finding.reasons.push_back(
      {fmt::format("No order of these {} agrees with real time and gives every answer ({}).",
                   count_of(bad.core.ops.size(), "operation"), bad.accounting()),
       {breaks.invoked}});
}

}  // namespace ordeal::checkers
