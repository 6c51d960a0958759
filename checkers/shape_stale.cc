#include <algorithm>
#include <deque>
#include <map>

#include <fmt/format.h>

#include "checkers/shapes.h"

namespace ordeal::checkers {

namespace {

// Why one value came before another.
struct Link {
  const RegisterOp* earlier = nullptr;  // null: the earlier value is the initial nil
  const RegisterOp* later =
      nullptr;  // the same as `earlier` for a compare-and-set between the two values
  [[nodiscard]] bool is_cas() const { return earlier == later; }
};

bool touches(const RegisterOp& op, ValueId value) {
  return op.sets == value || op.observes == value;
}

// The values of the core that nobody can have put back, and the order that its operations prove
// between them.
class ValueOrder {
 public:
  explicit ValueOrder(const BadKey& bad) : bad_(bad) {
    for (const RegisterOp& op : bad.core.ops) {
      for (const ValueId value : {op.observes, op.sets}) {
        if (value != no_value && bad.is_unrepeated(value)) links_into_.emplace(value, Link{});
      }
    }
    if (links_into_.contains(from())) spread();
  }

  // An operation before the breaking one that proves a newer value than it observed; null when
  // there is none. Of several the one that set its value, then the one with the shortest chain of
  // links.
  [[nodiscard]] const RegisterOp* find_proof(ValueId& newer) const {
    const RegisterOp* best = nullptr;
    for (const ValueId value : reached_) {
      for (const RegisterOp& op : bad_.core.ops) {
        if (value == from() || !touches(op, value) || !op.precedes(bad_.core.breaks)) continue;
        const bool sets = op.sets == value;
        if (best != nullptr && (!sets || best->sets == newer)) continue;
        best = &op;
        newer = value;
      }
    }
    return best;
  }

  // From the value that the breaking operation observed to `value`, in order.
  [[nodiscard]] std::vector<std::pair<ValueId, Link>> path_to(ValueId value) const {
    std::vector<std::pair<ValueId, Link>> path;
    while (value != from()) {
      path.emplace_back(value, links_into_.at(value));
      value = before_.at(value);
    }
    std::ranges::reverse(path);
    return path;
  }

 private:
  [[nodiscard]] ValueId from() const { return bad_.core.breaks.observes; }

  // Breadth-first from the value that the breaking operation observed.
  void spread() {
    reached_.push_back(from());
    for (std::size_t next = 0; next < reached_.size(); ++next) {
      const ValueId value = reached_[next];
      for (auto& [other, link] : links_into_) {
        if (std::ranges::find(reached_, other) != reached_.end() || !find_link(value, other, link))
          continue;
        before_[other] = value;
        reached_.push_back(other);
      }
    }
  }

  bool find_link(ValueId value, ValueId other, Link& link) const {
    for (const RegisterOp& op : bad_.core.ops) {
      const bool is_breaking = op.invoked == bad_.core.breaks.invoked;
      if (op.observes == value && op.sets == other && !is_breaking) {
        link = {&op, &op};
        return true;
      }
    }
    for (const RegisterOp& later : bad_.core.ops) {
      // An unknown operation proves something only as the one that must have set the value.
      if (!touches(later, other) || !(later.is_certain() || later.sets == other)) continue;
      if (value == nil_value && later.sets == other) {
        link = {nullptr, &later};
        return true;
      }
      for (const RegisterOp& earlier : bad_.core.ops) {
        if (!touches(earlier, value) || !earlier.precedes(later)) continue;
        link = {&earlier, &later};
        return true;
      }
    }
    return false;
  }

