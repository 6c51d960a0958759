#include "results/node_life.h"

#include <catch2/catch.hpp>

namespace ordeal::results {

TEST_CASE("a node's life is told from what it answered") {
  const std::vector<NodeSample> samples = {
      {1s, "n1", true, "n1", 2, ""},       {1s, "n2", true, "n1", 2, ""},
      {4s, "n1", false, "", 0, "refused"}, {5s, "n1", false, "", 0, "timed out"},
      {5s, "n2", true, "n2", 3, ""},       {7s, "n1", true, "n2", 3, ""},
      {9s, "n1", false, "", 0, "refused"}};
  const auto lives = lives_of(samples, 10s);
  REQUIRE(lives.size() == 2);
  CHECK(lives[0].node == "n1");
  CHECK(lives[0].led == Nanoseconds(3s));
  CHECK(lives[0].silences == 2);
  CHECK(lives[0].longest_silence == Nanoseconds(3s));
  CHECK(lives[1].led == Nanoseconds(5s));
  CHECK(lives[1].silences == 0);
  CHECK(lives_of({}, 10s).empty());
}

}  // namespace ordeal::results
