#include <algorithm>

#include <fmt/format.h>

#include "results/commands.h"
#include "results/markdown.h"
#include "results/proof.h"
#include "results/render.h"
#include "results/store.h"
#include "results/text.h"
#include "results/words.h"

namespace ordeal::results {

namespace {

constexpr std::size_t page_limit = 60 * 1024;  // the same text fits a comment on GitHub
constexpr std::size_t most_findings = 3;       // in full; the others as a line each
constexpr std::size_t most_rows = 60;
constexpr std::size_t most_lines = 20;

void add_verdict(Page& page, const RunRecord& run) {
  page.line(fmt::format("# {}: {} on {}", to_text(run.verdict), escaped(run.workload, 40),
                        escaped(system_name(run))));
  if (findings_of(run).empty()) {
    page.line();
    page.line(fmt::format("**{}**", escaped(sentence(headline(run)), 400)));
  }
  if (run.interrupted) {
    page.line();
    page.line(
        fmt::format("The run was interrupted after {}; what was recorded until then was judged.",
                    duration_text(run.duration)));
  }
  const std::size_t left_on = faults_left_on(run);
  if (left_on > 0) {
    page.line();
    page.line(fmt::format("**{} not known to be undone: run the `ordeal heal` command below.**",
                          left_on == 1 ? "1 fault is" : grouped(left_on) + " faults are"));
  }
}

void add_reasons(Page& page, const RunRecord& run) {
  if (run.reasons.empty()) return;
  page.heading(run.verdict == Verdict::fail ? "What else went wrong" : "Why, and what to do");
  for (std::size_t i = 0; i < run.reasons.size(); ++i) {
    if (i == most_lines) {
      page.line(fmt::format("- and {} more in `run.json`", grouped(run.reasons.size() - i)));
      return;
    }
    const VerdictReason& reason = run.reasons[i];
    page.line(
        fmt::format("- {}: {}", to_text(reason.verdict), sentence(escaped(reason.text, 500))));
    if (!reason.advice.empty())
      page.line("  - what to do: " + sentence(escaped(reason.advice, 500)));
  }
}

void add_findings(Page& page, const RunRecord& run) {
  const auto findings = findings_of(run);
  for (std::size_t i = 0; i < findings.size(); ++i) {
    const Finding& finding = *findings[i];
    const std::string link =
        fmt::format("[finding {}](findings/{}/finding.md)", finding.number, finding.number);
    const std::string title = escaped(sentence(headline(run, finding)), 400);
    if (i == most_findings) {
      page.heading("More findings");
    }
    if (i == most_lines) {
      page.line(fmt::format("- and {} more in `findings/`", grouped(findings.size() - i)));
      return;
    }
    if (i >= most_findings) {
      page.line(fmt::format("- {}: {}", link, title));
      continue;
    }
    page.line();
    page.line(fmt::format("**{}** Explained in full in {}.", title, link));
    page.line();
    page.line("- when: " + sentence(escaped(surroundings(finding), 400)));
    page.line("- certainty: " + sentence(escaped(certainty(finding), 400)));
    page.line();
    add_witness_table(page, finding);
    add_picture(page, run, finding);
    page.line();
    add_argument(page, finding);
  }
}

void add_coverage(Page& page, const RunRecord& run) {
  const Coverage& coverage = run.coverage;
  page.heading("What was tested");
  if (coverage.operations == 0) {
    page.line("Nothing: no operation was made.");
    return;
  }
  Table functions = {{"function", "ok", "failed", "unknown"}, {}};
  for (const auto& [name, outcomes] : coverage.functions) {
    functions.rows.push_back(
        {escaped(name, 40), grouped(outcomes.ok), grouped(outcomes.fail), grouped(outcomes.info)});
  }
  page.line(fmt::format("{} on {} by {} through {} in {}.", count(coverage.operations, "operation"),
                        count(coverage.keys, "key"), count(run.clients, "client"),
                        count(run.nodes, "node"), duration_text(run.duration)));
  page.line();
  page.table(functions, most_rows);
  page.line();
  page.line(
      "*failed*: it certainly did not happen. *unknown*: no certain answer; it may have happened, "
      "or may still.");
  page.line();
  Table table = {{"coverage", "", ""}, {}};
  table.rows.push_back(
      {"operations during faults", grouped(coverage.operations_during_faults),
       fmt::format("{} ok ({})", grouped(coverage.ok_during_faults),
                   share(coverage.ok_during_faults, coverage.operations_during_faults))});
  table.rows.push_back({"leader changes", grouped(coverage.leader_changes),
                        fmt::format("{} by faults", grouped(coverage.leaders_deposed_by_faults))});
  table.rows.push_back(
      {"keys checked", grouped(coverage.keys_checked), "of " + grouped(coverage.keys)});
  for (const auto& [kind, faults] : coverage.faults) {
    table.rows.push_back(
        {escaped(kind, 40) + " faults", grouped(faults.took_effect) + " took effect",
         fmt::format("of {} planned, {} undone", grouped(faults.planned), grouped(faults.healed))});
  }
  page.table(table, most_rows);
}

std::string moment(const std::optional<Nanoseconds>& at) { return at ? seconds_text(*at) : "-"; }

void add_faults(Page& page, const RunRecord& run) {
  page.heading("Faults");
  if (run.faults.empty()) {
    page.line("None were planned.");
    return;
  }
  Table table = {{"#", "fault", "aim", "hit", "from (s)", "to (s)", "took effect", "evidence"}, {}};
  for (const FaultSummary& fault : run.faults) {
    std::string evidence = escaped(join(fault.evidence, "; "), 160);
    if (fault.trouble)
      evidence += (evidence.empty() ? "" : "; ") + ("**trouble:** " + escaped(*fault.trouble, 160));
    table.rows.push_back(
        {fmt::format("{}", fault.spec.id), escaped(fault.spec.kind, 20),
         escaped(fault_aim(fault), 60), escaped(fault_hit(fault), 60), moment(fault.began),
         fault.healed ? moment(fault.ended) : "**not undone**",
         fault.took_effect ? "yes" : "**no**", evidence.empty() ? "none" : evidence});
  }
  page.table(table, most_rows);
  page.line();
  page.line("Times are seconds from the start of the run.");
}

void add_nodes(Page& page, const RunRecord& run) {
  page.heading("Nodes");
  for (const std::string& word : health_words(run)) page.line("- " + capitalised(word));
  Table leaders = {{"at (s)", "from", "to", "term"}, {}};
  for (const LeaderChange& change : run.leaders) {
    leaders.rows.push_back({seconds_text(change.at),
                            change.from.empty() ? "-" : escaped(change.from, 30),
                            escaped(change.to, 30), fmt::format("{}", change.term)});
  }
  for (std::size_t i = 0; i < run.health.holes.size(); ++i) {
    if (i == most_lines) {
      page.line(
          fmt::format("- and {} more holes in `run.json`", grouped(run.health.holes.size() - i)));
      break;
    }
    page.line("- **missing:** " + escaped(run.health.holes[i], 300));
  }
  if (leaders.rows.empty()) return;
  page.line();
  page.line("Leaders, as the nodes themselves said:");
  page.line();
  page.table(leaders, 30);
}

std::string time_or_never(const std::optional<Nanoseconds>& time) {
  return time ? duration_text(*time) : "**never**";
}

void add_recovery(Page& page, const RunRecord& run) {
  if (run.recoveries.empty()) return;
  page.heading("Recovery");
  Table table = {{"#", "fault", "served again after its begin", "after its end", "slowest node",
                  "longest silence", "without a leader", "new terms"},
                 {}};
  for (const Recovery& recovery : run.recoveries) {
    const auto fault =
        std::find_if(run.faults.begin(), run.faults.end(),
                     [&](const FaultSummary& f) { return f.spec.id == recovery.fault; });
    table.rows.push_back({fmt::format("{}", recovery.fault),
                          fault == run.faults.end() ? "-" : escaped(fault->spec.kind, 20),
                          time_or_never(recovery.served_after_begin),
                          time_or_never(recovery.served_after_end),
                          escaped(slowest_node(recovery), 60),
                          recovery.longest_silence ? duration_text(*recovery.longest_silence) : "-",
                          duration_text(recovery.leaderless), fmt::format("{}", recovery.terms)});
  }
  page.table(table, most_rows);
  page.line();
  page.line(
      "*served again*: the first operation that began after that moment and was answered ok. "
      "*without a leader*: no node that a majority follows; nodes are asked ten times a second.");
}

void add_replicas(Page& page, const RunRecord& run) {
  if (run.replicas.empty()) return;
  page.line();
  page.line("At the end, when no client was at work:");
  page.line();
  Table table = {{"node", "term", "applied", "committed", "revision", "hash of the state"}, {}};
  for (const Replica& replica : run.replicas) {
    if (!replica.answers) {
      table.rows.push_back({escaped(replica.node, 30), "-", "-", "-", "-",
                            "**no answer:** " + escaped(replica.error, 120)});
      continue;
    }
    table.rows.push_back({escaped(replica.node, 30), fmt::format("{}", replica.term),
                          fmt::format("{}", replica.applied), fmt::format("{}", replica.committed),
                          fmt::format("{}", replica.revision),
                          replica.hash.empty() ? "not told" : escaped(replica.hash, 40)});
  }
  page.table(table, most_rows);
}

void add_checks(Page& page, const RunRecord& run) {
  page.heading("Checks");
  if (run.checks.empty()) {
    page.line("None was made.");
    return;
  }
  Table table = {{"checker", "answer", "keys decided", "findings", "took"}, {}};
  Table undecided = {{"undecided key", "why"}, {}};
  for (const CheckReport& check : run.checks) {
    table.rows.push_back({escaped(check.checker, 40), check_answer(check.answer),
                          fmt::format("{} of {}", grouped(check.keys_decided), grouped(check.keys)),
                          grouped(check.findings.size()), duration_text(check.took)});
    for (const CheckReport::Undecided& key : check.undecided) {
      undecided.rows.push_back({escaped(to_text(key.key), 60), escaped(key.why, 300)});
    }
  }
  page.table(table, most_rows);
  if (undecided.rows.empty()) return;
  page.line();
  page.table(undecided, most_lines);
}

// What is always there, however long the rest is.
std::string closing(const RunRecord& run) {
  std::string commands;
  for (const Command& command : run.commands) {
    commands += fmt::format("# {}\n{}\n", clean(command.purpose), command_line(command));
  }
  Page page(page_limit, "");
  page.heading("Commands");
  page.fenced("sh", commands);
  page.heading("Files");
  page.line(
      "- `plan.json` what was decided beforehand · `run.json` this page as data · `findings/` one "
      "folder a finding");
  page.line(
      "- `history.jsonl` every request and answer · `faults.jsonl` the faults, step by step · "
      "`nodes.jsonl` leaders");
  page.line("- `report.html` timeline, charts and everything else, in one file");
  page.line("- `nodes/` logs of the nodes · `junit.xml` for CI servers");
  page.line();
  const std::vector<std::string> options = option_words(run);
  page.line(fmt::format(
      "Started {} · {} · seed {} · {} · Ordeal {}.", escaped(run.started, 40),
      escaped(nemesis_names(run)), run.seed,
      options.empty() ? "default options" : "options: " + escaped(join(options, ", "), 400),
      escaped(run.ordeal_version, 40)));
  return std::move(page).finish();
}

}  // namespace

std::string render_summary(const RunRecord& run) {
  Page page(page_limit, closing(run));
  add_verdict(page, run);
  add_findings(page, run);
  add_reasons(page, run);
  add_coverage(page, run);
  add_faults(page, run);
  add_recovery(page, run);
  add_nodes(page, run);
  add_replicas(page, run);
  add_checks(page, run);
  return std::move(page).finish();
}

}  // namespace ordeal::results
