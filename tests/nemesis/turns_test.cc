#include "nemesis/turns.h"

#include <set>

#include <catch2/catch.hpp>

#include "nemesis/schedule.h"

using namespace ordeal;
using namespace ordeal::nemesis;

namespace {

Injection on_nodes(std::size_t count) {
  Injection injection;
  for (std::size_t node = 0; node < count; ++node) {
    injection.actions.emplace_back();
    injection.actions.back().node = node;
  }
  return injection;
}

FaultSpec spec(const std::string& kind, const std::string& mode) {
  FaultSpec fault;
  fault.kind = kind;
  fault.duration = 4s;
  if (!mode.empty()) fault.parameters["mode"] = mode;
  return fault;
}

}  // namespace

TEST_CASE("a fault without a mode is on from begin to end") {
  const auto turns = turns_of(spec("kill", ""), on_nodes(3));
  REQUIRE(turns.size() == 1);
  CHECK(turns[0].actions.size() == 3);
  CHECK(turns[0].on == 4s);
  CHECK(turns[0].off == 0s);
}

TEST_CASE("a flapping fault fills its time with turns, and ends with its time") {
  for (const int period : {100, 300, 1000, 3000, 9000}) {
    FaultSpec fault = spec("pause", "flapping");
    fault.parameters["period_ms"] = period;
    const auto turns = turns_of(fault, on_nodes(2));
    Nanoseconds total{};
    for (const Turn& turn : turns) {
      CHECK(turn.actions.size() == 2);
      CHECK(turn.on <= std::chrono::milliseconds(period));
      total += turn.on + turn.off;
    }
    CHECK(total <= fault.duration);
    CHECK(total + std::chrono::milliseconds(period) >= fault.duration);
  }
}

TEST_CASE("a rolling fault visits every node once") {
  const auto turns = turns_of(spec("restart", "rolling"), on_nodes(5));
  REQUIRE(turns.size() == 5);
  for (std::size_t i = 0; i < turns.size(); ++i) {
    REQUIRE(turns[i].actions.size() == 1);
    CHECK(turns[i].actions[0].node == i);
    CHECK(turns[i].on == 800ms);
  }
}

TEST_CASE("modes that a kind cannot do are refused") {
  CHECK(check_mode(spec("pause", "flapping"), *fault_named("pause")));
  CHECK(check_mode(spec("pause", "rolling"), *fault_named("pause")));
  CHECK_FALSE(check_mode(spec("restart", "flapping"), *fault_named("restart")));
  CHECK_FALSE(check_mode(spec("partition", "rolling"), *fault_named("partition")));
  CHECK_FALSE(check_mode(spec("kill", "hopping"), *fault_named("kill")));
  FaultSpec hasty = spec("kill", "flapping");
  hasty.parameters["period_ms"] = 5;
  CHECK_FALSE(check_mode(hasty, *fault_named("kill")));
}

TEST_CASE("company touches something else, and leaves the calm alone") {
  ScheduleOptions options;
  for (const auto& fault : faults()) options.kinds.emplace_back(fault->kind());
  options.time = 300s;
  options.overlap = 2;
  std::size_t together = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    INFO("seed " << seed);
    const auto schedule = draw_schedule(options, Rng(seed), 5);
    REQUIRE(schedule);
    CHECK(*schedule == *draw_schedule(options, Rng(seed), 5));
    for (std::size_t i = 0; i < schedule->size(); ++i) {
      const FaultSpec& fault = (*schedule)[i];
      CHECK(fault.id == static_cast<int>(i) + 1);
      CHECK(fault.begin + fault.duration <= options.time - options.quiet_end);
      CHECK(check_mode(fault, *fault_named(fault.kind)));
      if (i == 0) continue;
      const FaultSpec& before = (*schedule)[i - 1];
      if (before.begin + before.duration <= fault.begin) continue;
      ++together;
      CHECK(fault_named(fault.kind)->touches() != fault_named(before.kind)->touches());
      CHECK(fault.begin + fault.duration <= before.begin + before.duration);
      CHECK(before.targets != "all");
      CHECK(fault.targets != "all");
    }
  }
  CHECK(together > 100);
}

TEST_CASE("never more at once than was asked for, and never all nodes harmed for long") {
  ScheduleOptions options;
  for (const auto& fault : faults()) options.kinds.emplace_back(fault->kind());
  options.time = 300s;
  std::size_t of_all = 0;
  for (const bool swarm : {false, true}) {
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
      INFO("seed " << seed << (swarm ? ", swarm" : ""));
      options.overlap = 2;
      options.swarm = swarm;
      const auto schedule = draw_schedule(options, Rng(seed), 5);
      REQUIRE(schedule);
      for (const FaultSpec& fault : *schedule) {
        const Nanoseconds end = fault.begin + fault.duration;
        std::size_t at_once = 0;
        for (const FaultSpec& other : *schedule) {
          at_once += other.begin < end && fault.begin < other.begin + other.duration ? 1U : 0U;
        }
        CHECK(at_once <= options.overlap);
        if (fault.targets != "all" || text_of(fault, "mode") == "rolling") continue;
        ++of_all;
        CHECK(fault.duration <= options.longest_for_all);
        CHECK(at_once == 1);
      }
      // Calm comes after every fault and its company.
      Nanoseconds busy{};
      for (const FaultSpec& fault : *schedule) {
        if (fault.begin < busy) continue;  // company
        CHECK(fault.begin - busy >= (swarm ? 600ms : options.calm * 3 / 5));
        busy = fault.begin + fault.duration;
      }
    }
  }
  CHECK(of_all > 50);
}

TEST_CASE("a swarm draws what takes part, and is repeatable") {
  ScheduleOptions options;
  for (const auto& fault : faults()) options.kinds.emplace_back(fault->kind());
  options.time = 60s;
  options.swarm = true;
  std::set<std::set<std::string>> casts;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const auto schedule = draw_schedule(options, Rng(seed), 5);
    REQUIRE(schedule);
    CHECK_FALSE(schedule->empty());
    CHECK(*schedule == *draw_schedule(options, Rng(seed), 5));
    std::set<std::string> cast;
    for (const FaultSpec& fault : *schedule) cast.insert(fault.kind);
    casts.insert(cast);
  }
  CHECK(casts.size() > 20);
}
