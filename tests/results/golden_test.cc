// Every renderer on every kind of ending, byte for byte. After a wanted change: UPDATE_GOLDEN=1
// results_tests, then read the difference.

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "core/file.h"
#include "results/render.h"
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

void compare_all(const std::string& name, const RunRecord& run) {
  const std::filesystem::path directory = "runs/" + run.name;
  compare(name + "/terminal.txt", render_terminal(run, directory, {}));
  compare(name + "/terminal-ascii.txt", render_terminal(run, directory, {false, false}));
  compare(name + "/terminal-colour.txt", render_terminal(run, directory, {true, true}));
  compare(name + "/summary.md", render_summary(run, directory));
  compare(name + "/junit.xml", render_junit(run, directory));
  for (const CheckReport& check : run.checks) {
    for (const Finding& finding : check.findings) {
      compare(fmt::format("{}/finding-{}.md", name, finding.number),
              render_finding(run, finding, directory));
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
