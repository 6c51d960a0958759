#include "checkers/witness.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

namespace ordeal::checkers {

WitnessOperation witness_of(const History& history, const Operation& op, bool breaks) {
  WitnessOperation copy;
  copy.id = copy.invoked = op.invoked;
  copy.process = op.process;
  if (op.node < history.nodes.size()) copy.node = history.nodes[op.node];
  copy.request = {op.function, op.key, op.argument};
  copy.outcome = op.outcome;
  // Some tools repeat a write's value in its answer.
  const bool sets = op.function == Function::write || op.function == Function::cas;
  if (op.outcome == Outcome::ok && !sets) copy.result = op.result;
  copy.error = history.error_of(op);
  copy.revision = op.revision;
  copy.invoked_at = op.invoked_at;
  copy.completed = op.completed;
  if (op.completed != never) copy.completed_at = op.completed_at;
  copy.breaks = breaks;
  return copy;
}

std::vector<KeyGroup> group_by_key(const History& history, const std::vector<Function>& functions) {
  std::vector<KeyGroup> groups;
  std::unordered_map<Value, std::size_t, ValueHash> position;
  for (const Operation& op : history.operations) {
    if (std::find(functions.begin(), functions.end(), op.function) == functions.end()) continue;
    const auto [found, is_new] = position.try_emplace(op.key, groups.size());
    if (is_new) groups.push_back({op.key, {}});
    groups[found->second].ops.push_back(&op);
  }
  return groups;
}

Finding finding_of(const History& history, const KeyGroup& group, Claim claim,
                   std::vector<const Operation*> ops, const Operation& breaks) {
  Finding made;
  made.kind = claim.kind;
  made.promise = claim.promise;
  made.key = group.key;
  made.headline = std::move(claim.headline);
  made.reasons.push_back({std::move(claim.reason), {}});
  ops.erase(std::remove(ops.begin(), ops.end(), nullptr), ops.end());
  std::sort(ops.begin(), ops.end(),
            [](const Operation* a, const Operation* b) { return a->invoked < b->invoked; });
  ops.erase(std::unique(ops.begin(), ops.end()), ops.end());
  for (const Operation* op : ops) {
    made.witness.push_back(witness_of(history, *op, op == &breaks));
    made.reasons.front().evidence.push_back(op->invoked);
  }
  made.certainty = Certainty::suspected;
  made.certainty_basis = "it follows from the operations shown alone; no second program was asked";
  made.operations_on_key = group.ops.size();
  for (const Operation* op : group.ops)
    made.unknown_on_key += op->outcome == Outcome::info ? 1U : 0U;
  made.bad_prefix_events = std::size_t{breaks.completed} + 1;
  made.at = breaks.completed_at;
  return made;
}

void KeyJudgement::add(std::optional<Finding> finding) {
  if (finding) findings.push_back(std::move(*finding));
}

CheckReport judge_keys(std::string_view checker, const History& history,
                       const std::vector<Function>& functions,
                       const std::function<void(const KeyGroup& group, KeyJudgement& key)>& judge) {
  const auto began = SteadyClock::now();
  CheckReport report;
  report.checker = checker;
  const auto groups = group_by_key(history, functions);
  report.keys = groups.size();
  for (const KeyGroup& group : groups) {
    KeyJudgement key;
    judge(group, key);
    for (Finding& finding : key.findings) report.findings.push_back(std::move(finding));
    if (!key.undecided.empty()) report.undecided.push_back({group.key, key.undecided});
  }
  conclude(report);
  report.took = SteadyClock::now() - began;
  return report;
}

void conclude(CheckReport& report, std::size_t most) {
  std::stable_sort(
      report.findings.begin(), report.findings.end(),
      [](const Finding& a, const Finding& b) { return a.bad_prefix_events < b.bad_prefix_events; });
  if (report.findings.size() > most) {
    const std::size_t left_out = report.findings.size() - most;
    report.findings.resize(most);
    report.findings.back().diagnosis +=
        fmt::format("; {} more findings like these are not shown", left_out);
  }
  int number = 0;
  for (Finding& finding : report.findings) {
    finding.number = ++number;
    finding.signature = to_text(finding.kind);
  }
  report.keys_decided = report.keys - report.undecided.size();
  report.answer = !report.findings.empty()    ? CheckReport::Answer::invalid
                  : !report.undecided.empty() ? CheckReport::Answer::unknown
                                              : CheckReport::Answer::valid;
}

std::string name_of(const Operation& op) { return fmt::format("op {}", op.invoked); }

std::string gap_between(const Operation& before, const Operation& after) {
  return to_text(std::max(after.invoked_at - before.completed_at, Nanoseconds::zero()));
}

}  // namespace ordeal::checkers
