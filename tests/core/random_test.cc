#include "core/random.h"

#include <algorithm>
#include <numeric>

#include <catch2/catch.hpp>

using namespace ordeal;

TEST_CASE("a stream depends on seed and name alone") {
  Rng root(42);
  Rng before = root.fork("nemesis");
  for (int i = 0; i < 100; ++i) (void)root.next();
  Rng after = root.fork("nemesis");
  Rng other = root.fork("worker/3");
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const auto drawn = before.next();
    REQUIRE(drawn == after.next());
    differs = differs || drawn != other.next();
  }
  REQUIRE(differs);
}

TEST_CASE("the streams of a seed are the same for ever") {
  // Changing these numbers changes what every stored seed means.
  Rng rng(42);
  REQUIRE(rng.next() == 1546998764402558742U);
  REQUIRE(Rng(42).fork("nemesis").next() == 11915269466315787895U);
}

TEST_CASE("below is uniform and in range") {
  Rng rng(7);
  std::vector<int> counts(7, 0);
  for (int i = 0; i < 70000; ++i) ++counts.at(rng.below(7));
  for (const int count : counts)
    REQUIRE(std::abs(count - 10000) < 500);  // five standard deviations
}

TEST_CASE("between includes both ends, over the whole range of integers too") {
  Rng rng(7);
  bool low = false;
  bool high = false;
  for (int i = 0; i < 1000; ++i) {
    const auto drawn = rng.between(std::int64_t{-2}, std::int64_t{2});
    REQUIRE((drawn >= -2 && drawn <= 2));
    low = low || drawn == -2;
    high = high || drawn == 2;
  }
  REQUIRE((low && high));
  (void)rng.between(std::numeric_limits<std::int64_t>::min(),
                    std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("shuffle keeps the items and reaches every order") {
  Rng rng(1);
  std::vector<int> seen(6, 0);
  for (int i = 0; i < 600; ++i) {
    std::vector<int> items = {0, 1, 2};
    rng.shuffle(items);
    ++seen.at(static_cast<std::size_t>(items[0] * 2 + (items[1] > items[2] ? 1 : 0)));
    std::sort(items.begin(), items.end());
    REQUIRE(items == std::vector<int>{0, 1, 2});
  }
  for (const int count : seen) REQUIRE(count > 50);
}
