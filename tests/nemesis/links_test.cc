// Which links each shape cuts, judged from the definition of the shape for every number of nodes.

#include "nemesis/links.h"

#include <algorithm>

#include <catch2/catch.hpp>

using ordeal::FaultSpec;
using ordeal::Rng;
using ordeal::nemesis::draw_links;
using ordeal::nemesis::Links;
using ordeal::nemesis::resolve_links;

namespace {

using Set = std::set<std::size_t>;

std::vector<std::string> names(std::size_t count) {
  std::vector<std::string> list;
  for (std::size_t i = 1; i <= count; ++i) list.push_back("n" + std::to_string(i));
  return list;
}

FaultSpec spec(const std::string& shape, const std::string& one_way, std::uint64_t draw) {
  FaultSpec fault;
  fault.id = 1;
  fault.kind = "partition";
  fault.parameters["shape"] = shape;
  if (!one_way.empty()) fault.parameters["one_way"] = one_way;
  fault.draw = draw;
  return fault;
}

Links cut(const std::string& shape, std::size_t nodes, std::uint64_t draw,
          const std::string& one_way = "", std::optional<std::size_t> leader = std::nullopt) {
  INFO(shape << " of " << nodes << " nodes, draw " << draw << " " << one_way);
  auto links = resolve_links(spec(shape, one_way, draw), names(nodes), leader);
  REQUIRE(links);
  REQUIRE(links->deaf_to.size() == nodes);
  return *links;
}

bool symmetric(const Links& links) {
  for (std::size_t a = 0; a < links.deaf_to.size(); ++a) {
    for (const std::size_t b : links.deaf_to[a]) {
      if (links.deaf_to[b].count(a) == 0) return false;
    }
  }
  return true;
}

// The node itself and all that it hears.
Set view(const Links& links, std::size_t node) {
  Set seen;
  for (std::size_t other = 0; other < links.deaf_to.size(); ++other) {
    if (links.deaf_to[node].count(other) == 0) seen.insert(other);
  }
  return seen;
}

// What each node hears, for partitions in which that makes the nodes fall into whole groups.
std::set<Set> groups(const Links& links) {
  std::set<Set> all;
  for (std::size_t node = 0; node < links.deaf_to.size(); ++node) all.insert(view(links, node));
  return all;
}

std::size_t minority(std::size_t nodes) { return nodes <= 2 ? 1 : (nodes - 1) / 2; }

}  // namespace

TEST_CASE("halves split into the largest minority and the rest, at random") {
  for (std::size_t nodes = 2; nodes <= 7; ++nodes) {
    std::set<std::set<Set>> different;
    for (std::uint64_t draw = 0; draw < 40; ++draw) {
      const Links links = cut("halves", nodes, draw);
      CHECK(symmetric(links));
      const auto parts = groups(links);
      REQUIRE(parts.size() == 2);
      Set all;
      for (const Set& part : parts) all.insert(part.begin(), part.end());
      CHECK(all.size() == nodes);
      CHECK(parts.begin()->size() + parts.rbegin()->size() == nodes);
      CHECK(std::min(parts.begin()->size(), parts.rbegin()->size()) == minority(nodes));
      different.insert(parts);
    }
    CHECK((nodes == 2 || different.size() > 2));
  }
}

TEST_CASE("one cuts a random node off, leader the leader") {
  for (std::size_t nodes = 2; nodes <= 7; ++nodes) {
    Set lonely;
    for (std::uint64_t draw = 0; draw < 60; ++draw) {
      const Links links = cut("one", nodes, draw);
      CHECK(symmetric(links));
      for (std::size_t node = 0; node < nodes; ++node) {
        const std::size_t deaf = links.deaf_to[node].size();
        if (deaf == nodes - 1) lonely.insert(node);
        CHECK((deaf == nodes - 1 || deaf == 1));
      }
    }
    CHECK(lonely.size() == nodes);
    for (std::size_t leader = 0; leader < nodes; ++leader) {
      const Links links = cut("leader", nodes, 7, "", leader);
      CHECK(view(links, leader) == Set{leader});
      CHECK(links.resolved.rfind("n" + std::to_string(leader + 1) + " | ", 0) == 0);
      for (std::size_t node = 0; node < nodes; ++node) {
        if (node != leader) CHECK(links.deaf_to[node] == Set{leader});
      }
    }
  }
}

TEST_CASE("without a known leader one is drawn, and the ledger will say so") {
  Set lonely;
  for (std::uint64_t draw = 0; draw < 60; ++draw) {
    const Links links = cut("leader", 5, draw);
    CHECK(links.resolved.find("(no leader known") != std::string::npos);
    for (std::size_t node = 0; node < 5; ++node) {
      if (links.deaf_to[node].size() == 4) lonely.insert(node);
    }
  }
  CHECK(lonely.size() == 5);
}

