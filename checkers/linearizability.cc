#include "checkers/linearizability.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include <fmt/format.h>

#include "checkers/columns.h"
#include "checkers/decide.h"
#include "checkers/explain.h"
#include "checkers/revisions.h"
#include "checkers/sequential.h"
#include "checkers/staleness.h"
#include "checkers/verify.h"
#include "checkers/witness.h"
#include "checkers/zones.h"

namespace ordeal::checkers {

namespace {

constexpr Nanoseconds time_to_shrink = 5s;
constexpr std::size_t most_keys_named = 5;

struct KeyVerdict {
  Decision decision;
  Nanoseconds took{};
};

KeyVerdict judge(const History& history, const Columns& columns, std::size_t key,
                 const Budget& budget) {
  const auto began = SteadyClock::now();
  const auto undecided = [](std::string why) {
    return KeyVerdict{{Decision::Answer::unknown, std::move(why)}, {}};
  };
  if (budget.deadline.passed()) {
    return undecided("time ran out before this key was looked at; allow the checker more");
  }
  if (!columns.malformed(key).empty()) return undecided(columns.malformed(key));
  Decision decision;
  if (const auto valid = decide_by_zones(columns.ops(key))) {
    decision.answer = *valid ? Decision::Answer::valid : Decision::Answer::invalid;
  } else if (order_by_revisions(columns.ops(key), history)) {
    decision.answer = Decision::Answer::valid;
  } else {
    const auto found = columns.ops(key);
    std::vector<RegisterOp> ops(found.begin(), found.end());
    const std::size_t values = make_dense(ops);
    decision = decide_register(std::move(ops), values, budget);
  }
  return {std::move(decision), SteadyClock::now() - began};
}

struct Judged {
  std::vector<Value> keys;  // in the order of their first operation
  std::vector<KeyVerdict> verdicts;
};

// One key, every value written once: what the best tests ask for is decided at one look.
std::optional<Judged> judge_at_once(const History& history, const CheckOptions& options) {
  if (options.deadline.passed()) return std::nullopt;
  const auto began = SteadyClock::now();
  const auto valid = decide_by_zones(history, options.failed_cas);
  if (!valid) return std::nullopt;
  KeyVerdict verdict;
  verdict.decision.answer = *valid ? Decision::Answer::valid : Decision::Answer::invalid;
  verdict.took = SteadyClock::now() - began;
  return Judged{{history.operations.front().key}, {std::move(verdict)}};
}

Judged judge_all(const History& history, const CheckOptions& options) {
  if (auto judged = judge_at_once(history, options)) return *std::move(judged);
  const Columns columns(history, options);
  Judged judged;
  for (std::size_t i = 0; i < columns.keys(); ++i) judged.keys.push_back(columns.key(i));
  std::vector<KeyVerdict>& verdicts = judged.verdicts;
  verdicts.resize(columns.keys());
  const std::size_t threads =
      std::clamp<std::size_t>(options.threads, 1, std::max<std::size_t>(verdicts.size(), 1));
  const Budget budget = {options.deadline, options.memory_limit / threads,
                         std::max<std::size_t>(options.threads, 1) / threads};
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < verdicts.size(); i = next++)
      verdicts[i] = judge(history, columns, i, budget);
  };
  std::vector<std::jthread> helpers;
  for (std::size_t i = 1; i < threads; ++i) helpers.emplace_back(work);
  work();
  helpers.clear();
  return judged;
}

std::string basis_of(const Finding& finding, bool is_minimal) {
  std::string basis = count_of(finding.witness.size(), "operation");
  basis += finding.certainty == Certainty::proven
               ? ", impossible by the checker's search and, apart from it, by trying all orders"
               : ", impossible by the checker's search; too many to try all orders";
  if (!is_minimal) basis += "; time ran out before it was known that none of them can be left out";
  return basis;
}

// Which weaker guarantees the witness breaks too, and which it leaves possible.
void tell_weaker(Finding& finding, const Register& reg, const History& history,
                 FailedCas failed_cas) {
  const auto tell = [&](bool possible, const char* name) {
    (possible ? finding.not_ruled_out : finding.also_ruled_out).emplace_back(name);
  };
  const auto sequential = some_order_exists(finding.witness, Keep::client_order, failed_cas);
  const auto any = some_order_exists(finding.witness, Keep::nothing, failed_cas);
  if (!sequential || !any) return;
  const auto whole = *sequential ? is_sequential(reg, history) : std::nullopt;
  tell(*sequential,
       !whole   ? "sequential consistency (each client sees its own order)"
       : *whole ? "sequential consistency (each client sees its own order), which the key keeps "
                  "from first to last"
                : "sequential consistency (each client sees its own order), which other operations "
                  "of the key break");
  tell(*any, "any order at all (every value read was written by somebody)");
}

// What the key does keep: reads that are not too old.
void tell_staleness(Finding& finding, const Register& reg, const History& history) {
  const auto found = measure_staleness(reg.ops, history);
  if (!found || found->stale == 0) return;
  finding.not_ruled_out.push_back(fmt::format(
      "bounded staleness: no read of the key was more than {} behind; {} of {} were "
      "behind, for up to {}",
      count_of(found->writes, "write"), found->stale, found->reads, to_text(found->longest)));
}

