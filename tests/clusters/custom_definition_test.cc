// The TOML of a custom cluster: what it says for each node, and that whatever is wrong in it is an
// error with its line and, where one is near, the right word.

#include <catch2/catch.hpp>

#include "clusters/custom/commands.h"
#include "core/random.h"

namespace ordeal::clusters::custom {
namespace {

const std::string good = R"([cluster]
name = "mydb"
promise = "linearizable"

[options]
mode = "safe"

[node]
setup = ["echo {name} >{dir}/who"]
start = ["{dir}/mydb", "--id={id}", "--peers={peers}", "--others={others}", "--mode={mode}", "{{}}"]
other_start = ["{dir}/mydb-2", "--id={id}"]
peer = "{id}={host}:7001"
environment = { HOME = "{data}" }
ready = { tcp = "{host}:7000", within = "5s" }
logs = ["audit.log"]
data = ["/var/lib/mydb"]

[leader]
url = "http://{host}:7002/"
leader = "/raft/leader"

[client]
command = ["./client", "{host}:7000"]
functions = ["read", "write"]
fail = { nope = "it says so" }
)";

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

std::string complaint(const std::string& text) {
  const auto parsed = parse_definition(text, "mydb.toml", {});
  return parsed ? "" : parsed.error().message;
}

std::vector<Node> three() {
  std::vector<Node> nodes(3);
  for (std::size_t i = 0; i < 3; ++i) {
    nodes[i].name = "n" + std::to_string(i + 1);
    nodes[i].host = "10.0.0." + std::to_string(i + 1);
  }
  return nodes;
}

}  // namespace

TEST_CASE("custom: every text is filled in for its node") {
  const auto definition = parse_definition(good, "mydb.toml", {{"mode", "fast"}});
  REQUIRE(definition);
  const NodeCommands n2 = commands_for(*definition, three(), 1);
  const std::vector<std::string> start(n2.server.command.begin() + 4, n2.server.command.end());
  CHECK(start == std::vector<std::string>{"/var/lib/ordeal/custom/mydb/mydb", "--id=2",
                                          "--peers=1=10.0.0.1:7001,2=10.0.0.2:7001,3=10.0.0.3:7001",
                                          "--others=1=10.0.0.1:7001,3=10.0.0.3:7001", "--mode=fast",
                                          "{}"});
  CHECK(n2.other_start.find("/var/lib/ordeal/custom/mydb/mydb-2") != std::string::npos);
  CHECK(n2.setup == std::vector<std::string>{"echo n2 >/var/lib/ordeal/custom/mydb/who"});
  CHECK(n2.server.environment == std::vector<std::string>{"HOME=/var/lib/ordeal/custom/mydb/data"});
  CHECK(n2.ready.tcp == "10.0.0.2:7000");
  CHECK(n2.leader_url == "http://10.0.0.2:7002/");
  CHECK(n2.client == std::vector<std::string>{"./client", "10.0.0.2:7000"});
  CHECK(n2.logs.back() == "/var/lib/ordeal/custom/mydb/audit.log");
  CHECK(n2.data.back() == "/var/lib/mydb");
  CHECK(definition->client.fail.at("nope") == "it says so");
  const std::string told = describe(*definition, three());
  for (const char* word : {"--id=3", "SIGKILL", "10.0.0.1:7000 within 5.00 s", "echo n2"})
    CHECK_THAT(told, Catch::Contains(word));
}

TEST_CASE("custom: what is wrong is told with its line and the word that was meant") {
  struct Case {
    const char *what, *by, *complaint;
  };
  const Case cases[] = {
      {"promise", "promises",
       "mydb.toml:3: [cluster] has no key \"promises\"; did you mean "
       "\"promise\"?"},
      {"name = \"mydb\"\n", "", "mydb.toml:1: [cluster] has no \"name\", which it needs"},
      {"\"mydb\"", "7", "mydb.toml:2: \"name\" of [cluster] must be a text in quotes"},
      {"\"mydb\"", "\"My DB\"", "mydb.toml:2: the name of a cluster is made of"},
      {"[leader]", "[laeder]", "did you mean \"leader\"?"},
      {"{peers}", "{pers}",
       "mydb.toml:10: {pers} in \"--peers={pers}\" is no placeholder here; did "
       "you mean {peers}?"},
      {"\"{host}:7001\"", "\"{peers}\"", ""},
      {"{mode}", "{mode", "opens a brace and does not close it"},
      {"\"5s\"", "5", "\"within\" of ready must be a duration in quotes"},
      {"tcp = \"{host}:7000\"", "tcp = \"{host}:7000\", log = \"up\"",
       "ready must have exactly one of tcp, http, command and log"},
      {"\"/raft/leader\"", "\"raft.leader\"", "is no JSON pointer"},
      {"\"write\"", "\"wirte\"", "there is no function \"wirte\"; did you mean \"write\"?"},
      {"\"./client\", \"{host}:7000\"", "\"./client\", \"{dir}\"", "{dir} in \"{dir}\""},
      {"[client]", "[client", "mydb.toml:22: not TOML"},
  };
  for (const Case& one : cases) {
    if (good.find(one.what) == std::string::npos) continue;
    CAPTURE(one.what, one.by);
    CHECK_THAT(complaint(replaced(good, one.what, one.by)), Catch::Contains(one.complaint));
  }
  const auto unknown = parse_definition(good, "mydb.toml", {{"mood", "x"}});
  REQUIRE_FALSE(unknown);
  CHECK_THAT(unknown.error().message, Catch::Contains("did you mean mode?"));
}

TEST_CASE("custom: any mutilation of the file is an error or a definition, never a crash") {
  const std::uint64_t seed = GENERATE(as<std::uint64_t>(), 1, 2);
  CAPTURE(seed);
  Rng rng(seed);
  std::size_t refused = 0;
  for (int round = 0; round < 1500; ++round) {
    std::string text = good;
    for (std::uint64_t n = 1 + rng.below(3); n > 0; --n) {
      const std::size_t at = rng.below(text.size());
      if (rng.chance(0.5)) {
        text.erase(at, 1 + rng.below(8));
      } else {
        text[at] = static_cast<char>(rng.below(256));
      }
    }
    const auto parsed = parse_definition(text, "mydb.toml", {});
    if (!parsed) {
      ++refused;
      CHECK_FALSE(parsed.error().message.empty());
    } else if (!parsed->start.empty()) {
      CHECK_FALSE(describe(*parsed, three()).empty());
    }
  }
  CHECK(refused > 300);
}

}  // namespace ordeal::clusters::custom
