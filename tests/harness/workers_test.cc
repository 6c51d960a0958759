#include "harness/workers.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ordeal::harness {

namespace {

using clusters::Client;
using workloads::Generator;
using workloads::phases;
using workloads::sequence;

struct Folder {
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "workers-test-XXXXXX").string();
    ORDEAL_CHECK(mkdtemp(name.data()) != nullptr, "a test needs a folder");
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

class CallingClient : public Client {
 public:
  using Call = std::function<Completion(const Request&, Deadline)>;
  explicit CallingClient(Call call) : call_(std::move(call)) {}
  Completion invoke(const Request& request, Deadline deadline) override {
    return call_(request, deadline);
  }

 private:
  Call call_;
};

OpenClient open_calling(CallingClient::Call call) {
  return [call](std::size_t) -> Result<std::unique_ptr<Client>> {
    return std::make_unique<CallingClient>(call);
  };
}

Completion say_ok(const Request&, Deadline) { return {Outcome::ok, {}, {}}; }

// Registers behind one lock.
class Store {
 public:
  Completion operator()(const Request& request) {
    const std::lock_guard lock(mutex_);
    Value& value = values_[request.key];
    if (request.function == Function::read) return {Outcome::ok, value, {}};
    if (request.function == Function::cas) {
      if (!(value == request.argument.as_list()->at(0))) return {Outcome::fail, {}, "cas-mismatch"};
      value = request.argument.as_list()->at(1);
    } else {
      value = request.argument;
    }
    return {Outcome::ok, {}, {}};
  }

 private:
  std::mutex mutex_;
  std::unordered_map<Value, Value, ValueHash> values_;
};

Request write(int value) { return {Function::write, "x", value}; }
Request read() { return {Function::read, "x", {}}; }

// Writes 1, 2, 3, ..., for ever.
Generator numbers() {
  return workloads::from([n = 0](Rng&) mutable { return write(++n); });
}

struct Played {
  WorkersEnd end;
  History history;
};

class Stage {
 public:
  WorkersOptions options;
  WorkersProgress progress;
  std::stop_source stop;

  Stage() {
    options.workers = 4;
    options.nodes = 2;
    options.operation_timeout = 10s;
    options.pause_after_error = 0ms;
  }

  Played play(Generator generator, const OpenClient& open) {
    const auto file = folder_.path / "history.jsonl";
    auto writer = HistoryWriter::create(file, {"n1", "n2"});
    REQUIRE(writer);
    WorkersEnd end = run_workers(std::move(generator), Rng(1), open, **writer, RunClock(), options,
                                 progress, stop.get_token());
    REQUIRE((*writer)->close());
    auto history = read_history(file);
    if (!history) FAIL(history.error().message);
    return {std::move(end), *std::move(history)};
  }

 private:
  Folder folder_;
};

std::size_t count(const History& history, Outcome outcome) {
  std::size_t found = 0;
  for (const Operation& op : history.operations)
    found += op.outcome == outcome && op.completed != never ? 1U : 0U;
  return found;
}

}  // namespace

