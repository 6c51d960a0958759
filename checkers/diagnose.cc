#include <algorithm>

#include <fmt/format.h>

#include "checkers/shapes.h"

namespace ordeal::checkers {

namespace {

bool is_answer(const RegisterOp& op) { return op.is_certain() && op.observes != no_value; }

// The first moment after `proof` at which something else may have replaced the acknowledged value:
// a write that is not certainly older, and whose value somebody saw or that was acknowledged
// itself.
EventIndex replaced_from(const BadKey& bad, ValueId newer, const RegisterOp& proof) {
  std::vector<RegisterOp> ops = bad.reg.ops;
  drop_unobservable(ops, bad.reg.values.size());
  const auto setter = std::ranges::find(ops, newer, &RegisterOp::sets);
  const EventIndex acknowledged_from = setter == ops.end() ? proof.invoked : setter->invoked;
  EventIndex first = never;
  for (const RegisterOp& op : ops) {
    const bool is_older = op.completed < acknowledged_from || op.sets == bad.core.breaks.observes;
    if (op.is_read() || op.sets == newer || is_older) continue;
    first = std::min(first, std::max(op.invoked, proof.completed));
  }
  return first;
}

template <class Condition>
std::vector<RegisterOp> matching(const std::vector<RegisterOp>& ops, Condition condition) {
  std::vector<RegisterOp> found;
  std::ranges::copy_if(ops, std::back_inserter(found), condition);
  return found;
}

// Nobody ever saw the acknowledged value, and a read broke the order.
void diagnose_unseen(const BadKey& bad, ValueId newer, const RegisterOp& proof, Finding& finding) {
  const EventIndex replaced = replaced_from(bad, newer, proof);
  const auto should_see = matching(bad.reg.ops, [&](const RegisterOp& op) {
    return is_answer(op) && proof.precedes(op) && op.completed < replaced;
  });
  if (replaced == never) {
    finding.kind = FindingKind::lost_write;
    finding.diagnosis = fmt::format(
        "nobody ever saw {}, and nothing replaced it; {}{} should have, up to the end of "
        "the run",
        bad.value(newer), count_of(should_see.size(), "later operation"), bad.through(should_see));
    return;
  }
  const std::string missed =
      should_see.empty() ? "and nobody else had to see it before"
                         : count_of(should_see.size(), "operation") + " should have seen it before";
  finding.diagnosis = fmt::format(
      "nobody ever saw {}, but something else was written soon, {}: it may also have been lost",
      bad.value(newer), missed);
}

}  // namespace

void diagnose_stale(const BadKey& bad, ValueId newer, const RegisterOp& proof, Finding& finding) {
  const RegisterOp& breaks = bad.core.breaks;
  const std::string value = bad.value(newer);
  const auto saw = matching(bad.reg.ops, [&](const RegisterOp& op) {
    return is_answer(op) && op.observes == newer && op.invoked != breaks.invoked;
  });
  const auto saw_later =
      matching(saw, [&](const RegisterOp& op) { return op.invoked > breaks.invoked; });

  finding.kind = FindingKind::stale_read;
  if (!saw_later.empty()) {
    finding.diagnosis =
        fmt::format("stale, not lost: {}{} found {}", count_of(saw_later.size(), "later operation"),
                    bad.through(saw_later), value);
  } else if (!saw.empty()) {
    finding.diagnosis = fmt::format(
        "{}{} had found {} before, none did after; that does not tell whether it was lost",
        count_of(saw.size(), "operation"), bad.through(saw), value);
  } else if (!breaks.is_read()) {
    finding.kind = FindingKind::lost_write;
    finding.diagnosis =
        fmt::format("nobody ever saw {}, and {} took effect as if it had never been there", value,
                    BadKey::name(breaks));
  } else {
    diagnose_unseen(bad, newer, proof, finding);
  }
}

}  // namespace ordeal::checkers
