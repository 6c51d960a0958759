#include "workloads/judges.h"

#include <algorithm>
#include <unordered_map>

#include "checkers/check_calls.h"
#include "checkers/linearizability.h"
#include "checkers/set_checker.h"
#include "checkers/witness.h"

namespace ordeal::workloads {
namespace {

// The calls of a finding, as operations of the history.
void show_witness(const History& history, Finding& finding) {
  if (!finding.witness.empty() || finding.reasons.empty()) return;
  std::unordered_map<EventIndex, const Operation*> by_name;
  for (const Operation& op : history.operations) by_name[op.invoked] = &op;
  for (const EventIndex name : finding.reasons.front().evidence) {
    const auto found = by_name.find(name);
    if (found == by_name.end()) continue;
    const Operation& op = *found->second;
    const bool breaks = std::size_t{op.completed} + 1 == finding.bad_prefix_events;
    finding.witness.push_back(checkers::witness_of(history, op, breaks));
    if (breaks) finding.at = op.completed_at;
  }
}

CheckReport by_model(std::string_view name, const History& history,
                     const checkers::CheckOptions& options) {
  auto calls = checkers::calls_of(history, options.failed_cas);
  const checkers::ModelKind* model = checkers::model_named(name);
  ORDEAL_CHECK(calls && model != nullptr, "a judge without model, or calls that it does not know");
  for (checkers::Call& call : *calls) {
    // Counters are spoken to in the words of sets, and what is not there yet is empty.
    if (name == "counter" && call.act == checkers::Act::add) call.act = checkers::Act::increment;
    if (call.act != checkers::Act::read || !call.is_certain() || !call.result.is_nil()) continue;
    call.result = name == "counter" ? Value(0) : Value(Value::List{});
  }
  CheckReport report = checkers::check_calls(*calls, *model, options);
  for (Finding& finding : report.findings) show_witness(history, finding);
  return report;
}

CheckReport check_list(const History& history, const checkers::CheckOptions& options) {
  return by_model("list", history, options);
}
CheckReport check_queue(const History& history, const checkers::CheckOptions& options) {
  return by_model("queue", history, options);
}
CheckReport check_counter(const History& history, const checkers::CheckOptions& options) {
  return by_model("counter", history, options);
}

}  // namespace

const std::vector<Judge>& judges() {
  static const std::vector<Judge> all = {
      {"register",
       "linearizable registers",
       {Function::write, Function::cas, Function::read},
       false,
       checkers::check_linearizable_register},
      {"list", "linearizable lists", {Function::append, Function::read}, false, check_list},
      {"set", "linearizable sets", {Function::add, Function::members}, false, checkers::check_set},
      {"queue",
       "linearizable queues, first in first out",
       {Function::enqueue, Function::dequeue},
       true,
       check_queue},
      {"counter", "linearizable counters", {Function::add, Function::read}, false, check_counter},
  };
  return all;
}

const Judge* judge_named(std::string_view name) {
  const auto found = std::find_if(judges().begin(), judges().end(),
                                  [&](const Judge& judge) { return judge.name == name; });
  return found == judges().end() ? nullptr : &*found;
}

}  // namespace ordeal::workloads
