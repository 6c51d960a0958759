#include <algorithm>

#include <fmt/format.h>

#include "results/assets.h"
#include "results/commands.h"
#include "results/html.h"
#include "results/picture.h"
#include "results/report.h"
#include "results/text.h"
#include "results/words.h"

namespace ordeal::results {

namespace {

constexpr std::size_t most_rows = 40;
constexpr std::size_t most_reasons = 40;

std::string operation_link(EventIndex id) {
  return fmt::format("<a class=\"op\" href=\"#op={0}\" data-op=\"{0}\">{0}</a>", id);
}

std::string fact(std::string_view name, const std::string& value) {
  return fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", name, value);
}

std::string facts(const RunRecord& run, const Finding& finding) {
  std::string list = "<dl class=\"facts\">\n";
  std::string promise =
      html(sentence(capitalised(finding.promise.empty() ? "not stated" : finding.promise)));
  if (const std::string words = gloss(finding.promise); !words.empty())
    promise += fmt::format(" <span class=\"dim\">{}</span>", html(words, 600));
  if (const std::string source = source_words(run, finding); !source.empty())
    promise += fmt::format("<br>{}", html(source, 800));
  if (const std::string weaker = weaker_words(finding); !weaker.empty())
    promise += fmt::format("<br><span class=\"dim\">{}</span>", html(weaker, 800));
  list += fact("Promise broken", promise);
  if (!is_remark(finding))
    list += fact("When", fmt::format("{} s into the run; {}", seconds_text(finding.at),
                                     html(sentence(surroundings(finding)), 600)));
  if (!finding.context.answered_by.empty())
    list += fact("Answered by", html(sentence(finding.context.answered_by), 600));
  list += fact("Certainty", html(sentence(capitalised(certainty(finding))), 600));
  std::string kind =
      fmt::format("<code>{}</code>: {}.", to_text(finding.kind), html(gloss(finding.kind), 600));
  if (!finding.diagnosis.empty())
    kind += " <span class=\"dim\">Why this kind:</span> " + html(sentence(finding.diagnosis), 600);
  list += fact("Diagnosis", kind);
  if (const std::string before = seen_before_words(finding); !before.empty())
    list += fact("Seen before", html(sentence(capitalised(before)), 600));
  if (const std::string measured = reproduction_words(run); !measured.empty())
    list += fact("Reproduced", html(sentence(capitalised(measured))));
  return list + "</dl>\n";
}

std::string witness(const Finding& finding) {
  if (finding.witness.empty())
    return "<p>This rests on what the nodes said of themselves, not on single operations.</p>\n";
  std::vector<std::vector<std::string>> rows;
  for (const WitnessOperation& op : finding.witness) {
    if (rows.size() == most_rows) break;
    rows.push_back(
        {operation_link(op.id), html(op.node, 30), op.role.empty() ? "-" : html(op.role, 60),
         fmt::format("{}", op.process), html(asked(op)), html(answered(op)),
         op.revision == 0 ? "" : fmt::format("{}", op.revision), seconds_text(op.invoked_at),
         op.completed_at ? seconds_text(*op.completed_at) : "never",
         op.breaks ? "<strong class=\"breaks\">◀ impossible</strong>" : ""});
  }
  return html_table({"op", "node", "its role", "#process", "asked", "answered", "#revision",
                     "#invoked (s)", "#completed (s)", ""},
                    rows, "witness");
}

std::string argument(const Finding& finding) {
  if (finding.reasons.empty()) return "<p>No argument was stored with this finding.</p>\n";
  std::string list = "<ol class=\"reasons\">\n";
  for (std::size_t i = 0; i < std::min(finding.reasons.size(), most_reasons); ++i) {
    const Reason& reason = finding.reasons[i];
    std::string evidence;
    for (std::size_t k = 0; k < std::min<std::size_t>(reason.evidence.size(), 8); ++k)
      evidence += (k == 0 ? "" : " ") + operation_link(reason.evidence[k]);
    if (!evidence.empty()) evidence = " <span class=\"evidence\">" + evidence + "</span>";
    list += fmt::format("<li>{}{}</li>\n", html(sentence(capitalised(reason.text)), 600), evidence);
  }
  return list + "</ol>\n";
}

std::string log_lines(const RunRecord& run, const Finding& finding, const std::string& root) {
  std::string text = fmt::format("<h4>In the servers’ words</h4>\n<p class=\"dim\">{}</p>\n",
                                 html(log_words(run, finding), 400));
  for (std::size_t i = 0; i < std::min<std::size_t>(run.health.holes.size(), 5); ++i)
    text += fmt::format("<p class=\"hole\">missing: {}</p>\n", html(run.health.holes[i]));
  if (finding.context.log.empty()) return text;
  text += "<div class=\"scroll\"><table class=\"log\"><tbody>\n";
  bool passed = false;
  for (const LogLine& line : finding.context.log) {
    if (!passed && line.at > finding.at) {
      passed = true;
      text += fmt::format(
          "<tr class=\"here\"><td class=\"n\">{}</td><td colspan=\"4\">the impossible answer was "
          "given</td></tr>\n",
          seconds_text(finding.at));
    }
    text += fmt::format(
        "<tr><td class=\"n\">{0}</td><td>{1}</td><td class=\"level {2}\">{2}</td><td "
        "class=\"msg\">{3}</td><td><a href=\"{4}{5}#L{6}\">{7}:{6}</a></td></tr>\n",
        seconds_text(line.at), html(line.node, 20), html(line.level, 6), html(line.text, 300), root,
        html(line.file, 200), line.line,
        html(line.file.substr(line.file.find_last_of('/') + 1), 40));
  }
  return text + "</tbody></table></div>\n";
}

std::string doubts(const Finding& finding) {
  std::string text =
      "<details><summary>If this looks wrong to you</summary>\n<ul>\n"
      "<li>Order comes from one counter, taken before a request is sent and after its answer "
      "arrived. An operation can only look longer than it was, so two that do not overlap here did "
      "not overlap.</li>\n"
      "<li>Clocks of nodes play no part; their offsets are used to place log lines and nothing "
      "else.</li>\n"
      "<li><em>failed</em> is only what the client’s table of errors calls certain not to have "
      "happened; every other error is <em>unknown</em>.</li>\n";
  for (std::size_t i = 0; i < std::min(finding.witness.size(), most_rows); ++i) {
    const WitnessOperation& op = finding.witness[i];
    text +=
        fmt::format("<li>op {}: {}{}</li>\n", operation_link(op.id), html(answer_in_full(op), 400),
                    op.rule.empty() ? "" : ". Counted as " + html(op.rule, 600) + ".");
  }
  return text + "</ul></details>\n";
}

std::string commands_html(const std::vector<Command>& commands) {
  std::string text = "<div class=\"commands\">\n";
  for (const Command& command : commands) {
    text += fmt::format(
        "<div><span class=\"dim\">{}</span><code class=\"command\" "
        "tabindex=\"0\">{}</code></div>\n",
        html(command.purpose), html(command_line(command), 4000));
  }
  return text + "</div>\n";
}

}  // namespace

std::string finding_section(const RunRecord& run, const Finding& finding, const std::string& graph,
                            const std::string& root) {
  std::string text = facts(run, finding);
  if (is_remark(finding)) return text + commands_html(finding.commands);
  const std::size_t size = finding.witness.size();
  text += fmt::format("<h4>{}</h4>\n",
                      size == 1   ? "The operation that cannot be true"
                      : size == 0 ? "What the nodes said"
                                  : fmt::format("The {} operations that cannot all be true", size));
  text += witness(finding);
  if (const auto scene = make_scene(finding, run.faults, run.leaders)) {
    text += "<div class=\"scroll\">" + draw_picture(*scene) + "</div>\n";
    if (scene->axis.has_folds())
      text +=
          "<p class=\"dim small\">To scale, except for long stretches in which nothing of this "
          "begins or ends: they are folded.</p>\n";
  }
  text += "<h4>Why that is impossible</h4>\n" + argument(finding);
  if (const std::string words = completeness(finding); !words.empty())
    text += fmt::format("<p class=\"dim\">{}</p>\n", html(words, 800));
  if (!graph.empty()) {
    text += fmt::format(
        "<details class=\"graph\"><summary>As a graph on a time axis: solid arrows are values "
        "seen, "
        "dashed ones real time</summary><div class=\"scroll\">{}</div></details>\n",
        graph);
  }
  text += log_lines(run, finding, root);
  text += doubts(finding);
  text += "<h4>Do it yourself</h4>\n" + commands_html(finding.commands);
  text += fmt::format("<p class=\"dim small\">Tested: {}. Signature: <code>{}</code></p>\n",
                      html(tested_words(run), 600), html(finding.signature, 200));
  return text;
}

std::string render_finding_page(const RunRecord& run, const Finding& finding,
                                const std::string& graph) {
  PageParts parts;
  parts.title = "FAIL: " + headline(run, finding);
  parts.css_class = "page one-finding";
  parts.body = fmt::format(
      "<header class=\"top fail\"><p class=\"verdict\"><span class=\"mark\">✕</span> FAIL</p>\n"
      "<h1>{}</h1>\n<p class=\"lead\">{}</p>\n<p class=\"meta\">Finding {} · {} · <a "
      "href=\"../../report.html#finding-{}\">the whole run</a></p></header>\n<main>\n<section "
      "class=\"card\">{}</section></main>\n",
      html(system_name(run) + " " + deed(finding.kind)),
      html(sentence(capitalised(finding.headline)), 600), finding.number, html(run.started, 40),
      finding.number, finding_section(run, finding, graph, "../../"));
  return html_page(parts);
}

}  // namespace ordeal::results