// The finding of a key that was found impossible, or the sentence of a defect when the verifier
// disagrees.
Result<Finding> find(const History& history, const KeyOperations& key, FailedCas failed_cas,
                     const Budget& budget, Nanoseconds first_took) {
  const Register reg = read_register(history, key, failed_cas);
  const Core core = shrink(reg.ops, reg.values.size(), budget, first_took);
  const BadKey bad = {history, key, reg, core};

  Finding finding;
  finding.promise = "linearizable reads and writes per key";
  finding.key = key.key;
  for (const RegisterOp& op : core.ops) {
    const bool breaks = op.invoked == core.breaks.invoked;
    finding.witness.push_back(witness_of(history, history.operations[op.source], breaks));
  }
  const auto possible = some_order_exists(finding.witness, Keep::real_time, failed_cas);
  if (possible && *possible) {
    return error(
        "the search found no order for key {}, but the verifier found one for the {} operations "
        "that it was "
        "given as witness (the first is {}); please report this with the history",
        to_text(key.key), finding.witness.size(), finding.witness.front().id);
  }
  finding.certainty = possible ? Certainty::proven : Certainty::suspected;
  finding.certainty_basis = basis_of(finding, core.is_minimal);
  explain(bad, finding);
  tell_weaker(finding, reg, history, failed_cas);
  tell_staleness(finding, reg, history);
  finding.operations_on_key = key.positions.size();
  finding.unknown_on_key = reg.unknown;
  finding.bad_prefix_events = std::size_t{core.breaks.completed} + 1;
  finding.at = bad.recorded(core.breaks).completed_at;
  finding.signature = to_text(finding.kind);
  return finding;
}

// Of very many bad keys only some are explained, the first one and others spread evenly over the
// history: what is wrong in a calm beginning may be another trouble than what a fault brings later.
bool is_explained(std::size_t position, std::size_t bad_keys) {
  if (bad_keys <= most_findings) return true;
  const std::size_t nth = (position * most_findings + bad_keys - 1) / bad_keys;
  return nth < most_findings && nth * bad_keys / most_findings == position;
}

// The bad keys that are not explained, in one finding without a witness.
Finding count_rest(const std::vector<Value>& rest) {
  Finding finding;
  finding.promise = "linearizable reads and writes per key";
  std::string names;
  for (std::size_t i = 0; i < std::min(rest.size(), most_keys_named); ++i) {
    names += (i == 0 ? "" : ", ") + to_text(rest[i]);
  }
  if (rest.size() > most_keys_named)
    names += fmt::format(" and {} more", rest.size() - most_keys_named);
  finding.headline = fmt::format(
      "{} not linearizable either: {}",
      rest.size() == 1 ? "1 more key is" : fmt::format("{} more keys are", rest.size()), names);
  finding.certainty_basis =
      fmt::format("by the checker's search; {} bad keys, from the first to the last, are explained",
                  most_findings);
  finding.diagnosis = "not looked into";
  return finding;  // no signature: the explained ones say what the trouble is
}

void number(std::vector<Finding>& findings) {
  std::ranges::stable_sort(findings, {}, &Finding::bad_prefix_events);
  for (std::size_t i = 0; i < findings.size(); ++i) findings[i].number = static_cast<int>(i + 1);
}

}  // namespace

CheckReport check_linearizable_register(const History& history, const CheckOptions& options) {
  const auto began = SteadyClock::now();
  const Budget to_shrink = {Deadline::at(options.deadline.when() + time_to_shrink),
                            options.memory_limit};
  const Judged judged = judge_all(history, options);

  CheckReport report;
  report.checker = "linearizable";
  report.keys = judged.keys.size();
  std::vector<Value> rest;
  std::vector<std::size_t> bad;
  for (std::size_t i = 0; i < judged.keys.size(); ++i) {
    const Decision& decision = judged.verdicts[i].decision;
    if (decision.answer == Decision::Answer::invalid) bad.push_back(i);
    if (decision.answer == Decision::Answer::unknown)
      report.undecided.push_back({judged.keys[i], decision.why});
  }
  for (std::size_t at = 0; at < bad.size(); ++at) {
    const std::size_t i = bad[at];
    if (!is_explained(at, bad.size())) {
      rest.push_back(judged.keys[i]);
      continue;
    }
    const KeyOperations key = operations_on(judged.keys[i], history);
    auto finding = find(history, key, options.failed_cas, to_shrink, judged.verdicts[i].took);
    if (finding) {
      report.findings.push_back(std::move(*finding));
    } else {
      report.undecided.push_back({judged.keys[i], finding.error().message, true});
    }
  }
  number(report.findings);
  if (!rest.empty()) {
    report.findings.push_back(count_rest(rest));
    report.findings.back().number = static_cast<int>(report.findings.size());
  }
  report.keys_decided = report.keys - report.undecided.size();
  report.answer = !report.findings.empty()    ? CheckReport::Answer::invalid
                  : !report.undecided.empty() ? CheckReport::Answer::unknown
                                              : CheckReport::Answer::valid;
  report.took = SteadyClock::now() - began;
  return report;
}

}  // namespace ordeal::checkers
