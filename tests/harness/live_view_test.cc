#include "harness/live_view.h"

#include <catch2/catch.hpp>

#include "results/text.h"

namespace ordeal::harness {

namespace {

LiveState state() {
  LiveState now;
  now.title = "register × etcd 3.4.23 · seed 42 · 3 nodes";
  now.elapsed = 44s;
  now.planned = 2min;
  now.ok = 48'000;
  now.fail = 200;
  now.info = 10;
  now.latencies.counts.at(LatencyCounts::bucket(2ms)) = 99;
  now.latencies.counts.at(LatencyCounts::bucket(40ms)) = 2;
  now.nodes = {{1s, "n1", true, "n2", 7, ""},
               {1s, "n2", true, "n2", 7, ""},
               {1s, "n3", false, "", 0, "down"}};
  now.faults_on = {"kill n3, 4 s left"};
  now.faults_done = "partition 2";
  now.warnings = {"no cas has succeeded yet"};
  return now;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

}  // namespace

TEST_CASE("the block says how a run stands") {
  LiveHistory history;
  history.seconds = 5;
  history.before.ok = 42'210;
  history.per_second = {10, 20, 40};
  const std::string block = joined(live_block(state(), history, {110, false, true}));
  INFO(block);
  for (const char* part : {"register × etcd 3.4.23", "00:44 / 02:00", "48,210", "1200/s",
                           "ok 99.6 %", "n1 ● t7", "n2 ★ leader t7", "n3 ✕", "kill n3, 4 s left",
                           "done: partition 2", "no cas has succeeded yet"})
    CHECK(block.find(part) != std::string::npos);
  CHECK(block.find('\x1b') == std::string::npos);
}

TEST_CASE("who is asked gets a line for each node, each client that waits and each fault") {
  LiveState now = state();
  now.clients = {"client 3 on n2: write, for 812 ms"};
  const std::string dump = joined(live_dump(now));
  for (const char* part : {"n1: follows n2 in term 7", "n2: leader in term 7",
                           "n3: does not answer: down", "client 3 on n2", "fault on: kill n3"})
    CHECK(dump.find(part) != std::string::npos);
  CHECK(joined(live_block(now, {}, {110, false, true})).find("keys") == std::string::npos);
  now.keys_are_read = now.faults_held = true;
  const std::string block = joined(live_block(now, {}, {110, false, true}));
  for (const char* part : {"held back", "f: let faults go on", "q: end"})
    CHECK(block.find(part) != std::string::npos);
}

TEST_CASE("no line is wider than the terminal, whatever its width and characters") {
  for (const bool unicode : {true, false}) {
    for (std::size_t width = 1; width < 130; ++width) {
      for (const std::string& line : live_block(state(), {}, {width, false, unicode})) {
        if (results::columns(line) > width) FAIL_CHECK(width << ": " << line);
        if (!unicode)
          for (const char c : line) CHECK(c > 0);
      }
    }
  }
}

TEST_CASE("colour is the only control sequence") {
  std::string coloured = joined(live_block(state(), {}, {100, true, true}));
  CHECK(coloured.find('\x1b') != std::string::npos);
  for (std::size_t at = coloured.find('\x1b'); at != std::string::npos; at = coloured.find('\x1b'))
    coloured.erase(at, coloured.find('m', at) - at + 1);
  CHECK(coloured == joined(live_block(state(), {}, {100, false, true})));
}

TEST_CASE("latencies are told to a quarter of a power of two, of the last seconds only") {
  LatencyCounts before;
  LatencyCounts now;
  CHECK_FALSE(now.quantile(0.5, before));
  before.counts.at(LatencyCounts::bucket(1s)) = now.counts.at(LatencyCounts::bucket(1s)) = 1000;
  for (const Nanoseconds latency : {2ms, 2ms, 2ms, 50ms})
    ++now.counts.at(LatencyCounts::bucket(latency));
  const double p50 = static_cast<double>(now.quantile(0.5, before)->count()) / 1e6;
  CHECK(p50 == Approx(2).epsilon(0.15));
  const double max = static_cast<double>(now.quantile(1, before)->count()) / 1e6;
  CHECK(max == Approx(50).epsilon(0.15));
  CHECK(LatencyCounts::bucket(-5ns) == 0);
  CHECK(LatencyCounts::bucket(Nanoseconds::max()) == 95);
}

}  // namespace ordeal::harness
