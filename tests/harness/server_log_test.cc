#include "harness/server_log.h"

#include <catch2/catch.hpp>

namespace ordeal::harness {

TEST_CASE("times of log lines, in the forms that servers write") {
  const auto at = [](std::string_view line) { return time_of(line).value_or(Nanoseconds(-1)); };
  const Nanoseconds moment = 1'669'143'842s;
  CHECK(at(R"({"level":"info","ts":"2022-11-22T19:04:02.250Z","msg":"x"})") == moment + 250ms);
  CHECK(at("2022-11-22 19:04:02.000001 I | raft: became leader") == moment + 1us);
  CHECK(at("[2022-11-22T20:04:02+01:00] WARN lost leader") == moment);
  CHECK(at("2022-11-22T17:34:02,5-0130 x") == moment + 500ms);
  CHECK(at(R"({"ts":1669143842.5,"msg":"x"})") == moment + 500ms);
  CHECK_FALSE(time_of("no time in here 12:30"));
  CHECK_FALSE(time_of(""));
  CHECK_FALSE(time_of(R"({"ts":7})"));
}

TEST_CASE("levels and words of log lines") {
  const auto json = parse_log_line(
      R"({"level":"warn","ts":"2022-11-22T19:04:02Z","caller":"a.go:1","msg":"lost","term":7})");
  REQUIRE(json);
  CHECK(json->level == "WARN");
  CHECK(json->text == "lost  term=7");
  const auto plain = parse_log_line("2022-11-22 19:04:02 [ERROR] disk: full");
  REQUIRE(plain);
  CHECK(plain->level == "ERROR");
  CHECK(plain->text == "[ERROR] disk: full");
  const auto torn = parse_log_line(R"({"level":"info","ts":"2022-11-22T19:04:02Z","msg":"cut of)");
  REQUIRE(torn);
  CHECK(torn->level == "INFO");
}

TEST_CASE("elections tell more than warnings, and those more than the rest") {
  CHECK(rank_of({{}, "INFO", "raft.node: elected leader 7 at term 3"}) == 0);
  CHECK(rank_of({{}, "WARN", "slow disk"}) == 1);
  CHECK(rank_of({{}, "INFO", "serving client requests"}) == 2);
  CHECK(rank_of({{}, "INFO", "saved snapshot  snapshot-index=102"}) == 3);
  CHECK(rank_of({{}, "WARN", "saved snapshot  took=9s"}) == 0);
}

}  // namespace ordeal::harness
