// Every renderer on every kind of ending, byte for byte. After a wanted change: UPDATE_GOLDEN=1
// results_tests, then read the difference.

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "core/file.h"
#include "results/commands.h"
#include "results/graph.h"
#include "results/render.h"
#include "results/report.h"
#include "tests/results/sample_runs.h"

namespace ordeal::results {

namespace {

void compare(const std::string& name, const std::string& rendered) {
  const std::filesystem::path file =
      std::filesystem::path(ORDEAL_SOURCE_DIR) / "tests/results/golden" / name;
  INFO(file.string());
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::filesystem::create_directories(file.parent_path());
    REQUIRE(write_file(file, rendered));
    FAIL_CHECK("rewritten; run again without UPDATE_GOLDEN");
    return;
  }
  const Result<std::string> golden = read_file(file);
  REQUIRE(golden);
  CHECK(rendered == *golden);
}

// What stands in every page alike is left out of the golden file.
std::string without_assets(std::string page) {
  for (const auto& [begin, end] :
       {std::pair{"<style>\n", "</style>"}, {"<script>\n", "</script>"}}) {
    const std::size_t from = page.find(begin);
    if (from == std::string::npos) continue;
    const std::size_t inside = from + std::string_view(begin).size();
    page.erase(inside, page.find(end, inside) - inside);
  }
  return page;
}

// A few operations, so that the page has a timeline.
History small_history() {
  HistoryBuilder builder;
  builder.set_nodes({"n1", "n4"});
  EventIndex index = 0;
  const auto add = [&](Nanoseconds at, Process process, NodeIndex node, EventType type, Function f,
                       Value value, std::string error = "") {
    Event event;
    event.index = index++;
    event.time = at;
    event.process = process;
    event.node = node;
    event.type = type;
    event.function = f;
    event.key = "x";
    event.value = std::move(value);
    event.error = std::move(error);
    REQUIRE(builder.add(std::move(event)));
  };
  add(61'204ms, 4, 0, EventType::invoke, Function::write, 3);
  add(61'209ms, 4, 0, EventType::ok, Function::write, {});
  add(62'877ms, 7, 0, EventType::invoke, Function::cas, Value::list({3, 7}));
  add(62'882ms, 7, 0, EventType::ok, Function::cas, {});
  add(63'000ms, 9, 1, EventType::invoke, Function::write, 9);
  add(63'190ms, 2, 1, EventType::invoke, Function::read, {});
  add(63'194ms, 2, 1, EventType::ok, Function::read, 3);
  add(64'000ms, 9, 1, EventType::info, Function::write, {}, "timeout: DEADLINE_EXCEEDED");
  return std::move(builder).finish();
}

void compare_all(const std::string& name, RunRecord run) {
  const std::filesystem::path directory = "runs/" + run.name;
  settle_commands(run, directory);
  compare(name + "/terminal.txt", render_terminal(run, directory, {}));
  compare(name + "/terminal-ascii.txt", render_terminal(run, directory, {false, false}));
  compare(name + "/terminal-colour.txt", render_terminal(run, directory, {true, true}));
  compare(name + "/summary.md", render_summary(run));
  compare(name + "/junit.xml", render_junit(run, directory));
  const History history = small_history();
  const std::vector<NodeSample> samples = {{240ms, "n2", true, "n2", 2, ""}};
  const bool ran = run.coverage.operations > 0;
  compare(name + "/report.html",
          without_assets(render_report(
              {run, ran ? &history : nullptr, samples, "{}\n", {}, {"plan.json", "run.json"}})));
  for (const CheckReport& check : run.checks) {
    for (const Finding& finding : check.findings) {
      compare(fmt::format("{}/finding-{}.html", name, finding.number),
              without_assets(render_finding_page(run, finding, "")));
      compare(fmt::format("{}/finding-{}.dot", name, finding.number), graph_of(finding));
      compare(fmt::format("{}/finding-{}.md", name, finding.number), render_finding(run, finding));
    }
  }
}

}  // namespace

TEST_CASE("a passed run looks as agreed") { compare_all("pass", passed_run()); }
TEST_CASE("a failed run looks as agreed") { compare_all("fail", failed_run()); }
TEST_CASE("a failed run with a fault left on looks as agreed") {
  compare_all("fail-fault-on", stale_run());
}
TEST_CASE("an inconclusive run looks as agreed") {
  compare_all("inconclusive", inconclusive_run());
}
TEST_CASE("a broken run looks as agreed") { compare_all("broken", broken_run()); }
TEST_CASE("an interrupted run looks as agreed") { compare_all("interrupted", interrupted_run()); }

}  // namespace ordeal::results
