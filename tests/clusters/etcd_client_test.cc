// The etcd client against a real etcd: what each function does, and what becomes of requests when
// the server is stopped, dead, or back.

#include <atomic>
#include <thread>

#include "tests/clusters/etcd_server.h"

namespace ordeal::clusters::etcd {
namespace {

constexpr Nanoseconds patient = 10s;

Completion call(Client& client, Function function, const Value& key, const Value& argument,
                Nanoseconds timeout) {
  return client.invoke({function, key, argument}, Deadline::after(timeout));
}
Completion read(Client& client, const Value& key) {
  return call(client, Function::read, key, {}, patient);
}
Completion write(Client& client, const Value& key, const Value& value) {
  return call(client, Function::write, key, value, patient);
}
Completion cas(Client& client, const Value& key, const Value& expected, const Value& next) {
  return call(client, Function::cas, key, Value::list({expected, next}), patient);
}

bool starts_with(const std::string& text, std::string_view start) {
  return text.rfind(start, 0) == 0;
}

#define CHECK_OK(completion)                                                         \
  do {                                                                               \
    const Completion answered = (completion);                                        \
    CHECK((answered.outcome == Outcome::ok ? std::string() : answered.error) == ""); \
  } while (false)

}  // namespace

TEST_CASE("etcd client: read, write and cas") {
  EtcdServer server;
  const auto client = server.open();

  SECTION("a missing key reads as nil") {
    const Completion missing = read(*client, 1);
    CHECK_OK(missing);
    CHECK(missing.result.is_nil());
  }
  SECTION("what was written is read, by others too") {
    const auto other = server.open();
    const auto stale = server.open(true);
    for (const Value& value : {Value(7), Value("7"), Value(-1), Value(""), Value(true),
                               Value::list({1, Value::list({}), "a\"b"})}) {
      const Completion written = write(*client, "key", value);
      CHECK_OK(written);
      CHECK(written.result.is_nil());
      CHECK(read(*other, "key").result == value);
      CHECK(read(*stale, "key").result == value);
    }
  }
  SECTION("keys of different types are different keys") {
    CHECK_OK(write(*client, 1, "integer"));
    CHECK_OK(write(*client, "1", "string"));
    CHECK(read(*client, 1).result == Value("integer"));
    CHECK(read(*client, "1").result == Value("string"));
  }
  SECTION("cas swaps what it expects and nothing else") {
    CHECK_OK(write(*client, 1, 5));
    const Completion wrong = cas(*client, 1, 6, 7);
    CHECK(wrong.outcome == Outcome::fail);
    CHECK(wrong.error == "cas-mismatch");
    CHECK(cas(*client, 1, "5", 7).error == "cas-mismatch");
    CHECK(read(*client, 1).result == Value(5));
    CHECK_OK(cas(*client, 1, 5, 6));
    CHECK(read(*client, 1).result == Value(6));
  }
  SECTION("cas from nil creates, once") {
    CHECK_OK(cas(*client, 1, {}, 3));
    CHECK(read(*client, 1).result == Value(3));
    const Completion again = cas(*client, 1, {}, 4);
    CHECK(again.outcome == Outcome::fail);
    CHECK(again.error == "cas-mismatch");
    CHECK(read(*client, 1).result == Value(3));
  }
  SECTION("cas on a missing key differs from any value") {
    CHECK(cas(*client, 1, 0, 4).error == "cas-mismatch");
    CHECK(cas(*client, 1, "", 4).error == "cas-mismatch");
    CHECK(read(*client, 1).result.is_nil());
  }
  SECTION("requests that etcd has no words for are not sent") {
    for (const Completion& refused :
         {write(*client, 1, {}), write(*client, {}, 1), cas(*client, 1, 1, {}),
          write(*client, 1, std::string("\xff")), call(*client, Function::cas, 1, 5, patient),
          read(*client, {})}) {
      CHECK(refused.outcome == Outcome::fail);
      CHECK(starts_with(refused.error, "unsupported: "));
    }
    CHECK(read(*client, 1).result.is_nil());
  }
  SECTION("a refusal of etcd's own is definite") {
    const Completion large = write(*client, 1, std::string(1'800'000, 'x'));
    INFO(large.error);
    CHECK(large.outcome == Outcome::fail);
    CHECK(starts_with(large.error, "rejected: INVALID_ARGUMENT etcdserver: request is too large"));
    CHECK(read(*client, 1).result.is_nil());
  }
}

TEST_CASE("etcd client: a stopped server") {
  EtcdServer server;
  const auto client = server.open();
  CHECK_OK(write(*client, 1, 1));
  server.pause();

  const auto begin = SteadyClock::now();
  const Completion unread = call(*client, Function::read, 1, {}, 200ms);
  CHECK(unread.outcome == Outcome::fail);
  CHECK(starts_with(unread.error, "timeout: DEADLINE_EXCEEDED"));
  const Completion written = call(*client, Function::write, 1, 2, 200ms);
  CHECK(written.outcome == Outcome::info);
  CHECK(starts_with(written.error, "timeout: DEADLINE_EXCEEDED"));
  const Completion swapped = call(*client, Function::cas, 2, Value::list({{}, 9}), 200ms);
  CHECK(swapped.outcome == Outcome::info);
  // Generous: it shall only be seen that nobody waits for the server.
  CHECK(SteadyClock::now() - begin < 10s);
  // A deadline that has already passed.
  CHECK(call(*client, Function::read, 1, {}, 0ns).outcome == Outcome::fail);

  server.resume();
  const Completion after = read(*client, 1);
  CHECK_OK(after);
  // Both are allowed after `info`; anything else is not.
  CHECK((after.result == Value(1) || after.result == Value(2)));
}

TEST_CASE("etcd client: a dead server is not sent anything, and found again") {
  EtcdServer server;
  const auto client = server.open();
  CHECK_OK(write(*client, 1, 1));
  server.kill();

  // The first request may still meet the connection that died.
  const Completion first = call(*client, Function::write, 1, 2, 300ms);
  CHECK(first.outcome != Outcome::ok);
  for (const Function function : {Function::write, Function::read}) {
    const Completion unsent = call(*client, function, 1, 3, 300ms);
    CHECK(unsent.outcome == Outcome::fail);
    CHECK(starts_with(unsent.error, "not-connected: 127.0.0.1:" + std::to_string(server.port())));
  }

  server.launch();
  // One request, on the same client: it waits for the connection by itself.
  const Completion back = read(*client, 1);
  CHECK_OK(back);
  CHECK(back.result == Value(1));
  CHECK_OK(write(*client, 1, 4));
  CHECK(read(*client, 1).result == Value(4));
}

TEST_CASE("etcd client: connects to a server that comes up later") {
  EtcdServer server;
  server.kill();
  const auto client = server.open();
  CHECK(call(*client, Function::read, 1, {}, 50ms).outcome == Outcome::fail);
  server.launch();
  CHECK_OK(read(*client, 1));
}

TEST_CASE("etcd client: a request that its server took to the grave is never sent again") {
  EtcdServer server;
  const auto client = server.open();
  for (int key = 0; key < 3; ++key) {
    CHECK_OK(read(*client, key));
    server.pause();
    const std::size_t before = server.traffic().unread_bytes;
    // Ends the server when the request lies in its socket, which it never reads again.
    std::thread killer([&server, before] {
      const Deadline deadline = Deadline::after(5s);
      while (server.traffic().unread_bytes < before + 10 && !deadline.passed())
        std::this_thread::sleep_for(1ms);
      server.kill();
    });
    const Completion lost = write(*client, key, 1);
    killer.join();
    INFO(lost.error);
    CHECK(lost.outcome == Outcome::info);
    server.start();
    // Whoever sends it again makes it visible here.
    CHECK(read(*client, key).result.is_nil());
    CHECK_OK(cas(*client, key, {}, 2));
  }
}

TEST_CASE("etcd client: kills in the midst of increments lose none and repeat none") {
  EtcdServer server;
  CHECK_OK(write(*server.open(), "counter", 0));
  constexpr int workers = 4;
  std::atomic<bool> enough = false;
  std::atomic<int> acknowledged = 0, unknown = 0;
  std::vector<std::thread> threads;
  for (int worker = 0; worker < workers; ++worker)
    threads.emplace_back([&] {
      const auto client = server.open();
      while (!enough) {
        const Completion seen = call(*client, Function::read, "counter", {}, 500ms);
        if (seen.outcome != Outcome::ok || seen.result.as_integer() == nullptr) continue;
        const std::int64_t next = *seen.result.as_integer() + 1;
        const Completion done =
            call(*client, Function::cas, "counter", Value::list({seen.result, next}), 500ms);
        if (done.outcome == Outcome::ok) ++acknowledged;
        if (done.outcome == Outcome::info) ++unknown;
      }
    });
  for (int kill = 1; kill <= 3; ++kill) {
    const Deadline deadline = Deadline::after(20s);
    while (acknowledged < 50 * kill && !deadline.passed()) std::this_thread::sleep_for(1ms);
    server.kill();
    server.start();
  }
  enough = true;
  for (auto& thread : threads) thread.join();
  const Completion total = read(*server.open(), "counter");
  REQUIRE(total.result.as_integer() != nullptr);
  INFO(acknowledged << " acknowledged, " << unknown << " unknown");
  CHECK(acknowledged >= 100);
  CHECK(*total.result.as_integer() >= acknowledged);
  CHECK(*total.result.as_integer() <= acknowledged + unknown);
}

TEST_CASE("etcd client: a watch shows every write after a revision, and ends where the key is") {
  EtcdServer server;
  const auto client = server.open();
  const auto watch = [&](const Value& after) {
    return call(*client, Function::watch, "seen", after, patient);
  };
  CHECK(watch({}).result == Value(Value::List{}));
  Value::List written;
  for (int value = 1; value <= 30; ++value) {
    const Completion done = write(*client, "seen", value);
    CHECK_OK(done);
    written.push_back(Value::list({done.revision, value}));
    CHECK_OK(write(*client, "another", value));
  }
  const Completion all = watch({});
  CHECK_OK(all);
  CHECK(all.result == Value(written));
  const Completion rest = watch(written[27].as_list()->at(0));
  CHECK_OK(rest);
  CHECK(rest.result == Value::list({written[28], written[29]}));
  const Completion nothing = watch(written[29].as_list()->at(0));
  CHECK_OK(nothing);
  CHECK(nothing.result == Value(Value::List{}));
  CHECK(watch("seven").outcome == Outcome::fail);
}

TEST_CASE("etcd client: clients do not share a connection") {
  EtcdServer server;
  const int before = server.traffic().connections;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(server.open());
  for (const auto& client : clients) CHECK_OK(read(*client, 1));
  // The connection of the one who waited for the server to come up may go in between.
  CHECK(server.traffic().connections - before >= 4);
}

}  // namespace ordeal::clusters::etcd
