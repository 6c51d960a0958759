#include "results/timeline.h"

#include <random>
#include <sstream>

#include <catch2/catch.hpp>

#include "results/axis.h"
#include "results/text.h"
#include "tests/results/sample_runs.h"

namespace ordeal::results {

namespace {

Nanoseconds ms(std::int64_t milliseconds) { return std::chrono::milliseconds(milliseconds); }

std::string lane_of(const std::string& picture, const std::string& name) {
  std::istringstream in(picture);
  for (std::string line; std::getline(in, line);) {
    if (line.rfind(name, 0) == 0) return line;
  }
  return {};
}

}  // namespace

TEST_CASE("without long gaps the axis is to scale") {
  const Axis axis({ms(0), ms(10), ms(20), ms(40)});
  CHECK_FALSE(axis.has_folds());
  CHECK(axis.column(ms(20)) == 2 * axis.column(ms(10)));
  CHECK(axis.column(ms(40)) == 4 * axis.column(ms(10)));
  CHECK(axis.column(ms(5)) == axis.column(ms(10)) / 2);
  CHECK(axis.column(ms(-5)) == 0);
  CHECK(axis.column(ms(99)) == axis.width() - 1);
}

TEST_CASE("a long gap is folded and its length is written down") {
  const Axis axis({ms(0), ms(2), ms(9'002), ms(9'004)});
  CHECK(axis.has_folds());
  CHECK(axis.ruler().find("⋯ 9.00 s ⋯") != std::string::npos);
  CHECK(axis.column(ms(2)) >= 5);  // what is not folded has the room
  CHECK(columns(axis.ruler()) == axis.width());
}

TEST_CASE("different moments have different columns, in their order") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937_64 bits(seed);
  for (int round = 0; round < 200; ++round) {
    std::vector<Nanoseconds> marks;
    for (std::size_t i = 1 + bits() % 30; i > 0; --i) {
      marks.emplace_back(
          static_cast<std::int64_t>(bits() % (std::uint64_t{1} << (1 + bits() % 40))));
    }
    const Axis axis(marks);
    std::sort(marks.begin(), marks.end());
    for (std::size_t i = 1; i < marks.size(); ++i) {
      CHECK((axis.column(marks[i - 1]) < axis.column(marks[i])) == (marks[i - 1] < marks[i]));
    }
    CHECK(columns(axis.ruler()) == axis.width());
    CHECK(axis.width() <= 64 + 2 * marks.size() + 60);
  }
}

TEST_CASE("the picture shows the operations, the fault before them and the leaders") {
  const RunRecord run = failed_run();
  const std::string picture =
      draw_timeline(run.checks.front().findings.front(), run.faults, run.leaders);
  CHECK(lane_of(picture, "8810 n1").find("├─┤ write x 3: ok") != std::string::npos);
  CHECK(lane_of(picture, "8856 n4").find("read x: 3  <- impossible") != std::string::npos);
  CHECK(lane_of(picture, "partition").find("n1 n2 n3 | n4 n5") != std::string::npos);
  CHECK(lane_of(picture, "leader").find("n1, term 6") != std::string::npos);
  CHECK(lane_of(picture, "leader").find("n4, term 7") != std::string::npos);
  CHECK(picture.find("kill") == std::string::npos);  // 9 s later
}

TEST_CASE("an unknown outcome stays open to the end") {
  const RunRecord run = stale_run();
  const std::string picture =
      draw_timeline(run.checks.front().findings.front(), run.faults, run.leaders);
  CHECK(lane_of(picture, "131 n2").find("·> write k17 10: no answer") != std::string::npos);
  CHECK(lane_of(picture, "120 n1").find("┤·> write k17 9: unknown") != std::string::npos);
  CHECK(lane_of(picture, "partition").find("█>") != std::string::npos);
}

TEST_CASE("a finding without operations has no picture") {
  CHECK(draw_timeline({}, {}, {}).empty());
}

}  // namespace ordeal::results
