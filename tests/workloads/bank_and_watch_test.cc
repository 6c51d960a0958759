// The workloads bank and watch against right systems that exist only in memory: no law broken,
// every function asked, and nothing found.

#include <algorithm>
#include <map>

#include <catch2/catch.hpp>

#include "tests/workloads/simulator.h"
#include "workloads/bank.h"
#include "workloads/watch.h"

namespace ordeal::workloads {
namespace {

// As the engine records them: each event in its place.
History history_of(const Simulation& simulation) {
  struct At {
    Nanoseconds time;
    const SimulatedOperation* op;
    bool invokes;
  };
  std::vector<At> events;
  for (const SimulatedOperation& op : simulation.operations) {
    events.push_back({op.invoked_at, &op, true});
    events.push_back({op.completed_at, &op, false});
  }
  // What ends at a moment ends before another begins: a worker is free by then.
  std::stable_sort(events.begin(), events.end(), [](const At& a, const At& b) {
    return a.time != b.time ? a.time < b.time : a.invokes < b.invokes;
  });
  HistoryBuilder builder;
  EventIndex index = 0;
  for (const At& at : events) {
    Event event;
    event.index = index++;
    event.time = at.time;
    event.process = static_cast<Process>(at.op->worker);
    event.function = at.op->request.function;
    event.key = at.op->request.key;
    event.value = at.invokes ? at.op->request.argument : at.op->completion.result;
    event.type = at.invokes                                   ? EventType::invoke
                 : at.op->completion.outcome == Outcome::fail ? EventType::fail
                                                              : EventType::ok;
    REQUIRE(builder.add(event));
  }
  return std::move(builder).finish();
}

SimulationOptions options_of(std::uint64_t seed) {
  SimulationOptions options;
  options.seed = seed;
  options.workers = 6;
  return options;
}

}  // namespace

TEST_CASE("bank: money comes in, moves and is read, and some of it is not there") {
  const std::uint64_t seed = GENERATE(as<std::uint64_t>(), 1, 2);
  CAPTURE(seed);
  std::map<std::int64_t, std::map<std::int64_t, std::int64_t>> banks;
  SimulationOptions options = options_of(seed);
  options.answer = [&banks](const Request& request, Rng&) -> Completion {
    auto& bank = banks[*request.key.as_integer()];
    if (request.function == Function::balances) {
      Value::List all;
      for (const auto& [account, balance] : bank) all.push_back(Value::list({account, balance}));
      return {Outcome::ok, Value(std::move(all)), {}};
    }
    const Value::List& parts = *request.argument.as_list();
    const std::int64_t amount = *parts[2].as_integer();
    if (!parts[0].is_nil()) {
      std::int64_t& from = bank[*parts[0].as_integer()];
      if (from < amount) return {Outcome::fail, {}, std::string(insufficient)};
      from -= amount;
    }
    bank[*parts[1].as_integer()] += amount;
    return {Outcome::ok, {}, {}};
  };
  const auto workload = make_bank({});
  const Simulation simulation = simulate(limit(4000, workload->main(Rng(seed))), options);
  CHECK(simulation.breaches.empty());
  std::map<std::pair<Function, Outcome>, int> count;
  for (const auto& op : simulation.operations)
    ++count[{op.request.function, op.completion.outcome}];
  CHECK(count[{Function::balances, Outcome::ok}] > 1000);
  CHECK(count[{Function::transfer, Outcome::ok}] > 1000);
  CHECK(count[{Function::transfer, Outcome::fail}] > 100);
  const auto reports = workload->check(history_of(simulation), {});
  REQUIRE(reports.size() == 1);
  CAPTURE(reports[0].undecided.empty() ? "" : reports[0].undecided[0].why);
  CHECK(reports[0].answer == CheckReport::Answer::valid);
  CHECK(reports[0].keys > 5);
}

TEST_CASE("watch: clients go on from what they saw") {
  const std::uint64_t seed = GENERATE(as<std::uint64_t>(), 1, 2);
  CAPTURE(seed);
  std::map<std::int64_t, Value::List> events;
  std::int64_t revision = 0;
  std::size_t went_on = 0;
  SimulationOptions options = options_of(seed);
  options.answer = [&](const Request& request, Rng&) -> Completion {
    Value::List& all = events[*request.key.as_integer()];
    if (request.function == Function::write) {
      all.push_back(Value::list({++revision, request.argument}));
      return {Outcome::ok, {}, {}};
    }
    const std::int64_t* after = request.argument.as_integer();
    went_on += after == nullptr ? 0 : 1;
    Value::List shown;
    for (const Value& event : all)
      if (*event.as_list()->at(0).as_integer() > (after == nullptr ? 0 : *after))
        shown.push_back(event);
    return {Outcome::ok, Value(std::move(shown)), {}};
  };
  const auto workload = make_watch({});
  const Simulation simulation = simulate(limit(4000, workload->main(Rng(seed))), options);
  CHECK(simulation.breaches.empty());
  CHECK(went_on > 1000);
  const auto reports = workload->check(history_of(simulation), {});
  REQUIRE(reports.size() == 1);
  CHECK(reports[0].answer == CheckReport::Answer::valid);
  CHECK(reports[0].keys > 5);
}

}  // namespace ordeal::workloads
