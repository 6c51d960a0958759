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
#include "tests/results/sample_runs.h"

namespace ordeal::results {

namespace {

class Draw {
 public:
  explicit Draw(unsigned seed) : bits_(seed) {}
  std::size_t below(std::size_t limit) { return bits_() % limit; }

  std::string text() {
    static const std::vector<std::string> pieces = {"plain",
                                                    " ",
                                                    "|",
                                                    "`",
                                                    "```",
                                                    "\n",
                                                    "\r\n",
                                                    "\t",
                                                    "\x1b[2J",
                                                    "\\",
                                                    "\\|",
                                                    "<script>",
                                                    "</script><script>alert(1)",
                                                    "<img src=x>",
                                                    "</html>",
                                                    "</style>",
                                                    "<!--",
                                                    "]]>",
                                                    "&amp;",
                                                    "--",
                                                    "#",
                                                    "\xff",
                                                    "\xc3",
                                                    "\xed\xa0\x80",
                                                    "\xe2\x80\xae",
                                                    "é",
                                                    "日本",
                                                    "\xf0\x9f\x98\x80",
                                                    "\xef\xbf\xbf",
                                                    "\xc2\x85",
                                                    std::string(1, '\0'),
                                                    "'",
                                                    "\"",
                                                    "*_~$[x](y)",
                                                    "| a | b |",
                                                    "]",
                                                    "{}",
                                                    "%s%n",
                                                    std::string(300, 'w')};
    std::string text;
    for (std::size_t i = below(9); i > 0; --i) text += pieces.at(below(pieces.size()));
    return below(40) == 0 ? text + std::string(100'000, text.empty() ? '|' : text.front()) : text;
  }
  Value value() {
    switch (below(5)) {
      case 0:
        return {};
      case 1:
        return Value(static_cast<std::int64_t>(bits_()));
      case 2:
        return Value::list({Value(text()), Value(true)});
      default:
        return Value(text());
    }
  }
  Nanoseconds time() {
    switch (below(12)) {
      case 0:
        return Nanoseconds::min();
      case 1:
        return Nanoseconds::max();
      case 2:
        return Nanoseconds(0);
      case 3:
        return -std::chrono::seconds(below(100));
      default:
        return Nanoseconds(static_cast<std::int64_t>(bits_() % 100'000'000'000U));
    }
  }
  std::optional<Nanoseconds> maybe_time() {
    return below(3) == 0 ? std::nullopt : std::optional(time());
  }

 private:
  std::mt19937_64 bits_;
};

WitnessOperation hostile_operation(Draw& draw) {
  WitnessOperation op;
  op.id = static_cast<EventIndex>(draw.below(1'000'000));
  op.process = static_cast<Process>(draw.below(1'000'000)) - 500;
  op.node = draw.text();
  op.request = {all_functions()[draw.below(all_functions().size())], draw.value(), draw.value()};
  op.outcome = static_cast<Outcome>(draw.below(3));
  op.result = draw.value();
  op.error = draw.text();
  op.invoked_at = draw.time();
  op.completed_at = draw.maybe_time();
  op.breaks = draw.below(4) == 0;
  op.rule = draw.text();
  op.role = draw.text();
  op.revision = static_cast<std::int64_t>(draw.below(3));
  return op;
}

Finding hostile_finding(Draw& draw, int number) {
  Finding finding;
  finding.number = number;
  finding.kind = static_cast<FindingKind>(draw.below(14));
  finding.headline = draw.text();
  finding.promise = draw.text();
  finding.key = draw.value();
  for (std::size_t i = draw.below(30); i > 0; --i)
    finding.witness.push_back(hostile_operation(draw));
  for (std::size_t i = draw.below(30); i > 0; --i) {
    finding.reasons.push_back({draw.text(), std::vector<EventIndex>(draw.below(20), 7)});
  }
  finding.certainty_basis = draw.text();
  finding.diagnosis = draw.text();
  finding.at = draw.time();
  if (draw.below(2) == 0) finding.context.nearest_fault = draw.text();
  if (draw.below(2) == 0) finding.context.nearest_leader_change = draw.text();
  finding.signature = draw.text();
  finding.promise_source = draw.text();
  finding.also_ruled_out = {draw.text()};
  finding.not_ruled_out = {draw.text(), draw.text()};
  finding.context.answered_by = draw.text();
  finding.context.log_window = draw.time();
  for (std::size_t i = draw.below(12); i > 0; --i) {
    finding.context.log.push_back(
        {draw.text(), draw.text(), draw.below(9), draw.time(), draw.text(), draw.text()});
    ++finding.context.log_lines;
  }
  for (std::size_t i = draw.below(4); i > 0; --i) {
    finding.edges.push_back({static_cast<EventIndex>(draw.below(9)),
                             static_cast<EventIndex>(draw.below(9)),
                             draw.text(),
                             draw.text(),
                             {}});
  }
  return finding;
}

FaultSummary hostile_fault(Draw& draw) {
  FaultSummary fault;
  fault.spec.kind = draw.text();
  fault.spec.targets = draw.text();
  for (std::size_t i = draw.below(9); i > 0; --i) fault.spec.parameters[draw.text()] = draw.value();
  fault.resolved = draw.text();
  fault.began = draw.maybe_time();
  fault.ended = draw.maybe_time();
  fault.evidence = {draw.text(), draw.text()};
  fault.took_effect = draw.below(2) == 0;
  fault.healed = draw.below(2) == 0;
  if (draw.below(2) == 0) fault.trouble = draw.text();
  return fault;
}

RunRecord hostile_run(Draw& draw) {
  RunRecord run;
  run.cluster = draw.text();
  run.workload = draw.text();
  run.version = draw.text();
  run.started = draw.text();
  run.ordeal_version = draw.text();
  run.duration = draw.time();
  run.interrupted = draw.below(2) == 0;
  run.verdict = static_cast<Verdict>(draw.below(4));
  const std::size_t many = draw.below(8) == 0 ? 400 : 5;
  for (std::size_t i = draw.below(many); i > 0; --i) run.nemeses.push_back(draw.text());
  for (std::size_t i = draw.below(many); i > 0; --i) run.options[draw.text()] = draw.text();
  for (std::size_t i = draw.below(many); i > 0; --i) {
    run.reasons.push_back({static_cast<Verdict>(draw.below(4)), draw.text(), draw.text()});
  }
  run.coverage.operations = draw.below(2) * 1'000'000;
  run.coverage.operations_during_faults = draw.below(2) * 1'000;
  for (std::size_t i = draw.below(many); i > 0; --i)
    run.coverage.functions[draw.text()] = {1'000'000, 2, 3};
  for (std::size_t i = draw.below(many); i > 0; --i) run.coverage.faults[draw.text()] = {3, 2, 1};
  for (std::size_t i = draw.below(many); i > 0; --i) run.health.holes.push_back(draw.text());
  run.health.recovery = draw.maybe_time();
  for (std::size_t i = draw.below(many); i > 0; --i) run.faults.push_back(hostile_fault(draw));
  for (std::size_t i = draw.below(many); i > 0; --i) {
    run.leaders.push_back({draw.time(), draw.text(), draw.text(), draw.below(9)});
  }
  for (std::size_t i = draw.below(many); i > 0; --i) {
    run.recoveries.push_back({static_cast<int>(draw.below(9)),
                              draw.maybe_time(),
                              draw.maybe_time(),
                              draw.maybe_time(),
                              draw.time(),
                              draw.below(9),
                              {{draw.text(), draw.maybe_time()}}});
    run.replicas.push_back({draw.text(), draw.below(2) == 0, draw.text(), 1, 2, 3, 4, draw.text()});
    run.clocks.push_back({draw.text(), draw.time(), draw.time()});
  }
  run.kernel = draw.text();
  int number = 0;
  for (std::size_t i = draw.below(6); i > 0; --i) {
    CheckReport check;
    check.checker = draw.text();
    check.answer = static_cast<CheckReport::Answer>(draw.below(3));
    check.took = draw.time();
    for (std::size_t k = draw.below(many); k > 0; --k)
      check.undecided.push_back({draw.value(), draw.text()});
    for (std::size_t k = draw.below(8); k > 0; --k)
      check.findings.push_back(hostile_finding(draw, ++number));
    run.checks.push_back(std::move(check));
  }
  return run;
}

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
