#include <sstream>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "results/render.h"
#include "results/store.h"
#include "results/text.h"
#include "results/words.h"

namespace ordeal::results {

namespace {

constexpr std::size_t case_limit = 64 * 1024;

void add_property(pugi::xml_node properties, const char* name, std::string_view value) {
  pugi::xml_node property = properties.append_child("property");
  property.append_attribute("name") = name;
  property.append_attribute("value") = clean(value, 1000).c_str();
}

void add_properties(pugi::xml_node suite, const RunRecord& run,
                    const std::filesystem::path& directory) {
  pugi::xml_node properties = suite.append_child("properties");
  add_property(properties, "verdict", to_text(run.verdict));
  add_property(properties, "system", system_name(run));
  add_property(properties, "nemesis", nemesis_names(run));
  add_property(properties, "seed", std::to_string(run.seed));
  add_property(properties, "operations", std::to_string(run.coverage.operations));
  add_property(properties, "plan", (directory / plan_file).string());
  add_property(properties, "report", (directory / summary_file).string());
  add_property(properties, "ordeal", run.ordeal_version);
  for (const auto& [name, value] : run.options) {
    add_property(properties, ("option." + clean(name, 40)).c_str(), value);
  }
}

// The pages of all findings, or the reasons with what to do about them.
std::string details(const RunRecord& run) {
  std::string text;
  for (const Finding* finding : findings_of(run)) {
    if (text.size() > case_limit) break;
    text += render_finding(run, *finding) + "\n";
  }
  for (const VerdictReason& reason : run.reasons) {
    if (text.size() > case_limit) break;
    text += fmt::format("{}: {}\n", to_text(reason.verdict), clean(reason.text, 500));
    if (!reason.advice.empty())
      text += fmt::format("  what to do: {}\n", clean(reason.advice, 500));
  }
  return text;
}

// Cut between lines, with a note; XML entities count as what they are written as.
std::string cut_to(const std::string& text, std::size_t limit) {
  std::size_t written = 0;
  std::size_t line_end = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t bytes = text[i] == '&' ? 5 : text[i] == '<' || text[i] == '>' ? 4 : 1;
    written += bytes;
    if (written > limit) return text.substr(0, line_end) + "(the rest is in the run's directory)\n";
    if (text[i] == '\n') line_end = i + 1;
  }
  return text;
}

// "2026-11-23T02:04:31Z": anything else would make the whole file invalid for some readers.
bool is_moment(std::string_view text) {
  constexpr std::string_view pattern = "0000-00-00T00:00:00Z";
  return text.size() == pattern.size() &&
         std::equal(text.begin(), text.end(), pattern.begin(), [](char c, char like) {
           return like == '0' ? c >= '0' && c <= '9' : c == like;
         });
}

void add_outcome(pugi::xml_node test, const RunRecord& run,
                 const std::filesystem::path& directory) {
  const std::string block = cut_to(render_terminal(run, directory, {}), 8 * 1024);
  if (run.verdict != Verdict::pass) {
    const auto findings = findings_of(run);
    const bool failed = run.verdict == Verdict::fail;
    pugi::xml_node problem = test.append_child(failed ? "failure" : "error");
    std::string message = headline(run);
    if (!failed && !run.reasons.empty()) message = clean(run.reasons.front().text, 400);
    const std::string_view type =
        !failed            ? run.verdict == Verdict::broken ? "environment" : "inconclusive"
        : findings.empty() ? "finding"
                           : to_text(findings.front()->kind);
    problem.append_attribute("message") = message.c_str();
    problem.append_attribute("type") = std::string(type).c_str();
    problem.append_child(pugi::node_pcdata)
        .set_value(cut_to(details(run), case_limit - 16 * 1024).c_str());
  }
  test.append_child("system-out").append_child(pugi::node_pcdata).set_value(block.c_str());
}

}  // namespace

std::string render_junit(const RunRecord& run, const std::filesystem::path& directory) {
  const std::string suite_name = clean(run.workload, 100) + " on " + clean(run.cluster, 100);
  const std::string case_name = fmt::format("{}, seed {}", nemesis_names(run), run.seed);
  const std::string seconds = seconds_text(run.duration);
  pugi::xml_document document;
  pugi::xml_node declaration = document.append_child(pugi::node_declaration);
  declaration.append_attribute("version") = "1.0";
  declaration.append_attribute("encoding") = "UTF-8";
  pugi::xml_node suite = document.append_child("testsuites").append_child("testsuite");
  suite.append_attribute("name") = suite_name.c_str();
  suite.append_attribute("tests") = 1;
  suite.append_attribute("failures") = run.verdict == Verdict::fail ? 1 : 0;
  suite.append_attribute("errors") =
      run.verdict == Verdict::inconclusive || run.verdict == Verdict::broken ? 1 : 0;
  suite.append_attribute("skipped") = 0;
  suite.append_attribute("time") = seconds.c_str();
  if (is_moment(run.started)) suite.append_attribute("timestamp") = run.started.c_str();
  add_properties(suite, run, directory);
  pugi::xml_node test = suite.append_child("testcase");
  test.append_attribute("classname") =
      (clean(run.cluster, 100) + "." + clean(run.workload, 100)).c_str();
  test.append_attribute("name") = case_name.c_str();
  test.append_attribute("time") = seconds.c_str();
  add_outcome(test, run, directory);
  std::ostringstream out;
  document.save(out, "  ", pugi::format_default, pugi::encoding_utf8);
  return out.str();
}

}  // namespace ordeal::results
