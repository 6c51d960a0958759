#include <algorithm>

#include <fmt/format.h>

#include "results/commands.h"
#include "results/markdown.h"
#include "results/proof.h"
#include "results/render.h"
#include "results/text.h"
#include "results/words.h"

namespace ordeal::results {

namespace {

constexpr std::size_t page_limit = 60 * 1024;  // GitHub takes 64 KiB in an issue or a comment
constexpr std::size_t most_rows = 16;

void add_facts(Page& page, const RunRecord& run, const Finding& finding) {
  const std::string promise =
      finding.promise.empty() ? "not stated" : escaped(capitalised(finding.promise));
  page.line(fmt::format("**What happened.** {}", sentence(escaped(headline(run, finding), 400))));
  page.line();
  page.line(fmt::format("**Promise broken.** {} {}", sentence(promise), gloss(finding.promise)));
  if (const std::string source = source_words(run, finding); !source.empty()) {
    page.line();
    page.line("**Documented.** " + escaped(source, 600));
  }
  if (const std::string weaker = weaker_words(finding); !weaker.empty()) {
    page.line();
    page.line("**Weaker guarantees.** " + escaped(weaker, 600));
  }
  if (is_remark(finding)) return;
  page.line();
  page.line(
      fmt::format("**When.** {} s after the run began at {}; {}", seconds_text(finding.at),
                  run.started.empty() ? "a time that was not recorded" : escaped(run.started, 40),
                  sentence(escaped(surroundings(finding), 400))));
  if (!finding.context.answered_by.empty()) {
    page.line();
    page.line("**Answered by.** " + sentence(escaped(finding.context.answered_by, 400)));
  }
  page.line();
  page.line(
      fmt::format("**Certainty.** {}", sentence(escaped(capitalised(certainty(finding)), 400))));
  page.line();
  page.line(fmt::format(
      "**Kind.** `{}`: {}.{}", to_text(finding.kind), gloss(finding.kind),
      finding.diagnosis.empty() ? "" : " Why this kind: " + sentence(escaped(finding.diagnosis))));
}

void add_proof(Page& page, const RunRecord& run, const Finding& finding) {
  const std::size_t size = finding.witness.size();
  page.heading(size == 0 ? "What the nodes said"
               : size == 1
                   ? "The operation that cannot be true"
                   : fmt::format("The {} operations that cannot all be true", grouped(size)));
  add_witness_table(page, finding);
  page.line();
  page.line(
      "Times are seconds from the start of the run. *op* is the operation's index in "
      "`history.jsonl`; a *process* is "
      "one client, doing one thing at a time.");
  add_picture(page, run, finding);
  page.heading("Why that is impossible");
  add_argument(page, finding);
  if (const std::string words = completeness(finding); !words.empty()) {
    page.heading("Is anything left out?");
    page.line(escaped(words, 800));
  }
}

// "`nodes/n1/etcd.log` from line 48120": where the lines stand.
std::string log_places(const Finding& finding) {
  std::vector<std::string> places;
  std::vector<std::string> seen;
  for (const LogLine& line : finding.context.log) {
    if (std::find(seen.begin(), seen.end(), line.file) != seen.end()) continue;
    seen.push_back(line.file);
    places.push_back(fmt::format("{} from line {}", escaped(line.file, 120), line.line));
  }
  return join(places, " · ");
}

// Faults on at the violation, or near it in time, with what proves them.
void add_surroundings(Page& page, const RunRecord& run, const Finding& finding) {
  constexpr Nanoseconds near = 10s;
  const Nanoseconds at = within_reason(finding.at);
  Table table = {{"fault", "hit", "from (s)", "to (s)", "evidence"}, {}};
  for (const FaultSummary& fault : run.faults) {
    if (!fault.began || within_reason(*fault.began) > at + near) continue;
    if (fault.ended && within_reason(*fault.ended) < at - near) continue;
    table.rows.push_back(
        {escaped(fault.spec.kind, 20), escaped(fault_hit(fault), 60), seconds_text(*fault.began),
         fault.ended ? seconds_text(*fault.ended) : "not undone",
         fault.evidence.empty() ? "none" : escaped(join(fault.evidence, "; "), 160)});
  }
  if (!table.rows.empty() || !run.health.holes.empty()) page.heading("Around it");
  for (std::size_t i = 0; i < std::min<std::size_t>(run.health.holes.size(), 5); ++i) {
    page.line("- **missing evidence:** " + escaped(run.health.holes[i], 200));
  }
  if (!table.rows.empty()) {
    page.line();
    page.line("Faults within 10 s of it:");
    page.line();
    page.table(table, 6);
  }
  page.heading("In the servers' words");
  page.line(log_words(run, finding));
  if (finding.context.log.empty()) return;
  std::string lines;
  for (const LogLine& line : finding.context.log) {
    lines += log_line_words(line, 150) + "\n";
  }
  page.line();
  page.fenced("text", lines);
  page.line();
  page.line("In full: " + log_places(finding));
}

void add_commands(Page& page, const RunRecord& run, const Finding& finding) {
  page.heading("Do it yourself");
  std::string commands;
  for (const Command& command : finding.commands)
    commands += fmt::format("# {}\n{}\n", clean(command.purpose), command_line(command));
  page.fenced("sh", commands);
  page.line();
  const std::string measured = reproduction_words(run);
  page.line(
      "The same plan gives the same requests and faults; how threads and packets interleave is not "
      "repeated, so it may take several runs to see it again." +
      (measured.empty() ? "" : " Measured: " + measured + "."));
  page.line();
  page.line(fmt::format("Tested: {}. This finding as data: `findings/{}/finding.json`.",
                        escaped(tested_words(run), 400), finding.number));
  if (!finding.signature.empty()) {
    page.line();
    const std::string before = seen_before_words(finding);
    page.line(fmt::format("Signature, equal for the same trouble in other runs: {}.{}",
                          escaped(finding.signature, 160),
                          before.empty() ? "" : " Seen before: " + escaped(before, 400) + "."));
  }
}

std::string doubts(const Finding& finding) {
  std::string text =
      "\n## If this looks wrong to you\n\n"
      "- Order comes from one counter, taken before a request is sent and after its answer "
      "arrived. An operation can only "
      "look longer than it was, never shorter, so two that do not overlap here did not overlap.\n"
      "- Clocks of nodes play no part.\n"
      "- *failed* is only what the client's table of errors calls certain not to have happened; "
      "every other error "
      "is *unknown*. A wrong entry in that table is the commonest false alarm.\n";
  std::size_t shown = 0;
  for (const WitnessOperation& op : finding.witness) {
    if (++shown > most_rows) break;
    text += fmt::format("- op {}: {}", op.id, escaped(answer_in_full(op), 300));
    if (!op.rule.empty()) text += ". Counted as " + escaped(op.rule, 400);
    text += '\n';
  }
  return text;
}

}  // namespace

std::string render_finding(const RunRecord& run, const Finding& finding) {
  Page page(page_limit, doubts(finding));
  page.line(fmt::format("# FAIL: {} {}", escaped(system_name(run)), deed(finding.kind)));
  page.line();
  page.line(fmt::format("Finding {} of {} · workload {} · {} · seed {}", finding.number,
                        std::max<std::size_t>(findings_of(run).size(), 1),
                        escaped(run.workload, 40), escaped(nemesis_names(run)), run.seed));
  page.line();
  add_facts(page, run, finding);
  if (!is_remark(finding)) {
    add_proof(page, run, finding);
    add_surroundings(page, run, finding);
  }
  add_commands(page, run, finding);
  return std::move(page).finish();
}

}  // namespace ordeal::results