TEST_CASE("the engine records every request with its node, worker and answer") {
  Stage stage;
  const Played played = stage.play(limit(1'000, numbers()), open_calling(say_ok));
  CHECK_FALSE(played.end.failure);
  CHECK(played.end.next_process == 4);
  REQUIRE(played.history.operations.size() == 1'000);
  CHECK(count(played.history, Outcome::ok) == 1'000);
  CHECK(stage.progress.ok == 1'000);
  std::set<std::int64_t> values;
  for (const Operation& op : played.history.operations) {
    CHECK(op.node == op.process % 2);
    CHECK(op.process < 4);
    CHECK(op.invoked < op.completed);
    CHECK(op.invoked_at <= op.completed_at);
    values.insert(*op.argument.as_integer());
  }
  CHECK(values.size() == 1'000);
}

TEST_CASE("what is recorded of an atomic register can be explained by the order of its answers") {
  // Values rise under the lock of the store, so reads may only go up along the order of events.
  Stage stage;
  stage.options.workers = 8;
  std::mutex mutex;
  std::int64_t value = 0;
  const auto call = [&](const Request&, Deadline) {
    const std::lock_guard lock(mutex);
    return Completion{Outcome::ok, Value(++value), {}};
  };
  const Played played = stage.play(limit(20'000, workloads::repeat(read())), open_calling(call));
  REQUIRE(played.history.operations.size() == 20'000);
  std::vector<const Operation*> by_completion;
  for (const Operation& op : played.history.operations) by_completion.push_back(&op);
  std::sort(by_completion.begin(), by_completion.end(),
            [](const Operation* a, const Operation* b) { return a->completed < b->completed; });
  std::size_t done = 0;
  std::int64_t highest = 0;
  bool sound = true;
  for (const Operation& op : played.history.operations) {  // by invocation
    for (; done < by_completion.size() && by_completion[done]->completed < op.invoked; ++done) {
      highest = std::max(highest, *by_completion[done]->result.as_integer());
    }
    sound = sound && *op.result.as_integer() > highest;
  }
  CHECK(sound);
}

TEST_CASE("completions come before the generation of the next request: no false concurrency") {
  // One request at a time: the next is given once the last has completed, to whoever asks.
  struct OneAtATime : Generator::Source {
    workloads::Step next(const workloads::Context& context, Rng&) override {
      if (given == 500) return workloads::Done{};
      if (busy) return workloads::Wait{};
      busy = true;
      return workloads::Next{write(++given), context.now};
    }
    void completed(const workloads::Context&, const Request&, const Completion&) override {
      busy = false;
    }
    std::unique_ptr<Source> clone() const override { return std::make_unique<OneAtATime>(*this); }
    bool busy = false;
    int given = 0;
  };
  Stage stage;
  const Played played = stage.play(Generator(std::make_unique<OneAtATime>()), open_calling(say_ok));
  REQUIRE(played.history.operations.size() == 500);
  for (std::size_t i = 1; i < 500; ++i) {
    CHECK(played.history.operations[i - 1].completed < played.history.operations[i].invoked);
  }
}

TEST_CASE("a request is invoked when it is due, and not before") {
  Stage stage;
  struct Later : Generator::Source {
    workloads::Step next(const workloads::Context& context, Rng&) override {
      if (given == 20) return workloads::Done{};
      return workloads::Next{write(++given), std::max<Nanoseconds>(context.now, given * 2ms)};
    }
    std::unique_ptr<Source> clone() const override { return std::make_unique<Later>(*this); }
    int given = 0;
  };
  const Played played = stage.play(Generator(std::make_unique<Later>()), open_calling(say_ok));
  REQUIRE(played.history.operations.size() == 20);
  for (const Operation& op : played.history.operations) {
    CHECK(op.invoked_at >= *op.argument.as_integer() * 2ms);
  }
}

TEST_CASE("after info a worker goes on as process + workers, with a new client") {
  Stage stage;
  stage.options.first_process = 100;
  std::atomic<int> opened = 0;
  const OpenClient open = [&](std::size_t) -> Result<std::unique_ptr<Client>> {
    ++opened;
    // Good for two operations.
    return std::make_unique<CallingClient>([n = 0](const Request&, Deadline) mutable {
      return ++n == 2 ? Completion{Outcome::info, {}, "timeout: who knows"}
                      : Completion{Outcome::ok, {}, {}};
    });
  };
  const auto ten = workloads::per_worker([](std::size_t) { return limit(10, numbers()); });
  const Played played = stage.play(ten, open);
  REQUIRE(played.history.operations.size() == 40);
  std::map<Process, std::size_t> operations;
  for (const Operation& op : played.history.operations) {
    ++operations[op.process];
    CHECK(op.node == op.process % 2);
  }
  std::map<Process, std::size_t> expected;
  for (Process process = 100; process < 120; ++process) expected[process] = 2;
  CHECK(operations == expected);
  CHECK(played.end.next_process == 124);  // the last info of each worker retired a process, too
  CHECK(opened == 24);
  CHECK(stage.progress.info == 20);
}

TEST_CASE("a client that cannot be opened makes definite failures, and is tried again") {
  Stage stage;
  std::atomic<int> attempts = 0;
  const OpenClient open = [&](std::size_t node) -> Result<std::unique_ptr<Client>> {
    if (node == 1 && ++attempts <= 6) return error("n2 refused the connection");
    return std::make_unique<CallingClient>(say_ok);
  };
  const auto ten = workloads::per_worker([](std::size_t) { return limit(10, numbers()); });
  const Played played = stage.play(ten, open);
  CHECK(played.end.clients_not_opened == 6);
  CHECK(played.end.next_process == 4);
  REQUIRE(played.history.operations.size() == 40);
  CHECK(count(played.history, Outcome::fail) == 6);
  for (const Operation& op : played.history.operations) {
    if (op.outcome == Outcome::fail)
      CHECK(played.history.error_of(op) == "no-client: n2 refused the connection");
    if (op.outcome == Outcome::fail) CHECK(op.node == 1);
  }
}

TEST_CASE("opening a client may throw or make nothing") {
  Stage stage;
  const bool throws = GENERATE(true, false);
  const OpenClient open = [throws](std::size_t) -> Result<std::unique_ptr<Client>> {
    if (throws) throw std::runtime_error("out of sockets");
    return nullptr;
  };
  const Played played = stage.play(limit(20, numbers()), open);
  CHECK(count(played.history, Outcome::fail) == 20);
}

TEST_CASE("a client that throws is of unknown outcome") {
  Stage stage;
  const auto call = [](const Request& request, Deadline) -> Completion {
    if (*request.argument.as_integer() % 2 == 0) throw std::runtime_error("socket gone");
    throw 42;
  };
  const Played played = stage.play(limit(10, numbers()), open_calling(call));
  CHECK(count(played.history, Outcome::info) == 10);
  std::set<std::string> errors;
  for (const Operation& op : played.history.operations) errors.insert(played.history.error_of(op));
  CHECK(errors == std::set<std::string>{"exception: socket gone", "exception: of an unknown type"});
}

TEST_CASE("the generator is told of completions") {
  Stage stage;
  std::atomic<int> left = 10;
  const auto call = [&](const Request&, Deadline) {
    return --left > 0 ? Completion{Outcome::fail, {}, "not yet"} : Completion{Outcome::ok, {}, {}};
  };
  const Played played = stage.play(until_ok(numbers()), open_calling(call));
  CHECK(played.history.operations.size() >= 10);
  CHECK(played.history.operations.size() <= 13);
  CHECK(count(played.history, Outcome::ok) >= 1);
}

TEST_CASE("phases end, whoever of the workers is last") {
  Stage stage;
  std::vector<Generator> parts;
  for (int i = 0; i < 50; ++i) {
    parts.push_back(Generator());
    parts.push_back(limit(5, workloads::repeat(write(i))));
    parts.push_back(workloads::per_worker([i](std::size_t worker) {
      return worker == static_cast<std::size_t>(i) % 4 ? workloads::once(write(i)) : Generator();
    }));
  }
  const Played played = stage.play(phases(std::move(parts)), open_calling(say_ok));
  REQUIRE(played.history.operations.size() == 300);
  for (std::size_t i = 0; i < 300; ++i) {
    CHECK(*played.history.operations[i].argument.as_integer() == static_cast<std::int64_t>(i / 6));
  }
}

TEST_CASE("all workers run at once") {
  // The first operation of each waits for the first of all others.
  Stage stage;
  std::atomic<int> arrived = 0;
  const OpenClient open = [&](std::size_t) -> Result<std::unique_ptr<Client>> {
    return std::make_unique<CallingClient>(
        [&arrived, first = true](const Request&, Deadline deadline) mutable -> Completion {
          if (std::exchange(first, false)) ++arrived;
          while (arrived < 4 && !deadline.passed()) std::this_thread::sleep_for(100us);
          return {arrived == 4 ? Outcome::ok : Outcome::info, {}, {}};
        });
  };
  const Played played = stage.play(limit(200, numbers()), open);
  std::map<Process, std::size_t> operations;
  for (const Operation& op : played.history.operations) ++operations[op.process];
  CHECK(operations.size() == 4);
  CHECK(count(played.history, Outcome::ok) == 200);
}

TEST_CASE("a stop waits for operations under way and records them") {
  Stage stage;
  std::atomic<int> running = 0;
  const auto call = [&](const Request&, Deadline) {
    if (++running == 4) stage.stop.request_stop();
    while (!stage.stop.stop_requested()) std::this_thread::yield();
    std::this_thread::sleep_for(5ms);
    return Completion{Outcome::ok, {}, {}};
  };
  const Played played = stage.play(numbers(), open_calling(call));
  CHECK_FALSE(played.end.failure);
  CHECK(played.history.operations.size() == 4);
  CHECK(count(played.history, Outcome::ok) == 4);
}

TEST_CASE("a stop wakes workers that wait, hold a request for later, or pause") {
  Stage stage;
  stage.options.workers = 6;
  stage.options.pause_after_error = 1h;
  std::atomic<bool> failed = false;
  const auto call = [&](const Request&, Deadline) {
    failed = true;
    return Completion{Outcome::fail, {}, "refused: no"};
  };
  const auto mixed = workloads::per_worker([](std::size_t worker) {
    switch (worker) {
      case 0:
      case 1:
        return workloads::sleep(1h);
      case 2:
        return phases({workloads::sleep(1h), numbers()});
      case 3:
        return sequence({workloads::sleep(1us), workloads::sleep(1h)});
      case 4:
        return limit(1, numbers());
      default:
        return Generator();
    }
  });
  std::jthread stopper([&] {
    while (!failed) std::this_thread::yield();
    stage.stop.request_stop();
  });
  const Played played = stage.play(mixed, open_calling(call));
  CHECK_FALSE(played.end.failure);
  CHECK(played.history.operations.size() == 1);
}

TEST_CASE("requests held for later are not recorded when a stop comes first") {
  struct InAnHour : Generator::Source {
    explicit InAnHour(std::stop_source stop) : stopper(std::move(stop)) {}
    workloads::Step next(const workloads::Context& context, Rng&) override {
      if (++asked == context.workers) {
        std::thread([stop = stopper]() mutable { stop.request_stop(); }).detach();
      }
      return workloads::Next{read(), context.now + 1h};
    }
    std::unique_ptr<Source> clone() const override { return std::make_unique<InAnHour>(*this); }
    std::stop_source stopper;
    std::size_t asked = 0;
  };
  Stage stage;
  const Played played =
      stage.play(Generator(std::make_unique<InAnHour>(stage.stop)), open_calling(say_ok));
  CHECK(played.history.operations.empty());
}

TEST_CASE("a stop before the start records nothing") {
  Stage stage;
  stage.stop.request_stop();
  const Played played = stage.play(numbers(), open_calling(say_ok));
  CHECK(played.history.operations.empty());
  CHECK_FALSE(played.end.failure);
}

TEST_CASE("a client that hangs until its deadline costs its own worker alone") {
  Stage stage;
  stage.options.operation_timeout = 30ms;
  const OpenClient open = [](std::size_t node) -> Result<std::unique_ptr<Client>> {
    return std::make_unique<CallingClient>(
        [node](const Request& request, Deadline deadline) -> Completion {
          if (node == 0) return say_ok(request, deadline);
          std::this_thread::sleep_until(deadline.when());
          return {Outcome::info, {}, "timeout: nothing came"};
        });
  };
  const auto three = workloads::per_worker([](std::size_t) { return limit(3, numbers()); });
  const Played played = stage.play(three, open);
  CHECK(count(played.history, Outcome::ok) == 6);
  CHECK(count(played.history, Outcome::info) == 6);
  for (const Operation& op : played.history.operations) {
    CHECK(op.completed != never);
    if (op.outcome == Outcome::info) CHECK(op.completed_at - op.invoked_at >= 30ms);
  }
}

TEST_CASE("errors are followed by a pause, answers are not") {
  Stage stage;
  stage.options.workers = 1;
  stage.options.pause_after_error = 2ms;
  const std::string error = GENERATE("refused: no", "cas-mismatch");
  const auto call = [&](const Request&, Deadline) { return Completion{Outcome::fail, {}, error}; };
  const Played played = stage.play(limit(20, numbers()), open_calling(call));
  REQUIRE(played.history.operations.size() == 20);
  std::size_t paused = 0;
  for (std::size_t i = 1; i < 20; ++i) {
    const auto& before = played.history.operations[i - 1];
    paused += played.history.operations[i].invoked_at - before.completed_at >= 2ms ? 1U : 0U;
  }
  if (error == "refused: no") CHECK(paused == 19);
  if (error == "cas-mismatch") CHECK(paused < 19);  // the machine itself may stall now and then
}

TEST_CASE("a history that can no longer be written ends the run with its error") {
  Folder folder;
  const auto pipe = folder.path / "pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  // A reader that goes away: writing fails from then on, as on a disk that fills up.
  signal(SIGPIPE, SIG_IGN);
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  auto writer = HistoryWriter::create(pipe, {"n1", "n2"});
  REQUIRE(writer);
  WorkersOptions options;
  options.workers = 3;
  WorkersProgress progress;
  std::atomic<int> calls = 0;
  const auto call = [&](const Request&, Deadline) {
    if (++calls == 10) ::close(reader);
    return Completion{Outcome::ok, {}, {}};
  };
  std::vector<Generator> parts;
  parts.push_back(rate(10'000, numbers()));
  const WorkersEnd end = run_workers(sequence(std::move(parts)), Rng(1), open_calling(call),
                                     **writer, RunClock(), options, progress, std::stop_token());
  REQUIRE(end.failure);
  CHECK(end.failure->message.find(pipe.string()) != std::string::npos);
}

TEST_CASE("who listens to the events gets each in order, and can end the phase") {
  Stage stage;
  std::vector<EventIndex> heard;
  stage.options.on_event = [&](const Event& event) {
    heard.push_back(event.index);
    return heard.size() < 500;
  };
  const Played played = stage.play(numbers(), open_calling(say_ok));
  CHECK_FALSE(played.end.failure);
  CHECK(played.history.events == heard.size());
  CHECK(heard.size() >= 500);
  CHECK(heard.size() < 500 + 2 * stage.options.workers);
  for (std::size_t i = 0; i < heard.size(); ++i) CHECK(heard[i] == i);
}

TEST_CASE("a generator that makes everybody wait for nothing ends the run") {
  struct Stuck : Generator::Source {
    workloads::Step next(const workloads::Context& context, Rng&) override {
      if (given < 5) return workloads::Next{write(++given), context.now};
      return workloads::Wait{};
    }
    std::unique_ptr<Source> clone() const override { return std::make_unique<Stuck>(*this); }
    int given = 0;
  };
  Stage stage;
  const Played played = stage.play(Generator(std::make_unique<Stuck>()), open_calling(say_ok));
  CHECK(played.history.operations.size() == 5);
  REQUIRE(played.end.failure);
  CHECK(played.end.failure->message.find("wait") != std::string::npos);
}

TEST_CASE("registers, compare-and-sets and unknown outcomes make a well-formed history") {
  Stage stage;
  stage.options.workers = 6;
  Store store;
  std::atomic<unsigned> calls = 0;
  const auto call = [&](const Request& request, Deadline) {
    const Completion done = store(request);
    return ++calls % 50 == 0 ? Completion{Outcome::info, {}, "timeout: lost"} : done;
  };
  const auto on_key = [](const Value& key) {
    return limit(100, workloads::from([key, n = 0](Rng& rng) mutable {
                   const int value = ++n;
                   if (rng.chance(0.5)) return Request{Function::read, key, {}};
                   if (rng.chance(0.5)) return Request{Function::write, key, value};
                   return Request{Function::cas, key, Value::list({value - 1, value})};
                 }));
  };
  const Played played = stage.play(workloads::per_key(3, 40, on_key), open_calling(call));
  CHECK(played.history.operations.size() == 4'000);  // the builder has checked the pairing
  CHECK(count(played.history, Outcome::info) == 80);
  std::map<Process, EventIndex> retired;
  for (const Operation& op : played.history.operations) {
    CHECK(retired.count(op.process) == 0);
    if (op.outcome == Outcome::info) retired[op.process] = op.completed;
  }
}

}  // namespace ordeal::harness
