// JUnit reports against the schema that stands beside this file, read by somebody else's parser
// (xmllint, from libxml2-utils).

#include <catch2/catch.hpp>

#include "results/child.h"
#include "results/render.h"
#include "tests/results/hostile_runs.h"
#include "tests/results/sample_runs.h"

namespace ordeal::results {

namespace {

// What the schema says against it; empty: nothing. Absent: xmllint is not here.
std::optional<std::string> complaint(const std::string& xml) {
  const std::string schema = std::string(ORDEAL_SOURCE_DIR) + "/tests/results/junit.xsd";
  if (!run_child({"xmllint", "--version"}, "", 20s, 1 << 16)) return std::nullopt;
  const auto valid =
      run_child({"xmllint", "--noout", "--nonet", "--schema", schema, "-"}, xml, 20s, 1 << 20);
  return valid ? "" : valid.error().message;
}

}  // namespace

TEST_CASE("JUnit reports are valid, whatever is in them") {
  if (!complaint("<testsuites/>")) {
    WARN("xmllint is not installed: nothing is validated");
    return;
  }
  REQUIRE(complaint("<testsuites/>") != "");  // the schema can say no
  for (const RunRecord& run : {passed_run(), failed_run(), stale_run(), inconclusive_run(),
                               broken_run(), interrupted_run()}) {
    INFO(run.name);
    CHECK(complaint(render_junit(run, "runs/x")) == "");
  }
  const unsigned first = std::random_device()();
  for (unsigned seed = first; seed != first + 20; ++seed) {
    CAPTURE(seed);
    Draw draw(seed);
    CHECK(complaint(render_junit(hostile_run(draw), "runs/x")) == "");
  }
}

}  // namespace ordeal::results