  const BadKey& bad_;
  std::map<ValueId, Link> links_into_;
  std::map<ValueId, ValueId> before_;
  std::vector<ValueId> reached_;
};

Reason link_reason(const BadKey& bad, ValueId value, const Link& link) {
  if (link.earlier == nullptr) {
    return {fmt::format("{} was nil only until the first write, and {} {}.", bad.key(),
                        BadKey::name(*link.later), bad.deed(*link.later)),
            {link.later->invoked}};
  }
  if (link.is_cas()) {
    return {fmt::format("{} {}.", BadKey::name(*link.later), bad.deed(*link.later)),
            {link.later->invoked}};
  }
  return {fmt::format("{} {} and was answered {} {}, which {}, began: so {} came after.",
                      BadKey::name(*link.earlier), bad.deed(*link.earlier),
                      bad.gap(*link.earlier, *link.later), BadKey::name(*link.later),
                      bad.deed(*link.later), bad.value(value)),
          {link.earlier->invoked, link.later->invoked}};
}

// The steps up to "its client was told so before the breaking operation began"; the last link and
// the proof are one step where they are one operation.
void add_order_reasons(const BadKey& bad, const std::vector<std::pair<ValueId, Link>>& path,
                       const RegisterOp& proof, Finding& finding) {
  const RegisterOp& breaks = bad.core.breaks;
  for (const auto& [value, link] : path) {
    const bool is_proof = link.later->invoked == proof.invoked;
    const bool told_below = is_proof && (link.is_cas() || link.earlier == nullptr);
    if (!told_below) finding.reasons.push_back(link_reason(bad, value, link));
  }
  finding.reasons.push_back(
      {fmt::format("{} {}, and its client was told so {} {} began.", BadKey::name(proof),
                   bad.deed(proof), bad.gap(proof, breaks), BadKey::name(breaks)),
       {proof.invoked, breaks.invoked}});
}

}  // namespace

std::string stale_headline(const BadKey& bad, ValueId newer, const RegisterOp& proof,
                           FindingKind kind) {
  const RegisterOp& breaks = bad.core.breaks;
  const std::string gap = bad.gap(proof, breaks);
  const std::string old = bad.value(breaks.observes);
  if (kind == FindingKind::lost_write) {
    return fmt::format("an acknowledged {} was lost: it was answered {} {} that {} {} began",
                       proof.observes == no_value
                           ? fmt::format("write of {} to {}", bad.value(newer), bad.key())
                           : fmt::format("compare-and-set of {} from {} to {}", bad.key(),
                                         bad.value(proof.observes), bad.value(newer)),
                       gap, breaks.is_read() ? "a read" : "a compare-and-set",
                       breaks.is_read() ? "returned" : "found", old);
  }
  return fmt::format("a {} of {} {} {} although {} had {} {} it began",
                     breaks.is_read() ? "read" : "compare-and-set", bad.key(),
                     breaks.is_read() ? "returned" : "found", old, bad.value(newer),
                     proof.sets == newer ? "been written and acknowledged" : "already been seen",
                     gap);
}

bool explain_stale(const BadKey& bad, Finding& finding) {
  const ValueOrder order(bad);
  ValueId newer = no_value;
  const RegisterOp* proof = order.find_proof(newer);
  if (proof == nullptr) return false;
  const RegisterOp& breaks = bad.core.breaks;
  const std::string old = bad.value(breaks.observes);
  diagnose_stale(bad, newer, *proof, finding);
  finding.headline = stale_headline(bad, newer, *proof, finding.kind);

  add_order_reasons(bad, order.path_to(newer), *proof, finding);
  finding.reasons.push_back({fmt::format("So {} must find {} or something written after it.",
                                         BadKey::name(breaks), bad.value(newer)),
                             {breaks.invoked}});
  const RegisterOp* setter = bad.setter_of(breaks.observes);
  finding.reasons.push_back(
      {setter == nullptr
           ? fmt::format("Nobody set {} back to nil ({}).", bad.key(), bad.accounting())
           : fmt::format("Nobody but {} had written {} ({}).", BadKey::name(*setter), old,
                         bad.accounting()),
       setter == nullptr ? std::vector<EventIndex>{} : std::vector{setter->invoked}});
  finding.reasons.push_back({fmt::format("{} {} {}. Contradiction.", BadKey::name(breaks),
                                         breaks.is_read() ? "saw" : "found", old),
                             {breaks.invoked}});
  return true;
}

}  // namespace ordeal::checkers