TEST_CASE("a bridge is two halves that only one node joins") {
  for (std::size_t nodes = 3; nodes <= 7; ++nodes) {
    for (std::uint64_t draw = 0; draw < 40; ++draw) {
      const Links links = cut("bridge", nodes, draw);
      CHECK(symmetric(links));
      std::size_t middle = nodes;
      for (std::size_t node = 0; node < nodes; ++node) {
        if (links.deaf_to[node].empty()) middle = node;
      }
      REQUIRE(middle < nodes);
      std::set<Set> halves;
      for (std::size_t node = 0; node < nodes; ++node) {
        if (node == middle) continue;
        Set half = view(links, node);
        CHECK(half.erase(middle) == 1);
        halves.insert(half);
      }
      REQUIRE(halves.size() == 2);
      CHECK(halves.begin()->size() + halves.rbegin()->size() == nodes - 1);
      CHECK(std::min(halves.begin()->size(), halves.rbegin()->size()) == (nodes - 1) / 2);
    }
  }
}

TEST_CASE("in a majority ring every node sees a majority, and no two the same one") {
  for (std::size_t nodes = 3; nodes <= 15; ++nodes) {
    for (std::uint64_t draw = 0; draw < 20; ++draw) {
      const Links links = cut("majority-ring", nodes, draw);
      CHECK(symmetric(links));
      std::set<Set> views;
      std::size_t seen = 0;
      for (std::size_t node = 0; node < nodes; ++node) {
        const Set mine = view(links, node);
        CHECK(mine.size() >= nodes / 2 + 1);
        views.insert(mine);
        seen += mine.size();
      }
      CHECK(views.size() == nodes);
      // As few links as possible: with an odd sum of degrees one node must see one more.
      const std::size_t majority = nodes / 2 + 1;
      CHECK(seen <= nodes * majority + (nodes * (majority - 1)) % 2);
    }
  }
}

TEST_CASE("one way cuts one direction of each link: mute is the reverse of deaf") {
  for (const std::string shape : {"halves", "one", "majority-ring", "bridge", "leader"}) {
    for (std::size_t nodes = 3; nodes <= 7; ++nodes) {
      for (std::uint64_t draw = 0; draw < 20; ++draw) {
        const std::size_t leader = draw % nodes;
        const Links both = cut(shape, nodes, draw, "", leader);
        const Links mute = cut(shape, nodes, draw, "mute", leader);
        const Links deaf = cut(shape, nodes, draw, "deaf", leader);
        for (std::size_t a = 0; a < nodes; ++a) {
          for (std::size_t b = 0; b < nodes; ++b) {
            CHECK(mute.deaf_to[a].count(b) == deaf.deaf_to[b].count(a));
            CHECK(mute.deaf_to[a].count(b) + deaf.deaf_to[a].count(b) == both.deaf_to[a].count(b));
          }
        }
        if (shape == "one") {
          const std::string lonely = both.resolved.substr(0, both.resolved.find(' '));
          CHECK(mute.resolved.find("cut one way: " + lonely + " to ") != std::string::npos);
          CHECK(deaf.resolved.find(" to " + lonely) != std::string::npos);
        }
        if (shape == "leader") {
          CHECK(deaf.deaf_to[leader].size() == nodes - 1);  // it hears nothing
          CHECK(mute.deaf_to[leader].empty());              // it is not heard
        }
      }
    }
  }
}

TEST_CASE("what cannot be cut is refused in words") {
  CHECK_FALSE(resolve_links(spec("halves", "", 1), names(1), std::nullopt));
  CHECK_FALSE(resolve_links(spec("majority-ring", "", 1), names(2), std::nullopt));
  CHECK_FALSE(resolve_links(spec("bridge", "", 1), names(2), std::nullopt));
  const auto unknown = resolve_links(spec("halve", "", 1), names(5), std::nullopt);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().message.find("halves, one, majority-ring") != std::string::npos);
  CHECK_FALSE(resolve_links(spec("halves", "both", 1), names(5), std::nullopt));
  FaultSpec number = spec("halves", "", 1);
  number.parameters["shape"] = 3;
  CHECK_FALSE(resolve_links(number, names(5), std::nullopt));
}

TEST_CASE("every drawn partition can be carried out, and every shape and direction is drawn") {
  for (std::size_t nodes = 2; nodes <= 7; ++nodes) {
    Rng rng(nodes);
    std::set<std::string> drawn;
    for (int i = 0; i < 300; ++i) {
      const FaultSpec fault = draw_links(rng, nodes);
      const auto links =
          resolve_links(fault, names(nodes), i % 2 == 0 ? std::optional(0U) : std::nullopt);
      REQUIRE(links);
      const auto heard_by_all = std::all_of(links->deaf_to.begin(), links->deaf_to.end(),
                                            [](const Set& deaf) { return deaf.empty(); });
      CHECK_FALSE(heard_by_all);
      const auto way = fault.parameters.find("one_way");
      drawn.insert(*fault.parameters.at("shape").as_string() + " " +
                   (way == fault.parameters.end() ? "both" : *way->second.as_string()));
    }
    CHECK(drawn.size() == (nodes < 3 ? 9U : nodes < 5 ? 18U : 21U));
  }
}
