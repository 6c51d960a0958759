#include <algorithm>
#include <map>
#include <set>

#include <catch2/catch.hpp>

#include "tests/workloads/simulator.h"

namespace ordeal::workloads {

namespace {

const Request a = read_of("a"), b = read_of("b"), c = read_of("c");

Simulation run(Generator generator, SimulationOptions options = {}) {
  options.probe = true;
  Simulation simulation = simulate(std::move(generator), options);
  INFO("seed " << options.seed);
  CHECK(simulation.breaches == std::vector<std::string>());
  return simulation;
}

std::string keys_of(const Simulation& simulation) {
  std::string keys;
  for (const SimulatedOperation& op : simulation.operations) keys += to_text(op.request.key);
  return keys;
}

std::map<std::string, std::size_t> counts_of(const Simulation& simulation) {
  std::map<std::string, std::size_t> counts;
  for (const SimulatedOperation& op : simulation.operations) ++counts[to_text(op.request.key)];
  return counts;
}

bool overlap(const SimulatedOperation& one, const SimulatedOperation& other) {
  return one.invoked_at < other.completed_at && other.invoked_at < one.completed_at;
}

SimulationOptions with_workers(std::size_t workers) {
  SimulationOptions options;
  options.workers = workers;
  return options;
}

}  // namespace

TEST_CASE("a default generator is done") {
  const Simulation simulation = run(Generator());
  CHECK(simulation.ended);
  CHECK(simulation.operations.empty());
}

TEST_CASE("once is given to one worker") { CHECK(keys_of(run(once(a))) == "a"); }

TEST_CASE("each gives every request once and in order") {
  const Simulation simulation = run(each({a, b, c, b}));
  CHECK(keys_of(simulation) == "abcb");
  CHECK(simulation.ended);
}

TEST_CASE("limit counts the requests of all workers") {
  CHECK(keys_of(run(limit(7, repeat(a)))) == "aaaaaaa");
  CHECK(keys_of(run(limit(0, repeat(a)))).empty());
  CHECK(keys_of(run(limit(9, each({a, b})))) == "ab");
}

TEST_CASE("from asks its function, and a copy has a copy of what it captured") {
  const Generator counting = limit(4, from([n = 0](Rng&) mutable { return read_of(Value(n++)); }));
  CHECK(keys_of(run(counting)) == "0123");
  CHECK(keys_of(run(counting)) == "0123");
}

TEST_CASE("from draws from the stream of the run") {
  const auto keys_with = [](std::uint64_t seed) {
    SimulationOptions options;
    options.seed = seed;
    return keys_of(run(
        limit(50, from([](Rng& rng) { return read_of(Value(rng.between(std::int64_t{0}, 9))); })),
        options));
  };
  CHECK(keys_with(1) == keys_with(1));
  CHECK(keys_with(1) != keys_with(2));
}

TEST_CASE("sleep gives nothing and takes its time") {
  const Simulation simulation = run(sequence({limit(3, repeat(a)), sleep(5s), once(b)}));
  REQUIRE(keys_of(simulation) == "aaab");
  CHECK(simulation.operations[3].invoked_at >= 5s);
  CHECK(simulation.operations[3].invoked_at < 5s + 2ms);
  CHECK(simulation.ended);
}

TEST_CASE("mix draws by weight") {
  SimulationOptions options;
  options.seed = GENERATE(1U, 2U, 3U);
  const auto counts =
      counts_of(run(limit(10'000, mix({{1, repeat(a)}, {3, repeat(b)}, {0, repeat(c)}})), options));
  CHECK(counts.count("c") == 0);
  CHECK(counts.at("a") + counts.at("b") == 10'000);
  CHECK(counts.at("a") > 2'300);  // 2500 expected, standard deviation 43
  CHECK(counts.at("a") < 2'700);
}

TEST_CASE("mix goes on with what is left, and passes over what waits") {
  const auto counts = counts_of(run(mix({{1, limit(5, repeat(a))}, {1, limit(50, repeat(b))}})));
  CHECK(counts.at("a") == 5);
  CHECK(counts.at("b") == 50);

  const Simulation simulation =
      run(mix({{1, sequence({sleep(1s), once(a)})}, {1, limit(50, repeat(b))}}));
  CHECK(counts_of(simulation).at("b") == 50);
  CHECK(to_text(simulation.operations.back().request.key) == "a");
  CHECK(run(mix({})).ended);
}

TEST_CASE("time_limit lets nothing be due at or after its end") {
  SimulationOptions options = with_workers(4);
  options.seed = GENERATE(1U, 2U, 3U);
  const Simulation plain = run(time_limit(50ms, repeat(a)), options);
  CHECK(plain.ended);
  CHECK(plain.operations.size() > 300);  // 4 workers, 0.5 ms each
  for (const auto& op : plain.operations) CHECK(op.invoked_at < 50ms);

  const Simulation slow = run(time_limit(2s, rate(10, repeat(a))), options);
  for (const auto& op : slow.operations) CHECK(op.invoked_at < 2s);
  CHECK(run(time_limit(0s, repeat(a))).operations.empty());
}

TEST_CASE("time_limit ends even what waits for ever") {
  const Simulation simulation = run(time_limit(1s, sleep(1h)));
  CHECK(simulation.ended);
  CHECK(simulation.ended_at == 1s);
}

TEST_CASE("time_limit counts from the moment it was first asked") {
  const Simulation simulation = run(phases({sleep(10s), time_limit(1s, rate(100, repeat(a)))}));
  CHECK(simulation.operations.size() > 50);
  for (const auto& op : simulation.operations) CHECK((op.invoked_at >= 10s && op.invoked_at < 11s));
}

TEST_CASE("rate keeps its mean and its spread while workers are free") {
  SimulationOptions options = with_workers(10);
  options.seed = GENERATE(1U, 2U, 3U, 4U);
  const Simulation simulation = run(time_limit(100s, rate(100, repeat(a))), options);
  const auto& ops = simulation.operations;
  CHECK(ops.size() > 9'700);  // 10,000 expected, standard deviation 58
  CHECK(ops.size() < 10'300);
  Nanoseconds longest{};
  for (std::size_t i = 1; i < ops.size(); ++i)
    longest = std::max(longest, ops[i].invoked_at - ops[i - 1].invoked_at);
  CHECK(longest <= 20ms);
  CHECK(longest > 19ms);
}

TEST_CASE(
    "rate is not lowered by slow answers, and does not make up for what all were too busy for") {
  SimulationOptions slow = with_workers(10);
  slow.latency_min = slow.latency_max = 50ms;  // ten workers can do 200 a second
  const std::size_t reached = run(time_limit(100s, rate(100, repeat(a))), slow).operations.size();
  CHECK(reached > 9'700);

  SimulationOptions stalled = with_workers(2);
  stalled.latency_min = stalled.latency_max = 100us;
  bool stall = true;
  const Generator two = phases({limit(2, from([&stall](Rng&) {
                                        stall = false;
                                        return a;
                                      })),
                                sleep(10s)});
  const Simulation simulation =
      run(time_limit(20s, rate(100, sequence({two, repeat(b)}))), stalled);
  CHECK_FALSE(stall);
  CHECK(counts_of(simulation).at("b") < 1'100);  // 10 s of them, not 20
}

TEST_CASE("sequence goes on for each worker by itself") {
  // Worker 0 is done with the first part at once, and does not wait for the others.
  const Generator first = per_worker(
      [](std::size_t worker) { return worker == 0 ? Generator() : limit(20, repeat(a)); });
  const Simulation simulation = run(sequence({first, limit(5, repeat(b))}));
  CHECK(counts_of(simulation) == std::map<std::string, std::size_t>{{"a", 40}, {"b", 5}});
  CHECK(to_text(simulation.operations.back().request.key) == "a");
  for (const auto& op : simulation.operations) CHECK((op.worker == 0) == (op.request == b));
}

TEST_CASE("phases wait for all workers") {
  SimulationOptions options = with_workers(5);
  options.seed = GENERATE(1U, 2U, 3U, 4U, 5U);
  const Simulation simulation =
      run(phases({limit(13, repeat(a)), Generator(), limit(17, repeat(b)), once(c)}), options);
  CHECK(simulation.ended);
  CHECK(keys_of(simulation) == std::string(13, 'a') + std::string(17, 'b') + "c");
  for (const auto& one : simulation.operations) {
    for (const auto& other : simulation.operations) {
      if (!(one.request == other.request)) CHECK_FALSE(overlap(one, other));
    }
  }
}

TEST_CASE("phases wake those that nothing else would wake") {
  // Nothing completes here: the workers learn of the next phase from each other alone.
  const Generator for_one =
      per_worker([](std::size_t worker) { return worker == 0 ? once(b) : Generator(); });
  SimulationOptions options = with_workers(4);
  options.seed = GENERATE(range(1U, 20U));
  CHECK(keys_of(run(phases({Generator(), for_one}), options)) == "b");
  CHECK(keys_of(run(phases({phases({Generator(), Generator()}), for_one}), options)) == "b");
  CHECK(keys_of(run(phases({phases({Generator(), for_one}), once(c)}), options)) == "bc");
  CHECK(keys_of(run(sequence({phases({Generator(), Generator()}), for_one}), options)) == "b");
}

TEST_CASE("per_worker gives each its own, as a world of one worker") {
  const Simulation simulation = run(per_worker([](std::size_t worker) {
    return phases({limit(worker + 1, repeat(read_of(Value(static_cast<int>(worker))))), once(a)});
  }));
  CHECK(counts_of(simulation) ==
        std::map<std::string, std::size_t>{{"0", 1}, {"1", 2}, {"2", 3}, {"a", 3}});
  for (const auto& op : simulation.operations) {
    if (!(op.request == a))
      CHECK(*op.request.key.as_integer() == static_cast<std::int64_t>(op.worker));
  }
}

TEST_CASE("reserve sets workers apart") {
  const auto given = [](std::size_t workers) {
    std::map<std::string, std::set<std::size_t>> by_key;
    std::vector<Reserved> reserved;
    reserved.push_back({2, limit(40, repeat(a))});
    reserved.push_back({1, limit(40, repeat(b))});
    for (const auto& op :
         run(reserve(std::move(reserved), limit(40, repeat(c))), with_workers(workers))
             .operations) {
      by_key[to_text(op.request.key)].insert(op.worker);
    }
    return by_key;
  };
  using Given = std::map<std::string, std::set<std::size_t>>;
  CHECK(given(5) == Given{{"a", {0, 1}}, {"b", {2}}, {"c", {3, 4}}});
  CHECK(given(3) == Given{{"a", {0, 1}}, {"b", {2}}});
  CHECK(given(1) == Given{{"a", {0}}});
}

TEST_CASE("until_ok goes on until one is ok") {
  SimulationOptions options = with_workers(2);
  int left = 5;
  options.answer = [&left](const Request&, Rng&) {
    return --left > 0 ? Completion{Outcome::fail, {}, "no"} : Completion{Outcome::ok, {}, {}};
  };
  const Simulation simulation = run(sequence({until_ok(repeat(a)), once(b)}), options);
  CHECK(simulation.ended);
  // The fifth answer is ok; at most one more can have been under way.
  CHECK(counts_of(simulation).at("a") >= 5);
  CHECK(counts_of(simulation).at("a") <= 6);
  CHECK(counts_of(simulation).at("b") == 1);
}

TEST_CASE("until_ok wakes who sleeps inside") {
  SimulationOptions options = with_workers(2);
  const Generator inner =
      per_worker([](std::size_t worker) { return worker == 0 ? sleep(1h) : repeat(a); });
  CHECK(run(until_ok(inner), options).ended_at < 2ms);
}

TEST_CASE("cycle begins again, and ends where there is nothing") {
  CHECK(keys_of(run(limit(7, cycle(each({a, b, c}))), with_workers(1))) == "abcabca");
  CHECK(run(cycle(Generator())).ended);
  CHECK(run(cycle(sleep(0s))).ended);
  const Generator for_one =
      per_worker([](std::size_t worker) { return worker == 0 ? once(b) : Generator(); });
  const Simulation simulation = run(limit(20, cycle(for_one)));
  CHECK(keys_of(simulation) == std::string(20, 'b'));
  CHECK(simulation.ended);
}

TEST_CASE("per_key keeps its groups on keys of their own, in order") {
  SimulationOptions options = with_workers(7);
  options.seed = GENERATE(1U, 2U, 3U);
  const Simulation simulation = run(
      per_key(3, 10, [](const Value& key) { return limit(30, repeat(read_of(key))); }), options);
  CHECK(simulation.ended);
  std::map<std::int64_t, std::size_t> operations;
  std::map<std::int64_t, std::set<std::size_t>> groups;
  std::map<std::size_t, std::int64_t> at;
  for (const auto& op : simulation.operations) {
    const std::int64_t key = *op.request.key.as_integer();
    ++operations[key];
    groups[key].insert(op.worker / 3);
    CHECK(key >= at[op.worker]);
    at[op.worker] = key;
  }
  CHECK(operations.size() == 10);
  for (const auto& [key, count] : operations) CHECK(count == 30);
  for (const auto& [key, group] : groups) CHECK(group.size() == 1);
  CHECK(operations.begin()->first == 0);
}

TEST_CASE("per_key does not wait for an operation that hangs") {
  SimulationOptions options = with_workers(3);
  options.latency_min = options.latency_max = 1ms;
  const auto on_key = [](const Value& key) { return mix({{1, limit(30, repeat(read_of(key)))}}); };
  // Worker 2 sleeps for long inside key 0; the others go on.
  const auto with_sleeper = [on_key](const Value& key) {
    if (!(key == Value(0))) return on_key(key);
    std::vector<Reserved> reserved;
    reserved.push_back({2, on_key(key)});
    return reserve(std::move(reserved), sleep(1s));
  };
  const Simulation simulation = run(per_key(3, 20, with_sleeper), options);
  CHECK(simulation.operations.size() == 600);
  CHECK(simulation.operations.back().completed_at < 400ms);
}

TEST_CASE("per_key for ever ends where new keys have nothing") {
  CHECK(run(per_key(2, 0, [](const Value&) { return Generator(); })).ended);
  const Simulation simulation =
      run(limit(1'000, per_key(2, 0, [](const Value& key) { return once(read_of(key)); })));
  CHECK(counts_of(simulation).size() == 1'000);
}

TEST_CASE("per_key takes a group larger than all workers, and one that does not divide them") {
  const auto make = [](const Value& key) { return limit(10, repeat(read_of(key))); };
  CHECK(run(per_key(100, 3, make), with_workers(4)).operations.size() == 30);
  CHECK(run(per_key(3, 5, make), with_workers(4)).operations.size() == 50);
  CHECK(run(per_key(1, 5, make), with_workers(4)).operations.size() == 50);
}

}  // namespace ordeal::workloads
