#include "nemesis/script.h"

#include <catch2/catch.hpp>

using namespace ordeal;
using namespace ordeal::nemesis;

TEST_CASE("a script says what comes when") {
  const auto script = parse_script(
      "# first the network\n"
      "at 10s partition leader for 8s one_way=mute\n"
      "after 2s kill followers for 5s   # and then\n"
      "\n"
      "at 1s pause one for 4s mode=flapping period_ms=300 when=\"log became leader\"\n",
      "faults.txt", Rng(1));
  if (!script) FAIL(script.error().message);
  REQUIRE(script->size() == 3);
  const FaultSpec &pause = (*script)[0], &partition = (*script)[1], &kill = (*script)[2];
  CHECK(pause.id == 1);
  CHECK(pause.targets == "one");
  CHECK(*pause.parameters.at("when").as_string() == "log became leader");
  CHECK(*pause.parameters.at("period_ms").as_integer() == 300);
  CHECK(partition.begin == 10s);
  CHECK(partition.duration == 8s);
  CHECK(*partition.parameters.at("shape").as_string() == "leader");
  CHECK(*partition.parameters.at("one_way").as_string() == "mute");
  CHECK(kill.begin == 20s);
  CHECK(kill.targets == "followers");
  CHECK(pause.draw != kill.draw);
}

TEST_CASE("a script that cannot be read names the line") {
  for (const std::string line :
       {"partition leader for 8s", "at 10 partition leader for 8s", "at 10s partition leader",
        "at 10s flood leader for 8s", "at 10s kill one for 0s", "at 10s kill one for 5s mode",
        "at 10s kill one for 5s mode=hopping", "at 10s kill one for 5s when=never",
        "at 10s kill \"one for 5s"}) {
    const auto script = parse_script("# good\n" + line + "\n", "faults.txt", Rng(1));
    INFO(line);
    REQUIRE_FALSE(script);
    CHECK(script.error().message.rfind("faults.txt, line 2: ", 0) == 0);
  }
}
