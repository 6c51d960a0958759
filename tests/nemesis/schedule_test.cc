#include "nemesis/schedule.h"

#include <set>

#include <catch2/catch.hpp>

#include "core/json.h"
#include "nemesis/fault.h"

using namespace ordeal;
using namespace ordeal::nemesis;

namespace {

std::string text(const std::vector<FaultSpec>& schedule) {
  Json json = Json::array();
  for (const FaultSpec& spec : schedule) json.push_back(to_json(spec));
  return json.dump();
}

ScheduleOptions options(Nanoseconds time) {
  ScheduleOptions wanted;
  wanted.kinds = {"partition", "kill"};
  wanted.time = time;
  return wanted;
}

}  // namespace

TEST_CASE("the same seed draws the same schedule, byte for byte, and another seed another one") {
  std::set<std::string> all;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto once = draw_schedule(options(60s), Rng(seed), 5);
    const auto twice = draw_schedule(options(60s), Rng(seed), 5);
    REQUIRE(once);
    REQUIRE(twice);
    CHECK(*once == *twice);
    all.insert(text(*once));
  }
  CHECK(all.size() == 50);
}

TEST_CASE("schedules keep quiet at both ends, leave calm between, and leave no kind out") {
  for (const Nanoseconds time :
       {Nanoseconds(13800ms), Nanoseconds(20s), Nanoseconds(60s), Nanoseconds(300s)}) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      INFO("seed " << seed << ", " << to_text(time));
      const ScheduleOptions wanted = options(time);
      const auto schedule = draw_schedule(wanted, Rng(seed), 5);
      REQUIRE(schedule);
      Nanoseconds free = wanted.quiet_start;
      std::set<std::string> kinds;
      int id = 0;
      for (const FaultSpec& spec : *schedule) {
        CHECK(spec.id == ++id);
        CHECK(spec.begin >= free);
        CHECK(spec.duration >= wanted.duration * 3 / 5);
        CHECK(spec.duration <= wanted.duration * 7 / 5);
        free = spec.begin + spec.duration + wanted.calm * 3 / 5;
        CHECK(spec.begin + spec.duration <= time - wanted.quiet_end);
        kinds.insert(spec.kind);
        // Kinds take turns: after an even number of faults both have come as often.
        if (id % 2 == 0) {
          CHECK(spec.kind != (*schedule)[static_cast<std::size_t>(id) - 2].kind);
        }
      }
      CHECK(kinds.size() == 2);
      // Nothing more would fit for certain.
      CHECK(free + wanted.calm + wanted.duration * 7 / 5 > time - wanted.quiet_end - wanted.calm);
    }
  }
}

TEST_CASE("all targets and shapes come up over the seeds") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto schedule = draw_schedule(options(60s), Rng(seed), 5);
    REQUIRE(schedule);
    for (const FaultSpec& spec : *schedule) {
      if (spec.kind == "kill") seen.insert(spec.targets);
      if (spec.kind == "partition") seen.insert(*spec.parameters.at("shape").as_string());
    }
  }
  CHECK(seen == std::set<std::string>{"leader", "one", "minority", "majority", "all", "halves",
                                      "majority-ring", "bridge", "followers", "leader-minority",
                                      "random"});
}

TEST_CASE("a time too short for one fault of each kind is refused with the time it takes") {
  const auto schedule = draw_schedule(options(13799ms), Rng(1), 5);
  REQUIRE_FALSE(schedule);
  CHECK(schedule.error().message.find("13.80 s") != std::string::npos);
  CHECK(draw_schedule(options(13800ms), Rng(1), 5));
}

TEST_CASE("unknown kinds and too few nodes are refused") {
  ScheduleOptions wanted = options(60s);
  CHECK_FALSE(draw_schedule(wanted, Rng(1), 1));  // nothing to partition
  wanted.kinds = {"kil"};
  const auto schedule = draw_schedule(wanted, Rng(1), 5);
  REQUIRE_FALSE(schedule);
  CHECK(schedule.error().message.find("partition, packets, kill") != std::string::npos);
  wanted.kinds.clear();
  const auto none = draw_schedule(wanted, Rng(1), 5);
  REQUIRE(none);
  CHECK(none->empty());
}
