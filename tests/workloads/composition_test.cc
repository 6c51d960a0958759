// The laws of generators, on random compositions of all combinators, watched at every place inside
// them.

#include <random>

#include <catch2/catch.hpp>

#include "tests/workloads/simulator.h"

namespace ordeal::workloads {

namespace {

class Composer {
 public:
  Composer(std::uint64_t seed, Breaches breaches) : rng_(seed), breaches_(std::move(breaches)) {}

  // Ends by itself.
  Generator finite(int depth) { return lawful(draw(depth), breaches_); }

 private:
  Generator draw(int depth) {
    if (depth == 0) return leaf();
    switch (rng_.below(14)) {
      case 0:
        return mix(weighted(depth));
      case 1:
        return limit(rng_.below(20), finite(depth - 1));
      case 2:
        return time_limit(duration(), finite(depth - 1));
      case 3:
        return rate(100 + static_cast<double>(rng_.below(10'000)), finite(depth - 1));
      case 4:
      case 5:
        return sequence(several(depth));
      case 6:
      case 7:
        return phases(several(depth));
      case 8:
        return until_ok(finite(depth - 1));
      case 9:
        return per_worker(chosen_by_number(depth));
      case 10:
        return reserve(reserved(depth), finite(depth - 1));
      case 11: {
        const auto make = chosen_by_number(depth);
        const std::size_t keys = 1 + rng_.below(5);
        return per_key(1 + rng_.below(3), keys, [make](const Value& key) {
          return make(static_cast<std::size_t>(*key.as_integer()));
        });
      }
      // With a moment of sleep: phases that hold nothing take no time, and would be cycled through
      // without end.
      case 12:
        return time_limit(duration(),
                          cycle(lawful(sequence({finite(depth - 1), sleep(500us)}), breaches_)));
      default:
        return leaf();
    }
  }

  Generator leaf() {
    const Request request = read_of(Value(name_++));
    switch (rng_.below(6)) {
      case 0:
        return Generator();
      case 1:
        return once(request);
      case 2:
        return each({request, request, request});
      case 3:
        return limit(1 + rng_.below(10), repeat(request));
      case 4:
        return sleep(duration());
      default:
        return time_limit(duration(), from([request](Rng&) { return request; }));
    }
  }

  Nanoseconds duration() { return rng_.between(Nanoseconds(0ms), Nanoseconds(10ms)); }

  std::vector<Generator> several(int depth) {
    std::vector<Generator> parts(rng_.below(4));
    for (Generator& part : parts) part = finite(depth - 1);
    return parts;
  }

  std::vector<Weighted> weighted(int depth) {
    std::vector<Weighted> choices;
    for (Generator& part : several(depth)) {
      choices.push_back({static_cast<double>(rng_.below(3)), std::move(part)});
    }
    return choices;
  }

  std::vector<Reserved> reserved(int depth) {
    std::vector<Reserved> shares;
    for (Generator& part : several(depth)) shares.push_back({rng_.below(3), std::move(part)});
    return shares;
  }

  std::function<Generator(std::size_t)> chosen_by_number(int depth) {
    std::vector<Generator> parts = several(depth);
    parts.push_back(finite(depth - 1));
    return [parts](std::size_t number) { return parts[number % parts.size()]; };
  }

  Rng rng_;
  Breaches breaches_;
  int name_ = 0;
};

SimulationOptions options_for(std::uint64_t seed) {
  SimulationOptions options;
  options.workers = 1 + seed % 5;
  options.seed = seed;
  options.latency_min = 20us;
  options.operations_max = 4'000;
  options.probe = true;
  options.answer = [](const Request&, Rng& rng) {
    return Completion{rng.pick(std::vector{Outcome::ok, Outcome::fail, Outcome::info}), {}, {}};
  };
  return options;
}

bool same(const Simulation& one, const Simulation& other) {
  if (one.operations.size() != other.operations.size()) return false;
  for (std::size_t i = 0; i < one.operations.size(); ++i) {
    const SimulatedOperation &a = one.operations[i], &b = other.operations[i];
    if (a.invoked_at != b.invoked_at || a.completed_at != b.completed_at || a.worker != b.worker ||
        !(a.request == b.request) || a.completion.outcome != b.completion.outcome) {
      return false;
    }
  }
  return one.ended_at == other.ended_at && one.ended == other.ended;
}

}  // namespace

TEST_CASE("random compositions keep the laws, end, and replay") {
  const std::uint64_t first_seed = std::random_device()();
  std::size_t operations = 0;
  for (std::uint64_t seed = first_seed; seed < first_seed + 400; ++seed) {
    CAPTURE(seed);
    const auto inside = std::make_shared<std::vector<std::string>>();
    const Generator composed = Composer(seed, inside).finite(4);
    const Generator untouched = composed;
    const Simulation once = simulate(composed, options_for(seed));
    REQUIRE(once.breaches == std::vector<std::string>());
    REQUIRE(*inside == std::vector<std::string>());
    REQUIRE((once.ended || once.operations.size() == 4'000));
    // A copy is as the original was, and equal seeds give equal histories.
    REQUIRE(same(once, simulate(untouched, options_for(seed))));
    operations += once.operations.size();
  }
  CHECK(operations > 1'000);  // the compositions are not all empty
}

TEST_CASE("a copy made half-way goes its own way") {
  const std::uint64_t first_seed = std::random_device()();
  for (std::uint64_t seed = first_seed; seed < first_seed + 200; ++seed) {
    CAPTURE(seed);
    const auto inside = std::make_shared<std::vector<std::string>>();
    // One worker at a time, in turn, with each request completed at once.
    const auto play = [](Generator& generator, Rng& rng, std::size_t from, std::size_t steps) {
      std::string played;
      for (std::size_t i = from; i < from + steps; ++i) {
        const Context context{Nanoseconds(i * 100'000), i % 3, 3};
        const Step step = generator.next(context, rng);
        if (const auto* next = std::get_if<Next>(&step)) {
          played += to_text(next->request) + ";";
          generator.completed(context, next->request, {Outcome::ok, {}, {}});
        } else {
          played += std::holds_alternative<Done>(step) ? "done;" : "wait;";
        }
      }
      return played;
    };
    Generator original = Composer(seed, inside).finite(4);
    Rng rng(seed);
    (void)play(original, rng, 0, 30);
    Generator copy = original;
    Rng rng_of_copy = rng;
    const std::string played = play(original, rng, 30, 60);
    REQUIRE(play(copy, rng_of_copy, 30, 60) == played);
    REQUIRE(*inside == std::vector<std::string>());
  }
}

TEST_CASE("the watch over the laws barks") {
  struct Lawless : Generator::Source {
    explicit Lawless(int breach) : breach_(breach) {}
    Step next(const Context& context, Rng&) override {
      ++asked_;
      if (breach_ == 0) return Next{read_of("x"), context.now - 1ns};
      if (breach_ == 1) return Wait{context.now};
      if (breach_ == 2)
        return asked_ % 2 == 1 ? Step(Done{}) : Step(Next{read_of("x"), context.now});
      if (breach_ == 3)
        return asked_ < context.workers ? Step(Wait{}) : Step(Wait{context.now + 1s});
      return Wait{};
    }
    std::unique_ptr<Source> clone() const override { return std::make_unique<Lawless>(*this); }
    int breach_;
    std::size_t asked_ = 0;
  };
  const int breach = GENERATE(0, 1, 2, 3, 4);
  CAPTURE(breach);
  SimulationOptions options;
  options.workers = 2;
  options.operations_max = 10;
  CHECK_FALSE(simulate(Generator(std::make_unique<Lawless>(breach)), options).breaches.empty());
}

}  // namespace ordeal::workloads
