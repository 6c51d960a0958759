// Inventories and nodes: what is accepted, and that what is not says why.

#include "clusters/node.h"

#include <cstdlib>

#include <catch2/catch.hpp>

namespace ordeal::clusters {
namespace {

std::string refusal(std::string_view json) {
  const auto parsed = parse_inventory(json, "lab.json");
  return parsed ? "accepted" : parsed.error().message;
}
std::string node_refusal(std::string_view text) {
  const auto parsed = parse_node(text, 1);
  return parsed ? "accepted" : parsed.error().message;
}

}  // namespace

TEST_CASE("a node of the command line may be in a zone") {
  const auto node = parse_node("root@db1:2222,zone=east", 2);
  REQUIRE(node);
  CHECK(node->host == "db1");
  CHECK(node->port == 2222);
  CHECK(node->zone == "east");
  CHECK(node_refusal("db1,zone=").find(",zone=NAME") != std::string::npos);
  CHECK(node_refusal("db1,room=3").find(",zone=NAME") != std::string::npos);
}

TEST_CASE("an inventory of everything comes back as it was") {
  const auto parsed = parse_inventory(
      R"({"schema":1,"network_namespace":"/proc/7/ns/net","nodes":[
        {"name":"n1","host":"10.0.0.1","port":2222,"user":"admin","identity":"/k",
         "known_hosts":"/h",
         "address":"192.168.0.1","zone":"a"},
        {"name":"n2","host":"fd00::2"}]})",
      "lab.json");
  REQUIRE(parsed);
  REQUIRE(parsed->nodes.size() == 2);
  const Node& first = parsed->nodes[0];
  CHECK(first.port == 2222);
  CHECK(first.user == "admin");
  CHECK(first.identity == "/k");
  CHECK(first.known_hosts == "/h");
  CHECK(first.service_address() == "192.168.0.1");
  CHECK(first.zone == "a");
  const Node& second = parsed->nodes[1];
  CHECK(second.port == 0);
  CHECK(second.service_address() == "fd00::2");
  CHECK(parsed->network_namespace == "/proc/7/ns/net");
  const auto again = parse_inventory(to_json_text(*parsed), "lab.json");
  REQUIRE(again);
  CHECK(*again == *parsed);
}

TEST_CASE("the home of the user is expanded in paths only") {
  const auto parsed = parse_inventory(
      R"({"nodes":[{"name":"n1","host":"h","identity":"~/.ssh/id","known_hosts":"~x/y"}]})", "f");
  REQUIRE(parsed);
  REQUIRE(std::getenv("HOME") != nullptr);
  CHECK(parsed->nodes[0].identity == std::string(std::getenv("HOME")) + "/.ssh/id");
  CHECK(parsed->nodes[0].known_hosts == "~x/y");
}

TEST_CASE("a wrong inventory is refused in words") {
  using Catch::Contains;
  CHECK_THAT(refusal(R"({"nodes":[{"name":"n1","host":"h","prot":22}]})"),
             Contains("lab.json") && Contains("prot") && Contains("did you mean \"port\""));
  CHECK_THAT(refusal(R"({"node":[]})"), Contains("did you mean \"nodes\""));
  CHECK_THAT(refusal(R"({"nodes":[{"name":"n1","host":"h","port":"22"}]})"), Contains("port"));
  CHECK_THAT(refusal(R"({"nodes":[{"name":"n1","host":"h","port":70000}]})"), Contains("port"));
  CHECK_THAT(refusal(R"({"nodes":[{"name":"n1"}]})"), Contains("host"));
  CHECK_THAT(refusal(R"({"nodes":[{"name":"n1","host":"a"},{"name":"n1","host":"b"}]})"),
             Contains("n1"));
  CHECK_THAT(refusal(R"({"nodes":[{"name":"../n1","host":"a"}]})"), Contains("../n1"));
  CHECK_THAT(refusal(R"({"nodes":[{"name":"n1","host":"-oProxyCommand=x"}]})"),
             Contains("not a host name"));
  CHECK_THAT(refusal(R"({"nodes":[]})"), Contains("no nodes"));
  CHECK_THAT(refusal(R"({"nodes":{}})"), Contains("nodes"));
  CHECK_THAT(refusal(R"({"schema":2,"nodes":[{"name":"n1","host":"a"}]})"), Contains("schema 2"));
  CHECK_THAT(refusal("{"), Contains("lab.json") && Contains("JSON"));
  CHECK_THAT(refusal("[]"), Contains("object"));
}

TEST_CASE("nodes of the command line") {
  const auto is = [](std::string_view text, std::string_view user, std::string_view host,
                     int port) {
    const auto node = parse_node(text, 3);
    INFO(text);
    REQUIRE(node);
    CHECK(node->name == "n3");
    CHECK(node->user == user);
    CHECK(node->host == host);
    CHECK(node->port == port);
  };
  is("db1", "", "db1", 0);
  is("db1:2222", "", "db1", 2222);
  is("admin@db1", "admin", "db1", 0);
  is("admin@10.0.0.1:22", "admin", "10.0.0.1", 22);
  is("root@[fd00::1]:2222", "root", "fd00::1", 2222);
  is("[::1]", "", "::1", 0);
  is("fd00::1", "", "fd00::1", 0);
  is("me@corp@db1", "me@corp", "db1", 0);

  using Catch::Contains;
  CHECK_THAT(node_refusal(""), Contains("host is empty"));
  CHECK_THAT(node_refusal("@db1"), Contains("user"));
  CHECK_THAT(node_refusal("root@"), Contains("host is empty"));
  CHECK_THAT(node_refusal("db1:"), Contains("not a port"));
  CHECK_THAT(node_refusal("db1:0"), Contains("not a port"));
  CHECK_THAT(node_refusal("db1:65536"), Contains("not a port"));
  CHECK_THAT(node_refusal("db1:22x"), Contains("not a port"));
  CHECK_THAT(node_refusal("[::1"), Contains("]"));
  CHECK_THAT(node_refusal("[::1]22"), Contains(":PORT"));
}

TEST_CASE("entering a network that is not there says so") {
  using Catch::Contains;
  CHECK(enter_network(Inventory{}));
  Inventory gone;
  gone.network_namespace = "/proc/self/ns/no-such-thing";
  const auto entered = enter_network(gone);
  REQUIRE_FALSE(entered);
  CHECK_THAT(entered.error().message, Contains("no-such-thing") && Contains("lab"));
  Inventory wrong;
  wrong.network_namespace = "/proc/self/ns/uts";
  const auto refused = enter_network(wrong);
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message, Contains("not a network namespace") || Contains("root"));
}

}  // namespace ordeal::clusters
