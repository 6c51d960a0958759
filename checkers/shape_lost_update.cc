#include <algorithm>

#include <fmt/format.h>

#include "checkers/shapes.h"

namespace ordeal::checkers {

namespace {

// Who saw what the compare-and-set left; null when nobody in the core did.
const RegisterOp* witness_of(const BadKey& bad, const RegisterOp& cas) {
  const auto found = std::ranges::find_if(bad.core.ops, [&](const RegisterOp& op) {
    return op.observes == cas.sets && op.is_certain();
  });
  return found == bad.core.ops.end() ? nullptr : &*found;
}

bool certainly_happened(const BadKey& bad, const RegisterOp& op) {
  return op.is_certain() || (bad.times_set(op.sets) == 1 && witness_of(bad, op) != nullptr);
}

Reason success(const BadKey& bad, const RegisterOp& cas) {
  Reason reason = {fmt::format("{} {}", BadKey::name(cas), bad.deed(cas)), {cas.invoked}};
  if (cas.is_certain()) {
    reason.text += ", and its client was told so.";
  } else {
    const RegisterOp* seen = witness_of(bad, cas);
    reason.text += fmt::format("; its client never learned that, but {} found {}.",
                               BadKey::name(*seen), bad.value(cas.sets));
    reason.evidence.push_back(seen->invoked);
  }
  return reason;
}

std::size_t reads_of(const BadKey& bad, ValueId value) {
  return static_cast<std::size_t>(std::ranges::count_if(
      bad.reg.ops, [&](const RegisterOp& op) { return op.is_read() && op.observes == value; }));
}

}  // namespace

bool explain_lost_update(const BadKey& bad, Finding& finding) {
  const auto& ops = bad.core.ops;
  const auto from_same = [&](const RegisterOp& a, const RegisterOp& b) {
    return !a.is_read() && !b.is_read() && a.invoked < b.invoked && a.observes != no_value &&
           a.observes == b.observes && a.sets != a.observes && b.sets != b.observes;
  };
  for (const RegisterOp& first : ops) {
    for (const RegisterOp& second : ops) {
      if (!from_same(first, second) || !bad.is_unrepeated(first.observes)) continue;
      if (!certainly_happened(bad, first) || !certainly_happened(bad, second)) continue;
      const std::string version = bad.value(first.observes);
      const RegisterOp* setter = bad.setter_of(first.observes);

      finding.kind = FindingKind::lost_update;
      finding.headline = fmt::format("two compare-and-sets of {} both succeeded from the same {}",
                                     bad.key(), version);
      finding.reasons.push_back(success(bad, first));
      finding.reasons.push_back(success(bad, second));
      finding.reasons.push_back(
          {setter == nullptr
               ? fmt::format("Nobody ever set {} back to nil ({}).", bad.key(), bad.accounting())
               : fmt::format("{} was written only once up to then, by {} ({}).", version,
                             BadKey::name(*setter), bad.accounting()),
           setter == nullptr ? std::vector<EventIndex>{} : std::vector{setter->invoked}});
      finding.reasons.push_back({fmt::format("Whichever came first took {} away, so the other "
                                             "cannot have found it. Contradiction.",
                                             version),
                                 {first.invoked, second.invoked}});
      finding.diagnosis =
          fmt::format("both replaced {}: {} of the whole run saw {}, {} saw {}", version,
                      count_of(reads_of(bad, first.sets), "read"), bad.value(first.sets),
                      reads_of(bad, second.sets), bad.value(second.sets));
      return true;
    }
  }
  return false;
}

}  // namespace ordeal::checkers
