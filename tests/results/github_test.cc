// What GitHub sees: at most ten annotations, nothing that it would take for a command of its own,
// and a summary that stops growing before GitHub drops it.

#include "results/github.h"

#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "tests/results/sample_runs.h"

namespace ordeal::results {

TEST_CASE("findings are errors, reasons are warnings, and a pass says nothing") {
  CHECK(render_annotations(passed_run()).empty());
  const auto failed = render_annotations(failed_run());
  REQUIRE(failed.size() == 1);
  CHECK(failed.front().rfind("::error title=Ordeal%3A FAIL::etcd 3.4.23 lost an", 0) == 0);
  const auto open = render_annotations(inconclusive_run());
  REQUIRE_FALSE(open.empty());
  CHECK(open.front().rfind("::warning title=Ordeal%3A INCONCLUSIVE::", 0) == 0);
  CHECK(render_annotations(broken_run()).front().rfind("::error", 0) == 0);
}

TEST_CASE("there are ten annotations at most, each on one line") {
  RunRecord run = inconclusive_run();
  run.reasons.assign(40, {Verdict::inconclusive, "100 %\n::error::mine", ""});
  const auto lines = render_annotations(run);
  REQUIRE(lines.size() == 10);
  CHECK(lines.front().find('\n') == std::string::npos);
  CHECK(lines.front().find("100 %25") != std::string::npos);
  CHECK(lines.back().find("and 31 more") != std::string::npos);
}

TEST_CASE("a job's summary grows run by run and stops below GitHub's limit") {
  const auto file =
      std::filesystem::temp_directory_path() / ("ordeal-summary-" + std::to_string(::getpid()));
  std::ofstream(file) << "earlier\n";
  REQUIRE(append_job_summary(file, failed_run()));
  CHECK(std::filesystem::file_size(file) > 1000);
  for (int i = 0; i < 400; ++i) REQUIRE(append_job_summary(file, failed_run()));
  CHECK(std::filesystem::file_size(file) <= 1000 * 1024);
  CHECK(std::filesystem::file_size(file) > 800 * 1024);
  std::filesystem::remove(file);
}

}  // namespace ordeal::results
