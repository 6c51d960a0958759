#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "results/commands.h"
#include "results/render.h"
#include "results/store.h"
#include "results/text.h"
#include "results/words.h"

namespace ordeal::results {

namespace {

constexpr std::size_t label_width = 13;
constexpr std::size_t text_width = 100 - label_width;
constexpr std::size_t most_checks = 3;
constexpr std::size_t most_lines = 20;
constexpr std::size_t longest_name = 24;  // of a checker

// Lines of "  label  text".
class Block {
 public:
  explicit Block(const TerminalStyle& style) : style_(style) {}

  void line(std::string_view label, std::string_view text) {
    put(pad(shown(label), label_width), shown(text));
  }
  void verdict(Verdict verdict, std::string_view text) {
    const std::string word(to_text(verdict));
    const std::vector<std::string> lines = wrap(text, text_width, 2);
    put(coloured(word, verdict) + std::string(label_width - word.size(), ' '),
        lines.empty() ? "" : shown(lines.front()));
    for (std::size_t i = 1; i < lines.size(); ++i) line("", lines[i]);
  }
  void check(std::string_view label, const CheckReport& check, std::size_t name_width,
             std::string_view rest) {
    using Answer = CheckReport::Answer;
    const std::string word = pad(check_answer(check.answer), 8);
    const Verdict like = check.answer == Answer::valid     ? Verdict::pass
                         : check.answer == Answer::invalid ? Verdict::fail
                                                           : Verdict::inconclusive;
    put(pad(label, label_width), shown(pad(clean(check.checker, longest_name), name_width)) +
                                     coloured(word, like) + shown(rest));
  }
  void paragraph(std::string_view label, std::string_view text, std::size_t max_lines) {
    for (const std::string& part : wrap(text, text_width, max_lines)) {
      line(label, part);
      label = "";
    }
  }
  // Lines break only between the pieces.
  void pieces(std::string_view label, const std::vector<std::string>& pieces,
              std::size_t max_lines) {
    std::string current;
    for (const std::string& piece : pieces) {
      const std::string longer = current.empty() ? piece : current + " · " + piece;
      if (!current.empty() && max_lines > 1 && columns(longer) > text_width) {
        line(label, clean(current, text_width));
        label = "";
        current = piece;
        --max_lines;
      } else {
        current = longer;
      }
    }
    line(label, clean(current, text_width));
  }
  // A command or a file is never cut, so that it can be copied.
  void path(std::string_view label, std::string_view command, const std::filesystem::path& path) {
    put(pad(label, label_width), std::string(command) + shell_word(path.string(), !style_.unicode));
  }
  void command(std::string_view label, const std::vector<Command>& commands,
               std::string_view subcommand) {
    const std::string line = command_line(commands, subcommand, !style_.unicode);
    if (!line.empty()) put(pad(label, label_width), line);
  }
  [[nodiscard]] std::size_t lines() const { return lines_.size(); }
  // The first lines; a last one says that some were left out.
  [[nodiscard]] std::string text(std::size_t limit) const {
    std::string text;
    const bool cut = lines_.size() > limit;
    for (std::size_t i = 0; i < (cut ? limit - 1 : lines_.size()); ++i) text += lines_[i];
    return cut ? text + "  " + pad("more", label_width) + "in the report\n" : text;
  }

 private:
  void put(const std::string& label, const std::string& text) {
    lines_.push_back("  " + label + text + "\n");
  }
  [[nodiscard]] std::string shown(std::string_view text) const {
    return style_.unicode ? std::string(text) : to_ascii(text);
  }
  [[nodiscard]] std::string coloured(const std::string& text, Verdict state) const {
    if (!style_.colour) return text;
    constexpr std::array codes = {"32", "1;31", "33", "1;35"};  // by Verdict
    return fmt::format("\x1b[{}m{}\x1b[0m", codes.at(static_cast<std::size_t>(state)), text);
  }

