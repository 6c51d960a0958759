// Workloads of users: what their TOML makes clients do, what is wrong with it in sentences, and
// that each checker that it may name passes right histories and barks at wrong ones.

#include "workloads/custom.h"

#include <deque>
#include <map>
#include <set>

#include <catch2/catch.hpp>

#include "tests/workloads/simulator.h"
#include "workloads/judges.h"

namespace ordeal::workloads {
namespace {

const std::string tickets = R"([workload]
name = "tickets"
check = "queue"
[[phase]]
time = "100ms"
rate = 2000
mix = [{ function = "enqueue", value = "{unique}", weight = 3 }, { function = "dequeue" }]
[[phase]]
time = "100ms"
mix = [{ function = "dequeue" }]
)";

std::string mix_for(const std::string& check, const std::string& mix) {
  return "[workload]\nname = \"w\"\ncheck = \"" + check + "\"\n[[phase]]\nmix = [" + mix + "]\n";
}

// All kinds of things, each atomic; with a fault, every third change of a kind is forgotten.
class Things {
 public:
  explicit Things(bool forgets) : forgets_(forgets) {}

  Completion operator()(const Request& request, Rng&) {
    const bool forgotten = forgets_ && ++changes_ % 3 == 0;
    std::deque<Value>& items = items_[to_text(request.key)];
    Value& value = values_[to_text(request.key)];
    switch (request.function) {
      case Function::read:
        if (!lists_.count(to_text(request.key))) return {Outcome::ok, value, {}};
        return {Outcome::ok, Value(Value::List(items.begin(), items.end())), {}};
      case Function::members:
        return {Outcome::ok, Value(Value::List(items.begin(), items.end())), {}};
      case Function::write:
        if (!forgotten) value = request.argument;
        return {Outcome::ok, {}, {}};
      case Function::cas: {
        const Value::List& swap = *request.argument.as_list();
        if (!(value == swap[0])) return {Outcome::fail, {}, "cas-mismatch"};
        if (!forgotten) value = swap[1];
        return {Outcome::ok, {}, {}};
      }
      case Function::append:
        lists_.insert(to_text(request.key));
        [[fallthrough]];
      case Function::enqueue:
        if (!forgotten) items.push_back(request.argument);
        return {Outcome::ok, {}, {}};
      case Function::add:
        if (forgotten) return {Outcome::ok, {}, {}};
        items.push_back(request.argument);
        value = Value((value.is_nil() ? 0 : *value.as_integer()) + *request.argument.as_integer());
        return {Outcome::ok, {}, {}};
      default:
        break;
    }
    if (items.empty()) return {Outcome::ok, {}, {}};
    const Value first = items.front();
    items.pop_front();
    return {Outcome::ok, first, {}};
  }

