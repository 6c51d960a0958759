// The conformance script against clients that are right and clients that are wrong in one way: each
// is told with what to mend, and the right one has nothing to mend. Their server is a file.

#include "clusters/custom/client_check.h"

#include <fstream>

#include <catch2/catch.hpp>
#include <stdlib.h>

namespace ordeal::clusters::custom {
namespace {

// Registers, watches and banks, or what WRONG makes of them; while a file "stopped" is there, the
// server is away.
constexpr const char* client = R"py(
import json, os, sys, time
wrong = sys.argv[1]
def load():
    return json.load(open("values")) if os.path.exists("values") else {}
def answer(ask):
    f, k, v = ask["function"], json.dumps(ask["key"]), ask["value"]
    if os.path.exists("stopped"):
        if wrong == "hangs": time.sleep(60)
        return {"info": "timeout"}
    values = load()
    if f == "read":
        got = values.get(k)
        if wrong == "forgets-types" and got is not None: got = str(got)
        return {"ok": True} if wrong == "no-value" else {"ok": True, "value": got}
    if f == "cas":
        if values.get(k) != v[0]:
            if wrong == "unsure-cas": return {"info": "no"}
            return {"fail": "mismatch" if wrong == "other-code" else "cas-mismatch"}
        v = v[1]
    if f == "watch":
        shown = [e for e in values.get("events " + k, []) if e[0] > (v or 0)]
        return {"ok": True, "value": shown[1:] if wrong == "skips" else shown}
    bank = values.setdefault("bank " + k, {})
    if f == "balances":
        return {"ok": True, "value": [[int(a), b] for a, b in bank.items()]}
    if f == "transfer":
        if v[0] is not None:
            if bank.get(str(v[0]), 0) < v[2]: return {"fail": "insufficient"}
            if wrong != "makes-money": bank[str(v[0])] -= v[2]
        bank[str(v[1])] = bank.get(str(v[1]), 0) + v[2]
    else:
        values[k] = v
        values["revision"] = values.get("revision", 0) + 1
        values.setdefault("events " + k, []).append([values["revision"], v])
    json.dump(values, open("new", "w"))
    os.replace("new", "values")
    return {"ok": True}
sys.stdout = os.fdopen(1, "w", 100000)  # whatever the environment says
sys.stdin.readline()
if wrong == "hello": print("hi", flush=True)
speaks = ["read", "write", "cas", "watch", "transfer", "balances"]
print(json.dumps({"hello": 1, "functions": speaks}), flush=True)
broken = False
for line in sys.stdin:
    ask = json.loads(line)
    a = answer(ask)
    broken = broken or "info" in a
    if wrong == "stays-broken" and broken: a = {"info": "connection lost"}
    if wrong == "old-id": ask["id"] -= 1
    text = json.dumps({"id": ask["id"], **a}) + "\n"
    if wrong == "garbage": text = "\u00ff{\n"
    sys.stdout.write(text * (2 if wrong == "twice" else 1))
    if wrong != "no-flush": sys.stdout.flush()
    if wrong == "dies": os._exit(7)
while wrong == "stays": time.sleep(1)
)py";

struct Told {
  std::string mend, good, notes;
};

Told told_of(const std::string& wrong) {
  char name[] = "/tmp/ordeal-check-XXXXXX";
  REQUIRE(::mkdtemp(name) != nullptr);
  const std::filesystem::path folder = name;
  std::ofstream(folder / "client.py") << client;
  ClientSetup setup;
  setup.command = {"python3", "client.py", wrong};
  setup.folder = folder;
  setup.node = "n1";
  setup.functions = {Function::read,  Function::write,    Function::cas,
                     Function::watch, Function::transfer, Function::balances};
  setup.fail = {{"cas-mismatch", "compared"}, {"insufficient", "compared, too"}};
  ServerHands server;
  server.pause = [folder]() -> Result<void> {
    std::ofstream(folder / "stopped") << "";
    return {};
  };
  server.resume = [folder]() -> Result<void> {
    std::filesystem::remove(folder / "stopped");
    return {};
  };
  Told told;
  check_client(setup, 700ms, server, [&](const CheckLine& line) {
    std::string& to = line.kind == CheckLine::Kind::bad    ? told.mend
                      : line.kind == CheckLine::Kind::good ? told.good
                                                           : told.notes;
    to += line.text + "\n";
  });
  std::filesystem::remove_all(folder);
  return told;
}

}  // namespace

TEST_CASE("client-check: a right client has nothing to mend") {
  const Told told = told_of("");
  CHECK(told.mend.empty());
  CHECK(told.notes.empty());
  for (const char* said :
       {"fail cas-mismatch", "two values written, and watched in order",
        "money came in and was moved", "killed amid requests, and the next one works",
        "the server stands still: answered info timeout in time", "the client works again",
        "ends when its input ends"})
    CHECK_THAT(told.good, Catch::Contains(said));
}

TEST_CASE("client-check: what is wrong with a client is told with what to do about it") {
  const std::pair<const char*, const char*> cases[] = {
      {"hello", "its hello is no JSON object"},
      {"no-value", "needs \"value\" (null where there is none)"},
      {"forgets-types", "expected 9007199254740993"},
      {"skips", "expected 1 and 2 with their revisions"},
      {"makes-money", "expected [[0 6] [1 4]]"},
      {"unsure-cas", "expected fail cas-mismatch, listed under [client.fail]"},
      {"other-code", "mismatch"},
      {"twice", "unasked"},
      {"old-id", "an answer to another request"},
      {"garbage", "no JSON object"},
      {"no-flush", "is the output flushed?"},
      {"dies", "exit status 7"},
      {"hangs", "answer within timeout_ms, with info when nobody knows"},
      {"stays-broken", "connect anew when a connection is lost"},
  };
  for (const auto& [wrong, said] : cases) {
    CAPTURE(wrong);
    CHECK_THAT(told_of(wrong).mend, Catch::Contains(said));
  }
  CHECK_THAT(told_of("stays").notes, Catch::Contains("does not end within 2 s"));
}

}  // namespace ordeal::clusters::custom
