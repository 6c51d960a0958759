// Whatever a server, a client or an editor puts into a record, the pages stay well-formed: valid
// UTF-8 without control characters, tables with the right number of columns, XML that parses, and
// sizes within their limits.

#include <random>
#include <sstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <pugixml.hpp>

#include "core/json.h"
#include "results/commands.h"
#include "results/render.h"
#include "results/report.h"
#include "results/text.h"
#include "tests/results/hostile_runs.h"
#include "tests/results/sample_runs.h"

namespace ordeal::results {

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Lines that clean() has nothing to change in: valid, visible, printable.
void check_lines(const std::string& text) {
  REQUIRE((!text.empty() && text.back() == '\n'));
  for (const std::string& line : lines_of(text)) {
    if (clean(line, 1 << 20) != line) FAIL_CHECK("not clean: " << clean(line));
  }
}

// Cells of a table's row: pipes that no odd number of backslashes precedes.
std::size_t cells_of(const std::string& row) {
  std::size_t pipes = 0;
  std::size_t backslashes = 0;
  for (const char c : row) {
    if (c == '|' && backslashes % 2 == 0) ++pipes;
    backslashes = c == '\\' ? backslashes + 1 : 0;
  }
  return pipes - 1;
}

void check_markdown(const std::string& text) {
  check_lines(text);
  CHECK(text.size() <= 60 * 1024);
  std::string fence;
  std::size_t columns_now = 0;  // of the table that we are in
  for (const std::string& line : lines_of(text)) {
    if (!fence.empty()) {
      if (line == fence) fence.clear();
      continue;
    }
    if (line.rfind("```", 0) == 0) {
      fence = line.substr(0, line.find_first_not_of('`'));
      columns_now = 0;
    } else if (line.rfind("| ", 0) == 0) {
      const std::size_t cells = cells_of(line);
      if (columns_now != 0 && cells != columns_now) FAIL_CHECK("cells: " << line);
      columns_now = cells;
    } else {
      columns_now = 0;
    }
  }
  CHECK(fence.empty());
}

void check_junit(const RunRecord& run, const std::string& xml) {
  check_lines(xml);
  pugi::xml_document document;
  const auto parsed = document.load_string(xml.c_str());
  INFO(parsed.description() << " at " << parsed.offset);
  REQUIRE(parsed);
  const pugi::xml_node suite = document.child("testsuites").child("testsuite");
  const pugi::xml_node test = suite.child("testcase");
  CHECK((run.verdict == Verdict::fail) == bool(test.child("failure")));
  CHECK((run.verdict == Verdict::inconclusive || run.verdict == Verdict::broken) ==
        bool(test.child("error")));
  CHECK(suite.child("properties")
            .find_child_by_attribute("name", "seed")
            .attribute("value")
            .as_ullong() == run.seed);
  std::ostringstream out;
  test.print(out);
  CHECK(out.str().size() <= 64 * 1024);
}

// Tags that our pages are made of; what a hostile value brings along is text.
void check_html(const std::string& page) {
  for (const char* only_once : {"</html>", "<body", "</style>"}) {
    const std::size_t first = page.find(only_once);
    REQUIRE(first != std::string::npos);
    CHECK(page.find(only_once, first + 1) == std::string::npos);
  }
  // Of all that may be a tag or an attribute in hostile text nothing is left as such.
  CHECK(page.find("<img src=x") == std::string::npos);
  CHECK(page.find("<script>alert") == std::string::npos);
  const std::size_t scripts = page.find("<script");
  const std::string body = page.substr(0, scripts);
  for (const char c : body)
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n') FAIL_CHECK("a control character");
  const std::size_t data = page.find("id=\"data\">");
  if (data == std::string::npos) return;
  const std::size_t begin = data + std::string_view("id=\"data\">").size();
  const std::string json = page.substr(begin, page.find("</script>", begin) - begin);
  CHECK(parse_json(json));
}

void check_all(RunRecord run, const std::filesystem::path& directory) {
  settle_commands(run, directory);
  for (const bool unicode : {true, false}) {
    const std::string block = render_terminal(run, directory, {false, unicode});
    check_lines(block);
    CHECK(lines_of(block).size() <= 20);
    if (!unicode) CHECK(std::all_of(block.begin(), block.end(), [](char c) { return c > 0; }));
  }
  check_markdown(render_summary(run));
  check_junit(run, render_junit(run, directory));
  const std::vector<NodeSample> samples;
  check_html(render_report({run, nullptr, samples, "{\n\x1b<img src=x>}", {}, {"<img src=x>"}}));
  for (const CheckReport& check : run.checks) {
    for (const Finding& finding : check.findings) {
      check_markdown(render_finding(run, finding));
      check_html(render_finding_page(run, finding, ""));
    }
  }
}

}  // namespace

TEST_CASE("pages of hostile records stay well-formed") {
  const unsigned first = std::random_device()();
  for (unsigned seed = first; seed != first + 150; ++seed) {
    INFO("seed " << seed);
    CAPTURE(seed);
    Draw draw(seed);
    const RunRecord run = hostile_run(draw);
    check_all(run, "runs/" + clean(draw.text(), 60) + "\n`'\x1b");
  }
}

TEST_CASE("an empty record can be shown") {
  for (const Verdict verdict :
       {Verdict::pass, Verdict::fail, Verdict::inconclusive, Verdict::broken}) {
    RunRecord run;
    run.verdict = verdict;
    check_all(run, "");
    run.checks.resize(1);
    run.checks.front().findings.resize(1);
    check_all(run, ".");
  }
}

TEST_CASE("only the colour of a state is ever a control sequence") {
  for (const RunRecord& run : {passed_run(), failed_run(), inconclusive_run(), broken_run()}) {
    std::string coloured = render_terminal(run, "runs/x", {true, true});
    CHECK(coloured.find('\x1b') != std::string::npos);
    for (std::size_t at = coloured.find('\x1b'); at != std::string::npos;
         at = coloured.find('\x1b')) {
      coloured.erase(at, coloured.find('m', at) - at + 1);
    }
    CHECK(coloured == render_terminal(run, "runs/x", {false, true}));
  }
}

}  // namespace ordeal::results
