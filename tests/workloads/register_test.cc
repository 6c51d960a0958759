#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include <catch2/catch.hpp>

#include "tests/workloads/simulator.h"
#include "workloads/workload.h"

namespace ordeal::workloads {

namespace {

std::unique_ptr<Workload> make(const WorkloadOptions& options) {
  const auto& kinds = workload_kinds();
  const auto kind = std::find_if(kinds.begin(), kinds.end(),
                                 [](const WorkloadKind& k) { return k.name == "register"; });
  REQUIRE(kind != kinds.end());
  return kind->make(options);
}

// Atomic registers that answer at the moment of completion, within the operation.
class Registers {
 public:
  Completion operator()(const Request& request, Rng&) {
    Value& value = values_[request.key];
    switch (request.function) {
      case Function::read:
        return {Outcome::ok, value, {}};
      case Function::write:
        value = request.argument;
        return {Outcome::ok, {}, {}};
      default:
        break;
    }
    const Value::List& swap = *request.argument.as_list();
    if (!(value == swap.at(0))) return {Outcome::fail, {}, "cas-mismatch"};
    value = swap.at(1);
    return {Outcome::ok, {}, {}};
  }

 private:
  std::unordered_map<Value, Value, ValueHash> values_;
};

Simulation run(const Workload& workload, std::size_t workers, std::uint64_t seed,
               Nanoseconds time) {
  SimulationOptions options;
  options.workers = workers;
  options.seed = seed;
  options.latency_min = 200us;
  options.latency_max = 2ms;
  options.answer = Registers();
  return simulate(time_limit(time, workload.main(Rng(seed))), options);
}

std::optional<std::int64_t> written(const Request& request) {
  if (request.function == Function::write) return *request.argument.as_integer();
  if (request.function == Function::cas) return *request.argument.as_list()->at(1).as_integer();
  return std::nullopt;
}

History to_history(const Simulation& simulation, std::size_t nodes) {
  struct Stamped {
    Nanoseconds at;
    Event event;
  };
  std::vector<Stamped> stamped;
  for (const SimulatedOperation& op : simulation.operations) {
    Event event;
    event.process = static_cast<Process>(op.worker);
    event.node = static_cast<NodeIndex>(op.worker % nodes);
    event.function = op.request.function;
    event.key = op.request.key;
    event.value = op.request.argument;
    event.time = op.invoked_at;
    stamped.push_back({op.invoked_at, event});
    event.value = op.completion.result;
    event.error = op.completion.error;
    event.type = op.completion.outcome == Outcome::ok ? EventType::ok : EventType::fail;
    event.time = op.completed_at;
    stamped.push_back({op.completed_at, event});
  }
  std::stable_sort(stamped.begin(), stamped.end(), [](const Stamped& one, const Stamped& other) {
    if (one.at != other.at) return one.at < other.at;
    return one.event.type != EventType::invoke && other.event.type == EventType::invoke;
  });
  HistoryBuilder builder;
  builder.set_nodes(std::vector<std::string>(nodes, "n"));
  EventIndex index = 0;
  for (Stamped& each : stamped) {
    each.event.index = index++;
    REQUIRE(builder.add(std::move(each.event)));
  }
  return std::move(builder).finish();
}

}  // namespace

TEST_CASE("register writes values unique on their key, and most compare-and-sets are plausible") {
  const std::uint64_t seed = GENERATE(1U, 2U, 3U);
  const auto workload = make({});
  const Simulation simulation = run(*workload, 10, seed, 10s);
  REQUIRE(simulation.breaches == std::vector<std::string>());
  REQUIRE(simulation.ended);

  std::map<std::int64_t, std::set<std::int64_t>> values;
  std::map<std::int64_t, std::set<std::size_t>> groups;
  std::map<std::int64_t, std::size_t> operations;
  std::map<Function, std::size_t> functions;
  std::size_t swapped = 0;
  for (const SimulatedOperation& op : simulation.operations) {
    const std::int64_t key = *op.request.key.as_integer();
    ++operations[key];
    groups[key].insert(op.worker / 5);
    ++functions[op.request.function];
    if (const auto value = written(op.request)) CHECK(values[key].insert(*value).second);
    if (op.request.function == Function::cas && op.completion.outcome == Outcome::ok) ++swapped;
  }
  const double all = static_cast<double>(simulation.operations.size());
  CHECK(all > 80'000);
  CHECK(static_cast<double>(functions[Function::read]) / all == Approx(0.5).margin(0.02));
  CHECK(static_cast<double>(functions[Function::write]) / all == Approx(0.25).margin(0.02));
  CHECK(static_cast<double>(functions[Function::cas]) / all == Approx(0.25).margin(0.02));
  CHECK(static_cast<double>(swapped) / static_cast<double>(functions[Function::cas]) > 0.2);
  for (const auto& [key, count] : operations) CHECK(count <= 300);
  for (const auto& [key, group] : groups) CHECK(group.size() == 1);
  CHECK(operations.rbegin()->first + 1 == static_cast<std::int64_t>(operations.size()));
  CHECK(operations.size() > simulation.operations.size() / 300);
}

TEST_CASE("register obeys its options") {
  WorkloadOptions options;
  options.keys = 6;
  options.group = 3;
  options.operations_per_key = 40;
  options.read_share = 0.8;
  options.write_share = 0.2;
  const auto workload = make(options);
  CHECK(workload->needs() == std::vector{Function::read, Function::write});
  const Simulation simulation = run(*workload, 7, 1, 1h);
  CHECK(simulation.ended);
  CHECK(simulation.operations.size() == 240);
  for (const auto& op : simulation.operations) CHECK(op.request.function != Function::cas);

  options.rate = 50;
  const Simulation slow = run(*make(options), 7, 1, 1h);
  CHECK(slow.operations.size() == 240);
  CHECK(slow.operations.back().invoked_at > 3s);  // 4.8 expected
  CHECK(make({})->needs() == std::vector{Function::read, Function::write, Function::cas});
}

TEST_CASE("register reads every key through every node at the end") {
  const std::size_t nodes = GENERATE(1U, 2U, 3U, 5U, 7U);
  const std::size_t workers = GENERATE(2U, 9U, 10U, 25U);
  const std::size_t keys = GENERATE(0U, 1U, 60U, 10'000U);
  CAPTURE(nodes, workers, keys);
  std::vector<Value> touched;
  for (std::size_t i = 0; i < keys; ++i) touched.emplace_back(static_cast<std::int64_t>(i));
  SimulationOptions options;
  options.workers = workers;
  const Simulation simulation = simulate(make({})->final(touched), options);
  CHECK(simulation.ended);
  CHECK(simulation.breaches == std::vector<std::string>());
  std::map<std::int64_t, std::set<std::size_t>> through;
  for (const auto& op : simulation.operations) {
    CHECK(op.request.function == Function::read);
    through[*op.request.key.as_integer()].insert(op.worker % nodes);
  }
  CHECK(through.size() == std::min<std::size_t>(keys, 500));
  for (const auto& [key, seen] : through) CHECK(seen.size() == std::min(workers, nodes));
  if (keys > 0) CHECK(through.count(static_cast<std::int64_t>(keys) - 1) == 1);
}

TEST_CASE("register is judged by the linearizability checker") {
  const auto workload = make({});
  Simulation simulation = run(*workload, 10, 7, 500ms);
  const auto reports = workload->check(to_history(simulation, 5), {});
  REQUIRE(reports.size() == 1);
  CHECK(reports[0].answer == CheckReport::Answer::valid);
  CHECK(reports[0].keys > 0);

  // A read of the last key that returns what nobody wrote.
  const auto read =
      std::find_if(simulation.operations.rbegin(), simulation.operations.rend(),
                   [](const auto& op) { return op.request.function == Function::read; });
  read->completion.result = Value(123'456'789);
  CHECK(workload->check(to_history(simulation, 5), {})[0].answer == CheckReport::Answer::invalid);
}

}  // namespace ordeal::workloads
