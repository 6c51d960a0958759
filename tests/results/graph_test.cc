// Graphs are drawn by a child that is bounded in time and size; without it there is an error, and
// no more.

#include "results/graph.h"

#include <catch2/catch.hpp>

#include "results/child.h"
#include "tests/results/sample_runs.h"

namespace ordeal::results {

TEST_CASE("a child filters text, and its failure is told") {
  CHECK(run_child({"cat"}, std::string(300'000, 'x'), 20s, 1 << 20).value().size() == 300'000);
  CHECK_FALSE(run_child({"cat"}, std::string(300'000, 'x'), 20s, 1000));
  CHECK_FALSE(run_child({"false"}, std::string(1'000'000, 'x'), 20s, 1000));
  CHECK_FALSE(run_child({"/nonexistent/program"}, "", 20s, 1000));
  CHECK_FALSE(run_child({"sleep", "100"}, "", 50ms, 1000));
}

TEST_CASE("the arrows of a witness are real time and values seen") {
  const std::string graph = graph_of(failed_run().checks.front().findings.front());
  CHECK(graph.find("o8810 -> o8841") != std::string::npos);
  CHECK(graph.find("saw 3") != std::string::npos);
  CHECK(graph.find("answered 308 ms before") != std::string::npos);
  // Each stands at the moment at which it was over, and time runs to the right.
  CHECK(graph.find("t0 [label=\"61.209 s\"") != std::string::npos);
  CHECK(graph.find("rank=same; t2; o8856;") != std::string::npos);
  CHECK(graph.find("t0 -> t1 -> t2") != std::string::npos);
  // What follows from two arrows has none of its own.
  CHECK(graph.find("o8810 -> o8856 [label=\"answered") == std::string::npos);
}

TEST_CASE("a finding's own edges are drawn instead, evidence of operations it has") {
  Finding finding = failed_run().checks.front().findings.front();
  finding.edges = {{8810, 8841, "ww", "its value was replaced", {}}, {1, 2, "rw", "", {}}};
  const std::string graph = graph_of(finding);
  CHECK(graph.find("its value was replaced") != std::string::npos);
  CHECK(graph.find("saw 3") == std::string::npos);
  CHECK(graph.find("o1 ") == std::string::npos);
}

TEST_CASE("dot draws what we write, quotes and backslashes too") {
  if (!run_child({"dot", "-V"}, "", 20s, 1000)) {
    WARN("graphviz is not installed: nothing is drawn");
    return;
  }
  Finding finding = failed_run().checks.front().findings.front();
  finding.witness.front().request.key = "\"]; <b>\\";
  const auto drawn = draw_graph(graph_of(finding));
  REQUIRE(drawn);
  CHECK(drawn->rfind("<svg", 0) == 0);
  CHECK(drawn->find("<b>") == std::string::npos);
}

}  // namespace ordeal::results
