#include "results/words.h"

#include <algorithm>

#include <fmt/format.h>

#include "results/text.h"

namespace ordeal::results {

namespace {

// Kinds of faults or functions that a line names before it says "and N more".
constexpr std::size_t named_at_most = 6;

std::string and_more(std::size_t left_out) { return fmt::format("and {} more", grouped(left_out)); }

std::size_t total_faults(const RunRecord& run, std::size_t Coverage::PerFault::*what) {
  std::size_t total = 0;
  for (const auto& [kind, faults] : run.coverage.faults) total += faults.*what;
  return total;
}

}  // namespace

std::string system_name(const RunRecord& run) {
  const std::string cluster = clean(run.cluster, 40);
  const std::string version = clean(run.version, 40);
  if (cluster.empty() && version.empty()) return "the system under test";
  if (version.empty() || version.find(cluster) != std::string::npos)
    return version.empty() ? cluster : version;
  return cluster + " " + version;
}

std::string nemesis_names(const RunRecord& run) {
  std::vector<std::string> names;
  for (const std::string& name : run.nemeses) names.push_back(clean(name, 40));
  if (names.size() > named_at_most) {
    const std::size_t left_out = names.size() - named_at_most;
    names.resize(named_at_most);
    names.push_back(and_more(left_out));
  }
  return names.empty() ? "no faults" : join(names, " + ");
}

std::vector<std::string> option_words(const RunRecord& run) {
  std::vector<std::string> words;
  for (const auto& [name, value] : run.options) {
    if (words.size() == named_at_most) {
      words.push_back(and_more(run.options.size() - words.size()));
      break;
    }
    words.push_back(clean(name, 20) + " " + clean(value, 40));
  }
  if (run.canary) words.emplace_back("canary: must end FAIL");
  return words;
}

std::vector<const Finding*> findings_of(const RunRecord& run) {
  std::vector<const Finding*> findings;
  for (const CheckReport& check : run.checks) {
    for (const Finding& finding : check.findings) findings.push_back(&finding);
  }
  return findings;
}

bool is_remark(const Finding& finding) {
  return finding.signature.empty() && finding.witness.empty();
}

std::string deed(FindingKind kind) {
  switch (kind) {
    case FindingKind::stale_read:
      return "returned stale data";
    case FindingKind::lost_write:
      return "lost an acknowledged write";
    case FindingKind::phantom_read:
      return "returned a value that was not there";
    case FindingKind::lost_update:
      return "let two compare-and-sets win where one must lose";
    case FindingKind::lost_element:
      return "lost what it had acknowledged";
    case FindingKind::duplicate:
      return "did more than once what was asked for once";
    case FindingKind::out_of_order:
      return "broke an order that it promises";
    case FindingKind::two_holders:
      return "gave a lock to two clients at a time";
    case FindingKind::stale_token:
      return "gave a later hold no greater fencing token";
    case FindingKind::money:
      return "made money, lost it or spent what was not there";
    case FindingKind::half_done:
      return "left a business transaction half done";
    case FindingKind::both_ways:
      return "confirmed and cancelled the same business transaction";
    case FindingKind::divergence:
      return "left its replicas with different states";
    case FindingKind::no_recovery:
      return "did not come back after faults";
    case FindingKind::nonlinearizable:
      break;
  }
  return "gave answers that no order of operations explains";
}

std::string gloss(FindingKind kind) {
  switch (kind) {
    case FindingKind::stale_read:
      return "a client was shown an old value after a newer one had been acknowledged";
    case FindingKind::lost_write:
      return "a write was acknowledged, nothing replaced it, and yet no later read ever saw it";
    case FindingKind::phantom_read:
      return "a read returned a value that nobody had written, or that was written only after the "
             "read was answered";
    case FindingKind::lost_update:
      return "two compare-and-sets were acknowledged although both expected the same version, "
             "which only one can replace";
    case FindingKind::lost_element:
      return "something was acknowledged as stored, nobody took it away, and it is not there";
    case FindingKind::duplicate:
      return "something was asked for once and took effect, or was handed out, several times";
    case FindingKind::out_of_order:
      return "things that have a promised order were seen in another one";
    case FindingKind::two_holders:
      return "a client was granted a lock while another one certainly still held it";
    case FindingKind::stale_token:
      return "fencing tokens must grow from hold to hold, or the guarded resource cannot tell who "
             "is late";
    case FindingKind::money:
      return "transfers only move money that is there: the sum over all accounts changes by what "
             "comes in alone, and no account falls below zero";
    case FindingKind::half_done:
      return "a business transaction must end with all of its steps done, or with every done step "
             "undone";
    case FindingKind::both_ways:
      return "a business transaction must end one way, on all of its branches";
    case FindingKind::divergence:
      return "replicas of one system that had nothing left to do did not hold the same data";
    case FindingKind::no_recovery:
      return "every fault was undone and the machines were well, and yet no operation through the "
             "node succeeded for as long as it was tried";
    case FindingKind::nonlinearizable:
      break;
  }
  return "each answer may look right alone, but there is no order of the operations in which all "
         "of them are";
}

std::string completeness(const Finding& finding) {
  if (finding.operations_on_key == 0) return {};
  std::string words =
      fmt::format("All {} on key {} are accounted for",
                  count(finding.operations_on_key, "operation"), clean(to_text(finding.key), 60));
  words += finding.unknown_on_key == 0
               ? ", and the outcome of each is known."
               : fmt::format(
                     ". The outcome of {} is unknown: {} allowed to have happened at any time from "
                     "the request on, or never.",
                     grouped(finding.unknown_on_key),
                     finding.unknown_on_key == 1 ? "it was" : "each of those was");
  words += " What is not shown adds nothing to the contradiction.";
  if (finding.bad_prefix_events > 0)
    words += fmt::format(
        " Already the first {} of the history cannot be explained; nothing later is needed.",
        count(finding.bad_prefix_events, "event"));
  return words;
}

std::string source_words(const RunRecord& run, const Finding& finding) {
  const std::string words = clean(finding.promise_source, 600);
  // The system's name keeps the case that it has.
  const bool is_name = !run.cluster.empty() && words.starts_with(run.cluster);
  return words.empty() ? "" : sentence(is_name ? words : capitalised(words));
}

std::string gloss(const std::string& promise) {
  if (promise.find("linearizab") == std::string::npos) return {};
  return "Linearizable: each operation takes effect at one moment between its request and its "
         "answer, so whoever asks "
         "after an answer was given sees what it did.";
}

std::string headline(const RunRecord& run, const Finding& finding) {
  const std::string what = clean(finding.headline, 300);
  return fmt::format("{} {}{}{}", system_name(run), deed(finding.kind), what.empty() ? "" : ": ",
                     what);
}

std::string headline(const RunRecord& run) {
  const auto findings = findings_of(run);
  switch (run.verdict) {
    case Verdict::fail:
      return findings.empty() ? system_name(run) + " broke a promise, but no finding was stored"
                              : headline(run, *findings.front());
    case Verdict::pass: {
      const std::size_t faults = total_faults(run, &Coverage::PerFault::took_effect);
      return fmt::format("{} kept its promises in {}{}", system_name(run),
                         count(run.coverage.operations, "operation"),
                         faults > 0            ? " through " + count(faults, "fault")
                         : run.cluster.empty() ? std::string()
                                               : std::string(", with no fault"));
    }
    case Verdict::inconclusive:
      return "Nothing wrong was found, but what was tested is not enough to say PASS";
    case Verdict::broken:
      break;
  }
  return fmt::format("The test could not be carried out; this says nothing about {}",
                     system_name(run));
}

std::string surroundings(const Finding& finding) {
  const auto& fault = finding.context.nearest_fault;
  const auto& leader = finding.context.nearest_leader_change;
  const std::string near_fault = fault ? clean(*fault) : "no fault is recorded near it";
  return near_fault + (leader ? "; " + clean(*leader) : "");
}

std::string certainty(const Finding& finding) {
  const std::string basis = clean(finding.certainty_basis, 300);
  return fmt::format("{}{}{}", to_text(finding.certainty), basis.empty() ? "" : ": ", basis);
}

std::string asked(const WitnessOperation& op) { return clean(to_text(op.request), 60); }

std::string answered_in_short(const WitnessOperation& op) {
  switch (op.outcome) {
    case Outcome::ok:
      return op.request.function == Function::read || !op.result.is_nil()
                 ? clean(to_text(op.result), 60)
                 : "ok";
    case Outcome::fail:
      return "failed";
    case Outcome::info:
      break;
  }
  return op.completed_at ? "unknown" : "no answer";
}

std::string answered(const WitnessOperation& op) {
  const bool has_words = op.outcome != Outcome::ok && !op.error.empty();
  return answered_in_short(op) + (has_words ? ": " + clean(op.error, 80) : "");
}

std::string answer_in_full(const WitnessOperation& op) {
  if (!op.completed_at) return "no answer was recorded";
  std::string words = op.error.empty() ? "the answer was " + answered_in_short(op)
                                       : "the answer was " + clean(op.error, 300);
  if (op.revision != 0) words += fmt::format(", at revision {}", op.revision);
  return words;
}

std::string fault_aim(const FaultSummary& fault) {
  std::vector<std::string> parts;
  if (!fault.spec.targets.empty()) parts.push_back(clean(fault.spec.targets, 40));
  for (const auto& [name, value] : fault.spec.parameters) {
    if (parts.size() > named_at_most) break;
    parts.push_back(clean(name, 40) + " " + clean(to_text(value), 40));
  }
  return join(parts, ", ");
}

std::string fault_hit(const FaultSummary& fault) {
  if (!fault.resolved.empty()) return clean(fault.resolved, 120);
  return fault.began ? "not recorded" : "never began";
}

std::size_t faults_left_on(const RunRecord& run) {
  return static_cast<std::size_t>(std::count_if(run.faults.begin(), run.faults.end(),
                                                [](const FaultSummary& f) { return !f.healed; }));
}

std::string fault_words(const RunRecord& run) {
  const auto& faults = run.coverage.faults;
  if (faults.empty()) return "no faults";
  std::vector<std::string> kinds;
  for (const auto& [kind, of_kind] : faults) {
    if (kinds.size() == named_at_most) {
      kinds.push_back(and_more(faults.size() - kinds.size()));
      break;
    }
    kinds.push_back(fmt::format("{} {}/{}", clean(kind, 20), of_kind.took_effect, of_kind.planned));
  }
  return join(kinds, ", ") + " took effect";
}

std::vector<std::string> function_words(const RunRecord& run) {
  std::vector<std::string> words;
  for (const auto& [name, outcomes] : run.coverage.functions) {
    if (words.size() == named_at_most) {
      words.push_back(and_more(run.coverage.functions.size() - words.size()));
      break;
    }
    std::string word = fmt::format("{} {} ok", clean(name, 20), grouped(outcomes.ok));
    if (outcomes.fail > 0) word += fmt::format(", {} failed", grouped(outcomes.fail));
    if (outcomes.info > 0) word += fmt::format(", {} unknown", grouped(outcomes.info));
    words.push_back(std::move(word));
  }
  return words;
}

std::vector<std::string> health_words(const RunRecord& run) {
  const Health& health = run.health;
  std::vector<std::string> words = {
      fmt::format("{}/{} nodes up at the end", health.nodes_up_at_end, health.nodes),
      fmt::format("logs collected {}/{}", health.logs_collected, health.nodes)};
  const bool any_began =
      std::any_of(run.faults.begin(), run.faults.end(),
                  [](const FaultSummary& fault) { return fault.began.has_value(); });
  const std::size_t left_on = faults_left_on(run);
  if (left_on > 0) {
    words.push_back(count(left_on, "fault") + " NOT undone");
  } else if (any_began) {
    words.emplace_back("every fault undone");
  }
  if (health.recovery) {
    words.push_back("recovered in " + duration_text(*health.recovery));
  } else if (any_began) {
    words.emplace_back("recovery not measured");
  }
  return words;
}

std::string slowest_node(const Recovery& recovery) {
  const Recovery::PerNode* slowest = nullptr;
  for (const Recovery::PerNode& node : recovery.nodes) {
    if (!node.served_after_end) return clean(node.node, 30) + " never did";
    if (slowest == nullptr || *node.served_after_end > *slowest->served_after_end) slowest = &node;
  }
  if (slowest == nullptr) return "-";
  return fmt::format("{}, {}", clean(slowest->node, 30), duration_text(*slowest->served_after_end));
}

std::string weaker_words(const Finding& finding) {
  std::string words;
  if (!finding.also_ruled_out.empty()) {
    words += fmt::format("These operations break more than that: {}.",
                         clean(join(finding.also_ruled_out, "; "), 300));
  }
  if (!finding.not_ruled_out.empty()) {
    words += fmt::format("{}Not ruled out by these operations alone: {}.", words.empty() ? "" : " ",
                         clean(join(finding.not_ruled_out, "; "), 300));
  }
  return words;
}

std::string reproduction_words(const RunRecord& run) {
  if (!run.reproduction) return {};
  const Reproduction& measured = *run.reproduction;
  std::string words = fmt::format("seen in {} of {} of the same plan", grouped(measured.seen),
                                  count(measured.runs, "run"));
  if (measured.median)
    words += fmt::format(", after {} in the median", duration_text(*measured.median));
  return words;
}

std::string seen_before_words(const Finding& finding) {
  if (!finding.seen_before) return {};
  const SeenBefore& before = *finding.seen_before;
  std::size_t runs = 0;
  std::size_t seen = 0;
  std::vector<std::string> without;
  for (const auto& of : before.versions) {
    runs += of.runs;
    seen += of.seen;
    if (of.seen == 0)
      without.push_back(fmt::format("version {} did not show it in {}",
                                    of.version.empty() ? "unknown" : clean(of.version, 40),
                                    count(of.runs, "run")));
  }
  if (runs == 0) return {};
  if (seen == 0) return fmt::format("new: none of {} showed it", count(runs, "earlier run"));
  std::string words =
      fmt::format("in {} of {}, first on {}, last on {}", grouped(seen), count(runs, "earlier run"),
                  clean(before.first.substr(0, 10), 20), clean(before.last.substr(0, 10), 20));
  if (without.size() > named_at_most) without.resize(named_at_most);
  return without.empty() ? words : words + "; " + join(without, ", ");
}

std::string tested_words(const RunRecord& run) {
  std::vector<std::string> words = {system_name(run), count(run.nodes, "node")};
  if (!run.kernel.empty()) words.push_back(clean(run.kernel, 40));
  words.push_back(nemesis_names(run));
  words.push_back(fmt::format("seed {}", run.seed));
  for (std::string& option : option_words(run)) words.push_back(std::move(option));
  words.push_back("Ordeal " + clean(run.ordeal_version, 40));
  return join(words, " · ");
}

std::string log_line_words(const LogLine& line, std::size_t width) {
  const std::string head = fmt::format("{:>8}  {}  {}  ", seconds_text(line.at),
                                       pad(clean(line.node, 12), 4), pad(clean(line.level, 6), 5));
  return head + clean(line.text, width > columns(head) ? width - columns(head) : 20);
}

std::string log_words(const RunRecord& run, const Finding& finding) {
  const FindingContext& context = finding.context;
  if (context.log_window <= Nanoseconds::zero())
    return "No server log with times is stored with this run.";
  if (context.log_lines == 0) {
    return fmt::format("The servers wrote nothing within {} of it.",
                       duration_text(context.log_window));
  }
  if (context.log.empty()) {
    return fmt::format(
        "None of the {} within {} of it is a warning, or tells of elections or data.",
        count(context.log_lines, "line"), duration_text(context.log_window));
  }
  Nanoseconds uncertainty{};
  for (const ClockOffset& clock : run.clocks)
    uncertainty = std::max(uncertainty, within_reason(clock.uncertainty));
  return fmt::format("{} of {} within {} of it, the telling ones; {}", grouped(context.log.size()),
                     count(context.log_lines, "line"), duration_text(context.log_window),
                     run.clocks.empty()
                         ? "the nodes' clocks were not measured, so lines may be out of place."
                         : fmt::format("the nodes' clock offsets are taken off (measured before "
                                       "the faults, to {}).",
                                       duration_text(uncertainty)));
}

std::string check_answer(CheckReport::Answer answer) {
  switch (answer) {
    case CheckReport::Answer::valid:
      return "pass";
    case CheckReport::Answer::invalid:
      return "FAIL";
    case CheckReport::Answer::unknown:
      break;
  }
  return "unknown";
}

}  // namespace ordeal::results