 private:
  bool forgets_;
  int changes_ = 0;
  std::map<std::string, std::deque<Value>> items_;
  std::map<std::string, Value> values_;
  std::set<std::string> lists_;
};

Simulation run(const Workload& workload, bool forgets) {
  SimulationOptions options;
  options.workers = 5;
  options.latency_min = 200us;
  options.latency_max = 2ms;
  options.answer = Things(forgets);
  std::vector<Value> keys;
  for (int key = 0; key < 50; ++key) keys.emplace_back(key);
  return simulate(
      phases({time_limit(400ms, workload.main(Rng(1))), time_limit(20s, workload.final(keys))}),
      options);
}

History to_history(const Simulation& simulation) {
  std::vector<std::pair<Nanoseconds, Event>> events;
  for (const SimulatedOperation& op : simulation.operations) {
    Event event;
    event.process = static_cast<Process>(op.worker);
    event.function = op.request.function;
    event.key = op.request.key;
    event.value = op.request.argument;
    events.emplace_back(op.invoked_at, event);
    event.type = op.completion.outcome == Outcome::ok ? EventType::ok : EventType::fail;
    event.value = op.completion.result;
    event.error = op.completion.error;
    events.emplace_back(op.completed_at, event);
  }
  std::stable_sort(events.begin(), events.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  HistoryBuilder builder;
  EventIndex index = 0;
  for (auto& [at, event] : events) {
    event.index = index++;
    event.time = at;
    REQUIRE(builder.add(event));
  }
  return std::move(builder).finish();
}

std::unique_ptr<Workload> make(const std::string& text) {
  WorkloadOptions options;
  options.definition = text;
  options.definition_file = "w.toml";
  options.clients = 5;
  auto made = make_workload("w", options);
  if (!made) FAIL(made.error().message);
  return std::move(*made);
}

}  // namespace

TEST_CASE("custom: phases come in turn, with their mix and rate, and the end takes what is left") {
  const auto workload = make(tickets);
  CHECK(workload->name() == "tickets");
  CHECK(workload->needs() == std::vector<Function>{Function::dequeue, Function::enqueue});
  const Simulation simulation = run(*workload, false);
  CHECK(simulation.breaches.empty());
  CHECK(simulation.ended);
  std::size_t first = 0, second = 0, put = 0, taken = 0;
  std::set<std::pair<std::string, std::string>> elements;
  for (const auto& op : simulation.operations) {
    const bool enqueues = op.request.function == Function::enqueue;
    put += enqueues ? 1U : 0U;
    taken += enqueues || op.completion.result.is_nil() ? 0U : 1U;
    if (op.invoked_at < 100ms) ++first;
    if (op.invoked_at >= 101ms && op.invoked_at < 199ms) {
      ++second;
      CHECK_FALSE(enqueues);
    }
    if (enqueues)
      CHECK(elements.emplace(to_text(op.request.key), to_text(op.request.argument)).second);
  }
  CHECK(first > 120);
  CHECK(first < 280);
  CHECK(second > first + first / 2);
  CHECK(put > 100);
  CHECK(taken == put);
}

TEST_CASE("custom: every check passes what is right and finds what is forgotten") {
  const std::pair<const char*, const char*> kinds[] = {
      {"register",
       R"({ function = "write", value = "{unique}" }, { function = "read", weight = 2 },
          { function = "cas", value = ["{last}", "{unique}"] })"},
      {"list", R"({ function = "append", value = "{unique}" }, { function = "read" })"},
      {"set", R"({ function = "add", value = "{unique}" }, { function = "members" })"},
      {"queue", R"({ function = "enqueue", value = "{unique}" }, { function = "dequeue" })"},
      {"counter", R"({ function = "add", value = "{1..3}" }, { function = "read" })"}};
  REQUIRE(std::size(kinds) == judges().size());
  for (const auto& [check, mix] : kinds) {
    CAPTURE(check);
    const auto workload =
        make("[workload]\nname = \"w\"\noperations_per_key = 60\ncheck = \"" + std::string(check) +
             "\"\n[[phase]]\nrate = 500\nmix = [" + mix + "]\n");
    const auto right = workload->check(to_history(run(*workload, false)), {});
    REQUIRE(right.size() == 1);
    CHECK(right[0].answer == CheckReport::Answer::valid);
    const auto wrong = workload->check(to_history(run(*workload, true)), {});
    REQUIRE(wrong[0].answer == CheckReport::Answer::invalid);
    CHECK_FALSE(wrong[0].findings.at(0).witness.empty());
  }
}

TEST_CASE("custom: what is wrong with a file is told with its line and what to write") {
  const auto wrong = [](const std::string& text) {
    const auto read = parse_workload(text, "w.toml");
    return read ? std::string("nothing") : read.error().message;
  };
  CHECK(wrong(tickets) == "nothing");
  CHECK_THAT(wrong("x ="), Catch::Contains("w.toml:1: not TOML"));
  CHECK_THAT(wrong("[workloads]\n"),
             Catch::Contains("w.toml:1") && Catch::Contains("\"workload\""));
  CHECK_THAT(wrong("[workload]\nname = \"a\"\ncheck = \"queue\"\n"), Catch::Contains("[[phase]]"));
  CHECK_THAT(wrong(mix_for("que", "{ function = \"dequeue\" }")),
             Catch::Contains("w.toml:3") && Catch::Contains("did you mean \"queue\"?"));
  CHECK_THAT(wrong(mix_for("queue", "{ function = \"dequeu\" }")),
             Catch::Contains("w.toml:5") && Catch::Contains("did you mean \"dequeue\"?"));
  CHECK_THAT(wrong(mix_for("queue", "{ function = \"write\", value = 1 }")),
             Catch::Contains("does not judge \"write\""));
  CHECK_THAT(wrong(mix_for("queue", "{ function = \"enqueue\" }")),
             Catch::Contains("enqueue needs a value"));
  CHECK_THAT(wrong(mix_for("queue", "{ function = \"enqueue\", value = 3 }")),
             Catch::Contains("told apart"));
  CHECK_THAT(wrong(mix_for("queue", "{ function = \"enqueue\", value = \"{uniqe}\" }")),
             Catch::Contains("did you mean \"unique\"?"));
  CHECK_THAT(wrong(mix_for("queue", "{ function = \"dequeue\", value = 3 }")),
             Catch::Contains("takes no value"));
  CHECK_THAT(wrong(mix_for("queue", "{ function = \"dequeue\", wieght = 3 }")),
             Catch::Contains("did you mean \"weight\"?"));
  CHECK_THAT(wrong(mix_for("queue", "{ function = \"dequeue\", weight = 0 }")),
             Catch::Contains("more than 0"));
  CHECK_THAT(wrong(mix_for("register", "{ function = \"cas\", value = 3 }")),
             Catch::Contains("list of two"));
  CHECK_THAT(wrong(mix_for("register", R"({ function = "cas", value = ["{last}", "{unique}"] })")),
             Catch::Contains("before the first answer"));
  CHECK_THAT(wrong(mix_for("counter", "{ function = \"add\", value = \"many\" }")),
             Catch::Contains("is a number"));
  CHECK_THAT(wrong(mix_for("queue", "{ function = \"dequeue\" }") +
                   "[[phase]]\nmix = [{ function = \"dequeue\" }]\n"),
             Catch::Contains("w.toml:6") && Catch::Contains("would never come"));
  WorkloadOptions options;
  options.definition = "[workload]";
  options.definition_file = "w.toml";
  CHECK_FALSE(make_workload("w", options));
  CHECK_THAT(make_workload("regster", {}).error().message,
             Catch::Contains("did you mean register?"));
}

}  // namespace ordeal::workloads
