// Client programs that misbehave in every way that we know of: no answer of theirs may be taken for
// one that it is not, every call ends by its deadline, and nothing of them is left.

#include <fstream>

#include <catch2/catch.hpp>
#include <signal.h>
#include <stdlib.h>

#include "clusters/custom/client.h"
#include "clusters/custom/client_protocol.h"
#include "core/file.h"

namespace ordeal::clusters::custom {
namespace {

// A client in shell: `answers` is run for each request, whose line is in $line and whose id in $id.
class Program {
 public:
  explicit Program(const std::string& answers, const std::string& hello = "") {
    char name[] = "/tmp/ordeal-client-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    folder_ = name;
    std::ofstream(folder_ / "client.sh")
        << "read -r line\n"
        << (hello.empty() ? R"(echo '{"hello":1,"client":"test","functions":["read","write"]}')"
                          : hello)
        << "\nwhile read -r line; do id=${line#*:}; id=${id%%,*}\n"
        << answers << "\ndone\n";
    setup.command = {"/bin/sh", "client.sh"};
    setup.folder = folder_;
    setup.log = folder_ / "log";
    setup.node = "n1";
    setup.functions = {Function::read, Function::write};
    setup.fail = {{"gone", "the test says so"}};
    setup.hello_within = 5s;
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() { std::filesystem::remove_all(folder_); }

  Completion read(Nanoseconds within = 5s) {
    if (!client) {
      auto opened = open_client(setup, misdeeds);
      REQUIRE(opened);
      client = std::move(*opened);
    }
    return client->invoke({Function::read, "x", {}}, Deadline::after(within));
  }
  std::string told() const {
    std::string all;
    for (const std::string& sentence : misdeeds.sentences()) all += sentence + "\n";
    return all;
  }
  [[nodiscard]] std::filesystem::path folder() const { return folder_; }

  ClientSetup setup;
  Misdeeds misdeeds;
  std::unique_ptr<Client> client;

 private:
  std::filesystem::path folder_;
};

}  // namespace

TEST_CASE("client: a good one is believed, fails only by the list") {
  Program good(
      R"(case $line in *read*) echo "{\"id\":$id,\"ok\":true,\"value\":[1,\"a\",null]}";; esac)");
  for (int i = 0; i < 3; ++i) {
    const Completion answer = good.read();
    CHECK(answer.outcome == Outcome::ok);
    CHECK(answer.result == Value::list({1, "a", Value()}));
  }
  CHECK(good.told().empty());
  Program fails(R"(echo "{\"id\":$id,\"fail\":\"gone\",\"text\":\"quite\"}")");
  CHECK(fails.read().outcome == Outcome::fail);
  CHECK(fails.read().error == "gone: quite");
  Program undeclared(R"(echo "{\"id\":$id,\"fail\":\"maybe\"}")");
  CHECK(undeclared.read().outcome == Outcome::info);
  CHECK_THAT(undeclared.told(), Catch::Contains("does not list"));
  Program unsure(R"(echo "{\"id\":$id,\"info\":\"timeout\"}")");
  CHECK(unsure.read().outcome == Outcome::info);
}

TEST_CASE("client: whatever else it answers, the outcome is unknown and it is told") {
  const std::pair<const char*, const char*> cases[] = {
      {"echo garbage", "no JSON object"},
      {"echo", "no JSON object"},
      {R"(echo '{"id":999,"ok":true,"value":1}')", "another request"},
      {R"(echo "{\"id\":\"$id\",\"ok\":true,\"value\":1}")", "another request"},
      {R"(echo "{\"id\":$id}")", "exactly one of"},
      {R"(echo "{\"id\":$id,\"ok\":true,\"info\":\"x\",\"value\":1}")", "exactly one of"},
      {R"(echo "{\"id\":$id,\"ok\":true}")", "needs \"value\""},
      {R"(echo "{\"id\":$id,\"ok\":1,\"value\":1}")", "must be true"},
      {R"(echo "{\"id\":$id,\"ok\":true,\"value\":1.5}")", "none of ours"},
      {R"(echo "{\"id\":$id,\"fail\":7}")", "must be a text"},
      {R"(printf '{"id":1,"ok":true,"value":"\377\376"}\n')", "no JSON object"},
      {R"(printf '[%.0s' $(seq 100000); echo)", "no JSON object"},
      {"exit 3", "exit status 3"},
      {"kill -SEGV $$", "killed by signal 11"},
      {"head -c 3000000 /dev/zero; sleep 100", "without an end of line"},
      {"exec >&-; sleep 100", "still runs"},
  };
  for (const auto& [answers, why] : cases) {
    CAPTURE(answers);
    Program bad(answers);
    const Completion answer = bad.read(20s);
    CHECK(answer.outcome == Outcome::info);
    CHECK_THAT(answer.error, Catch::Contains(why));
    CHECK_THAT(bad.told(), Catch::Contains("on n1"));
  }
}

TEST_CASE("client: what is wrong with an answer has a name") {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"id":6,"ok":true})", "wrong-id"},
      {R"({"id":"7","ok":true})", "wrong-id"},
      {R"({"id":-7,"ok":true})", "wrong-id"},
      {"{\"id\":7,\"ok\":true,\"value\":\"\xff\"}", "not-utf8"},
      {"\xc0\xaf", "not-utf8"},
      {R"({"id":7,"ok":true,"value":1.5})", "garbage"},
      {R"({"id":7})", "garbage"},
      {R"({"ok":true})", "garbage"},
      {"", "garbage"},
      {R"({"id":7,"ok":true,"value":"\u00e9)", "garbage"},
  };
  for (const auto& [line, name] : cases) {
    CAPTURE(line);
    CHECK_FALSE(read_answer(line, 7, Function::read, {}));
    CHECK(misdeed_of(line, 7) == name);
  }
}

TEST_CASE("client: silence ends at the deadline, and the program with it") {
  Program silent("echo $$ >pid; sleep 100 & sleep 100");
  const Completion answer = silent.read(300ms);
  CHECK(answer.outcome == Outcome::info);
  CHECK_THAT(answer.error, Catch::Contains("no answer by the deadline"));
  const auto pid = read_lines(silent.folder() / "pid");
  REQUIRE(pid);
  if (!pid->empty()) CHECK(::kill(std::atoi(pid->front().c_str()), 0) != 0);
}

TEST_CASE("client: a second answer is not taken for the next one") {
  Program twice(R"(
    echo "{\"id\":$id,\"ok\":true,\"value\":0}"
    echo "{\"id\":$((id+1)),\"ok\":true,\"value\":777}")");
  for (int i = 0; i < 5; ++i) {
    const Completion answer = twice.read();
    // Seen between requests, it costs a new program; seen as the next answer it would be a lie.
    if (answer.outcome == Outcome::ok) CHECK_FALSE(answer.result == Value(777));
  }
  CHECK_THAT(twice.told(), Catch::Contains("client programs: "));
}

TEST_CASE("client: a flood beside the answer, on either stream, harms nobody") {
  Program loud(R"(head -c 20000000 /dev/zero >&2; echo "{\"id\":$id,\"ok\":true,\"value\":1}")");
  CHECK(loud.read(30s).outcome == Outcome::ok);
  CHECK(loud.read(30s).outcome == Outcome::ok);
  loud.client.reset();
  CHECK(std::filesystem::file_size(loud.folder() / "log") < 50'000'000);
}

TEST_CASE("client: a bad hello is told with what to mend") {
  const std::pair<const char*, const char*> cases[] = {
      {"exit 7", "ended before its hello: exit status 7"},
      {"echo hi", "is no JSON object"},
      {R"(echo '{"hello":2,"functions":["read","write"]}')", "version 2"},
      {R"(echo '{"hello":1,"functions":["read"]}')", "does not name the function write"},
      {R"(echo '{"hello":1}')", "functions"},
      {"echo oops >&2; exit 1", "oops"},
  };
  for (const auto& [hello, why] : cases) {
    CAPTURE(hello);
    Program bad("true", hello);
    const auto opened = open_client(bad.setup, bad.misdeeds);
    REQUIRE_FALSE(opened);
    CHECK_THAT(opened.error().message, Catch::Contains(why));
  }
  Program slow("true", "sleep 100");
  slow.setup.hello_within = 200ms;
  const auto opened = open_client(slow.setup, slow.misdeeds);
  REQUIRE_FALSE(opened);
  CHECK_THAT(opened.error().message, Catch::Contains("did not answer the hello"));
  Program missing("true");
  missing.setup.command = {"no-such-program-anywhere"};
  CHECK_FALSE(open_client(missing.setup, missing.misdeeds));
}

TEST_CASE("client protocol: results must be of the kind that the function has") {
  const FailCodes none;
  const auto fits = [&](Function function, const std::string& value) {
    return read_answer(R"({"id":1,"ok":true,"value":)" + value + "}", 1, function, none)
        .has_value();
  };
  CHECK(fits(Function::members, "[1,2]"));
  CHECK_FALSE(fits(Function::members, "3"));
  CHECK(fits(Function::acquire, "5"));
  CHECK(fits(Function::acquire, "null"));
  CHECK_FALSE(fits(Function::acquire, "\"x\""));
  CHECK(fits(Function::balances, "[[1,10],[2,20]]"));
  CHECK_FALSE(fits(Function::balances, "[[1,10],[2]]"));
  CHECK(fits(Function::saga, "\"committed\""));
  CHECK_FALSE(fits(Function::saga, "\"done\""));
  CHECK(fits(Function::ledger, "[[\"a\",\"b\",\"c\"]]"));
}

}  // namespace ordeal::clusters::custom
