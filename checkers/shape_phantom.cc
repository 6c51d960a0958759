#include <fmt/format.h>

#include "checkers/shapes.h"

namespace ordeal::checkers {

namespace {

bool tried_to_set(const Operation& op, const Value& value) {
  if (op.function == Function::write) return op.argument == value;
  const auto* pair = op.function == Function::cas ? op.argument.as_list() : nullptr;
  return pair != nullptr && pair->size() == 2 && pair->at(1) == value;
}

// The words for a value that was not there. Looks for where it may have come from after all: a
// write that was reported as failed, or one that began later.
std::string look_elsewhere(const BadKey& bad, ValueId value, Finding& finding) {
  const RegisterOp& breaks = bad.core.breaks;
  const Operation* later = nullptr;
  for (const std::uint32_t position : bad.operations.positions) {
    const Operation& op = bad.history.operations[position];
    if (!tried_to_set(op, bad.reg.values[value])) continue;
    if (op.outcome == Outcome::fail && op.invoked < breaks.completed) {
      finding.diagnosis = fmt::format(
          "op {} tried to set {} and was answered \"{}\": either a refused operation took effect, "
          "or the client "
          "reports as failed what it cannot know",
          op.invoked, bad.value(value), bad.history.error_of(op));
      finding.reasons.push_back(
          {fmt::format("op {} would have set it, but was reported as failed.", op.invoked),
           {op.invoked}});
      return "whose only write had been reported as failed";
    }
    if (op.outcome != Outcome::fail && later == nullptr) later = &op;
  }
  if (later == nullptr) {
    finding.diagnosis =
        fmt::format("no operation of the whole run set {} to {}", bad.key(), bad.value(value));
    return "which nobody had written";
  }
  finding.diagnosis =
      fmt::format("{} was written only later, by op {}", bad.value(value), later->invoked);
  finding.reasons.push_back(
      {fmt::format("op {}, the first to set it, began only after {} had been answered.",
                   later->invoked, BadKey::name(breaks)),
       {later->invoked, breaks.invoked}});
  return "which was written only later";
}

}  // namespace

bool explain_phantom(const BadKey& bad, Finding& finding) {
  const RegisterOp& breaks = bad.core.breaks;
  // Back along the compare-and-sets that alone can have made the value.
  std::vector<const RegisterOp*> makers;
  ValueId value = breaks.observes;
  while (value != nil_value && makers.size() <= bad.core.ops.size()) {
    const RegisterOp* maker = bad.setter_of(value);
    if (maker == nullptr) break;
    if (bad.times_set(value) > 1 || maker->observes == no_value) return false;
    makers.push_back(maker);
    value = maker->observes;
  }
  if (value == nil_value || bad.setter_of(value) != nullptr) return false;

  finding.kind = FindingKind::phantom_read;
  finding.reasons.push_back(
      {fmt::format("{} {}.", BadKey::name(breaks), bad.deed(breaks)), {breaks.invoked}});
  for (const RegisterOp* maker : makers) {
    finding.reasons.push_back(
        {fmt::format("{} can only come from {}, which needs to find {}.", bad.value(maker->sets),
                     BadKey::name(*maker), bad.value(maker->observes)),
         {maker->invoked}});
  }
  finding.reasons.push_back({fmt::format("Nobody had begun to write {} when {} was answered ({}).",
                                         bad.value(value), BadKey::name(breaks), bad.accounting()),
                             {breaks.invoked}});
  const std::string origin = look_elsewhere(bad, value, finding);
  finding.headline = fmt::format(
      "{} {}, {}",
      breaks.is_read() ? fmt::format("a read of {} returned", bad.key())
                       : fmt::format("a compare-and-set of {} found", bad.key()),
      bad.value(breaks.observes), makers.empty() ? origin : "which nobody can have written");
  finding.reasons.push_back(
      {"A value that was never there cannot be found. Contradiction.", {breaks.invoked}});
  return true;
}

}  // namespace ordeal::checkers
