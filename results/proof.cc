#include "results/proof.h"

#include <algorithm>

#include <fmt/format.h>

#include "results/text.h"
#include "results/timeline.h"
#include "results/words.h"

namespace ordeal::results {

namespace {

constexpr std::size_t most_rows = 16;
constexpr std::size_t most_reasons = 20;
constexpr std::size_t most_evidence = 8;

std::string evidence_text(const Reason& reason) {
  if (reason.evidence.empty()) return {};
  std::vector<std::string> names;
  for (const EventIndex op : reason.evidence) {
    if (names.size() == most_evidence) {
      names.emplace_back("…");
      break;
    }
    names.push_back(fmt::format("{}", op));
  }
  return fmt::format(" *(op {})*", join(names, ", "));
}

}  // namespace

void add_witness_table(Page& page, const Finding& finding) {
  if (finding.witness.empty()) {
    page.line("This rests on what the nodes said of themselves, not on single operations.");
    return;
  }
  Table table = {{"op", "node", "its role", "process", "asked", "answered", "invoked (s)",
                  "completed (s)", ""},
                 {}};
  for (const WitnessOperation& op : finding.witness) {
    table.rows.push_back({fmt::format("{}", op.id), escaped(op.node, 30),
                          op.role.empty() ? "-" : escaped(op.role, 40),
                          fmt::format("{}", op.process), escaped(asked(op)), escaped(answered(op)),
                          seconds_text(op.invoked_at),
                          op.completed_at ? seconds_text(*op.completed_at) : "never",
                          op.breaks ? "**<- impossible**" : ""});
  }
  page.table(table, most_rows);
}

void add_picture(Page& page, const RunRecord& run, const Finding& finding) {
  const std::string picture = draw_timeline(finding, run.faults, run.leaders);
  if (picture.empty()) return;
  page.line();
  page.fenced("text", picture);
  page.line();
  const bool open =
      std::any_of(finding.witness.begin(), finding.witness.end(),
                  [](const WitnessOperation& op) { return op.outcome == Outcome::info; });
  page.line(fmt::format(
      "Each bar runs from request to answer, to scale, except where ⋯ stands for time left out.{}",
      open ? " Dots: the outcome is unknown, and it may take effect at any moment from its request "
             "on."
           : ""));
}

void add_argument(Page& page, const Finding& finding) {
  if (finding.reasons.empty()) page.line("No argument was stored with this finding.");
  for (std::size_t i = 0; i < std::min(finding.reasons.size(), most_reasons); ++i) {
    const Reason& reason = finding.reasons[i];
    page.line(fmt::format("{}. {}{}", i + 1, sentence(escaped(capitalised(reason.text), 500)),
                          evidence_text(reason)));
  }
}

}  // namespace ordeal::results
