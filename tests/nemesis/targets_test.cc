#include "nemesis/targets.h"

#include <set>

#include <catch2/catch.hpp>

using namespace ordeal;
using namespace ordeal::nemesis;

namespace {

Arena arena(std::size_t nodes, std::optional<std::size_t> leader) {
  Arena field;
  for (std::size_t i = 1; i <= nodes; ++i) {
    field.nodes.push_back("n" + std::to_string(i));
    field.zones.push_back(i % 2 == 0 ? "east" : "west");
  }
  field.leader = leader;
  return field;
}

Result<Targets> resolve(const std::string& rule, const Arena& field, std::uint64_t draw = 1) {
  FaultSpec spec;
  spec.targets = rule;
  spec.draw = draw;
  return resolve_targets(spec, field);
}

}  // namespace

TEST_CASE("every rule means the nodes that it says") {
  for (std::size_t count = 1; count <= 7; ++count) {
    for (std::uint64_t draw = 0; draw < 40; ++draw) {
      const std::size_t leader = draw % count;
      const Arena field = arena(count, leader);
      const auto nodes = [&](const std::string& rule) {
        const auto targets = resolve(rule, field, draw);
        REQUIRE(targets);
        return std::set<std::size_t>(targets->nodes.begin(), targets->nodes.end());
      };
      const std::size_t minority = std::max<std::size_t>((count - 1) / 2, 1);
      CHECK(nodes("one").size() == 1);
      CHECK(nodes("minority").size() == minority);
      CHECK(nodes("majority").size() == count / 2 + 1);
      CHECK(nodes("all").size() == count);
      CHECK(nodes("leader") == std::set<std::size_t>{leader});
      CHECK(nodes("leader-minority").size() == minority);
      CHECK(nodes("leader-minority").count(leader) == 1);
      CHECK(nodes("followers").size() == std::max<std::size_t>(count - 1, 1));
      if (count > 1) CHECK(nodes("followers").count(leader) == 0);
      for (const std::size_t node : nodes("zone:west")) CHECK(field.zones[node] == "west");
      CHECK(nodes("zone:west").size() == (count + 1) / 2);
      CHECK(nodes("n1") == std::set<std::size_t>{0});
      if (count > 2) CHECK(nodes("n3,n1,n3") == std::set<std::size_t>{0, 2});
    }
  }
}

TEST_CASE("targets that there are not are refused in words") {
  const Arena field = arena(3, std::nullopt);
  CHECK(resolve("leader", field)->resolved.find("no leader known") != std::string::npos);
  CHECK_FALSE(resolve("n4", field));
  CHECK_FALSE(resolve("zone:north", field));
  CHECK_FALSE(resolve("", field));
  CHECK_FALSE(resolve("n1,", field));
  Arena homeless = field;
  homeless.zones = {"", "", ""};
  CHECK_FALSE(resolve("zone", homeless));
  const auto unknown = resolve("followes", field);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().message.find("followers") != std::string::npos);
}