  TerminalStyle style_;
  std::vector<std::string> lines_;
};

// A history that was judged by itself: nobody knows of what cluster.
bool is_bare(const RunRecord& run) { return run.cluster.empty(); }

void add_run(Block& block, const RunRecord& run) {
  const std::string on_keys =
      count(run.coverage.operations, "operation") + " on " + count(run.coverage.keys, "key");
  if (is_bare(run)) {
    block.pieces("history", {clean(run.workload, 40), on_keys}, 2);
    return;
  }
  std::vector<std::string> pieces = {
      fmt::format("{} × {}", clean(run.workload, 40), system_name(run)), nemesis_names(run)};
  if (run.coverage.operations > 0) {
    pieces.push_back(duration_text(run.duration));
    pieces.push_back(on_keys);
  } else {
    pieces.emplace_back("no operation was made");
  }
  pieces.push_back(count(run.clients, "client"));
  pieces.push_back(count(run.nodes, "node"));
  pieces.push_back(fmt::format("seed {}", run.seed));
  for (std::string& option : option_words(run)) pieces.push_back(std::move(option));
  block.pieces("run", pieces, 2);
}

void add_coverage(Block& block, const RunRecord& run) {
  const Coverage& coverage = run.coverage;
  if (is_bare(run)) {
    if (!coverage.functions.empty()) block.pieces("operations", function_words(run), 2);
    return;
  }
  std::vector<std::string> pieces = {fault_words(run)};
  if (coverage.operations_during_faults > 0) {
    pieces.push_back(share(coverage.ok_during_faults, coverage.operations_during_faults) +
                     " ok meanwhile");
  }
  if (coverage.operations > 0) {
    const std::string by_faults =
        coverage.faults.empty() ? ""
                                : fmt::format(", {} by faults", coverage.leaders_deposed_by_faults);
    pieces.push_back(count(coverage.leader_changes, "leader change") + by_faults);
  }
  block.pieces("coverage", pieces, 2);
  if (!coverage.functions.empty()) block.pieces("operations", function_words(run), 2);
  block.pieces("health", health_words(run), 2);
  const auto& holes = run.health.holes;
  if (holes.empty()) return;
  const std::string more = holes.size() == 1 ? "" : fmt::format(" (and {} more)", holes.size() - 1);
  block.line("missing", clean(holes.front(), text_width - more.size()) + more);
}

void add_checks(Block& block, const RunRecord& run) {
  std::string_view label = "checks";
  if (run.checks.empty()) block.line(label, "none was made");
  std::size_t name_width = 0;
  for (const CheckReport& check : run.checks)
    name_width = std::max(name_width, columns(clean(check.checker, longest_name)) + 2);
  for (std::size_t i = 0; i < run.checks.size(); ++i) {
    if (i + 1 == most_checks && run.checks.size() > most_checks) {
      block.line("", fmt::format("and {} more", run.checks.size() - i));
      return;
    }
    const CheckReport& check = run.checks[i];
    std::string said = check.findings.empty() ? "" : count(check.findings.size(), "finding");
    if (check.keys > 0) {
      said += fmt::format("{}{} of {} decided in {}", said.empty() ? "" : ", ",
                          grouped(check.keys_decided), count(check.keys, "key"),
                          duration_text(check.took));
    }
    block.check(label, check, name_width, said);
    label = "";
  }
}

// At most two lines of reasons and two of advice.
void add_reasons(Block& block, const RunRecord& run) {
  const auto& reasons = run.reasons;
  std::string_view label = run.verdict == Verdict::fail ? "also" : "because";
  for (std::size_t i = 0; i < std::min<std::size_t>(reasons.size(), 2); ++i) {
    if (i == 1 && reasons.size() > 2) {
      block.line("", fmt::format("and {} more reasons, see the report", reasons.size() - 1));
      break;
    }
    block.paragraph(label, clean(reasons[i].text, 400), i == 0 ? 2 : 1);
    label = "";
  }
  const auto advised =
      std::find_if(reasons.begin(), reasons.end(),
                   [](const VerdictReason& reason) { return !reason.advice.empty(); });
  if (advised != reasons.end()) block.paragraph("do", clean(advised->advice, 400), 2);
}

}  // namespace

std::string render_terminal(const RunRecord& run, const std::filesystem::path& directory,
                            const TerminalStyle& style) {
  Block facts(style);  // what was done, most of it cut if the rest needs the room
  add_run(facts, run);
  add_coverage(facts, run);
  add_checks(facts, run);

  Block outcome(style);
  const auto findings = findings_of(run);
  const bool found = run.verdict == Verdict::fail && !findings.empty();
  outcome.verdict(run.verdict, headline(run));
  if (run.verdict == Verdict::pass) outcome.line("", "It has earned a biscuit.");
  if (found) {
    const Finding& first = *findings.front();
    outcome.paragraph("when", clean(surroundings(first), 2 * text_width), 2);
    if (!first.context.answered_by.empty())
      outcome.paragraph("by", clean(first.context.answered_by, 2 * text_width), 2);
  }
  add_reasons(outcome, run);
  if (faults_left_on(run) > 0) outcome.command("undo faults", run.commands, "heal");
  if (command_line(run.commands, "run").empty()) {  // a bare history has no pages
    outcome.command("again", run.commands, "check");
  } else {
    const std::string number = found ? std::to_string(findings.front()->number) : "";
    outcome.path(
        "read", "",
        found ? directory / findings_folder / number / "finding.md" : directory / summary_file);
    outcome.path("look", "", directory / report_file);
    outcome.command("again", run.commands, "run");
  }
  return facts.text(most_lines - 1 - outcome.lines()) + "\n" + outcome.text(most_lines);
}

}  // namespace ordeal::results
