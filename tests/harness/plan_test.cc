#include "harness/plan.h"

#include <algorithm>

#include <catch2/catch.hpp>

using namespace ordeal;
using namespace ordeal::harness;

namespace {

Configuration usual() {
  Configuration configuration;
  configuration.nemeses = {"partition", "kill"};
  configuration.seed = 42;
  return configuration;
}

std::string problem(const Configuration& configuration) {
  const auto plan = make_plan(configuration);
  return plan ? "" : plan.error().message;
}

}  // namespace

TEST_CASE("the same configuration and seed give the same plan, byte for byte") {
  const auto first = make_plan(usual());
  const auto second = make_plan(usual());
  REQUIRE(first);
  REQUIRE(to_page(to_json(*first)) == to_page(to_json(*second)));
  Configuration other = usual();
  other.seed = 43;
  REQUIRE(make_plan(other)->faults != first->faults);
}

TEST_CASE("a client more does not reshuffle the faults") {
  Configuration more = usual();
  more.workload_options.clients = 20;
  REQUIRE(make_plan(more)->faults == make_plan(usual())->faults);
}

TEST_CASE("a stored plan is read back to the same bytes") {
  Configuration configuration = usual();
  configuration.cluster_options.serializable_reads = true;
  configuration.cluster_options.server_flags = {"--snapshot-count=100"};
  configuration.workload_options.rate = 12.5;
  SECTION("lab") {}
  SECTION("nodes") {
    clusters::Node node;
    node.name = "n1";
    node.host = "db1";
    node.port = 2222;
    configuration.nodes.nodes = {node, node};
    configuration.nodes.nodes[1].name = "n2";
    configuration.nemeses = {"kill"};
  }
  const auto plan = make_plan(configuration);
  REQUIRE(plan);
  const std::string text = to_page(to_json(*plan));
  const auto again = plan_from_json(*parse_json(text));
  REQUIRE(again);
  REQUIRE(to_page(to_json(*again)) == text);
  REQUIRE(again->configuration.nodes == configuration.nodes);
}

TEST_CASE("what does not fit is refused with the flag's name") {
  Configuration c = usual();
  SECTION("cluster") {
    c.cluster = "etdc";
    REQUIRE_THAT(problem(c),
                 Catch::Contains("--cluster etdc") && Catch::Contains("did you mean etcd?"));
  }
  SECTION("workload") {
    c.workload = "zzz";
    REQUIRE_THAT(problem(c),
                 Catch::Contains("--workload zzz") && Catch::Contains("There is: register"));
  }
  SECTION("fault") {
    c.nemeses = {"partiton"};
    REQUIRE_THAT(problem(c), Catch::Contains("partiton") && Catch::Contains("partition"));
  }
  SECTION("too short for one fault of each kind") {
    c.time = 5s;
    REQUIRE_THAT(problem(c), Catch::Contains("--time"));
  }
  SECTION("numbers") {
    c.workload_options.group = 11;
    REQUIRE_THAT(problem(c), Catch::Contains("--group 11"));
  }
  SECTION("more nodes than the cluster takes") {
    c.nodes.lab_nodes = 8;
    REQUIRE_THAT(problem(c), Catch::Contains("8") && Catch::Contains("7"));
  }
}

TEST_CASE("a damaged plan is refused") {
  Json json = to_json(*make_plan(usual()));
  SECTION("unknown key") {
    json["sed"] = 4;
    REQUIRE_THAT(plan_from_json(json).error().message, Catch::Contains("did you mean \"seed\""));
  }
  SECTION("unknown cluster") {
    json["cluster"]["name"] = "etdc";
    REQUIRE_FALSE(plan_from_json(json));
  }
  SECTION("damaged fault") {
    json["faults"][0].erase("kind");
    REQUIRE_THAT(plan_from_json(json).error().message, Catch::Contains("fault has no \"kind\""));
  }
  SECTION("unknown fault") {
    json["faults"][0]["kind"] = "flood";
    REQUIRE_THAT(plan_from_json(json).error().message, Catch::Contains("flood"));
  }
}

TEST_CASE("all is every kind but those that are only had by name, which may be named beside it") {
  const auto has = [](const std::vector<std::string>& nemeses, const std::string& kind) {
    Configuration configuration = usual();
    configuration.nemeses = nemeses;
    configuration.time = 600s;
    const auto plan = make_plan(configuration);
    REQUIRE(plan);
    return std::any_of(plan->faults.begin(), plan->faults.end(),
                       [&](const FaultSpec& fault) { return fault.kind == kind; });
  };
  CHECK(has({"all"}, "disk"));
  CHECK_FALSE(has({"all"}, "corrupt"));
  CHECK(has({"all", "corrupt"}, "corrupt"));
  CHECK(has({"corrupt", "all"}, "disk"));
  Configuration twice = usual();
  twice.nemeses = {"all", "kill"};
  CHECK(problem(twice) == "--nemesis all: it already names kill");
}
