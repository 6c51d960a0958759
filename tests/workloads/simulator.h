#pragma once
// A virtual clock and workers that exist only as numbers: runs a generator as the engine would, in
// no time, with seeded latencies and outcomes, and notes each breach of the laws of generator.h.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "workloads/generator.h"

namespace ordeal::workloads {

struct SimulatedOperation {
  Nanoseconds invoked_at{};
  Nanoseconds completed_at{};
  std::size_t worker = 0;
  Request request;
  Completion completion;
};

struct Simulation {
  std::vector<SimulatedOperation> operations;  // by invocation
  Nanoseconds ended_at{};                      // when the last worker was told that it is done
  bool ended = false;                          // all workers were told so; else a bound was hit
  std::vector<std::string> breaches;           // of laws
};

struct SimulationOptions {
  std::size_t workers = 3;
  std::uint64_t seed = 1;
  Nanoseconds latency_min = 1us;
  Nanoseconds latency_max = 1ms;
  // What an operation answers, asked at the moment of its completion.
  std::function<Completion(const Request&, Rng&)> answer = [](const Request&, Rng&) {
    return Completion{Outcome::ok, {}, {}};
  };
  std::size_t operations_max = 100'000;
  bool probe = false;  // look into copies before and after each wait: slow
};

[[nodiscard]] Simulation simulate(Generator generator, const SimulationOptions& options);

using Breaches = std::shared_ptr<std::vector<std::string>>;

// The same generator, with each call to it and each answer held against the laws. Works at any
// place of a composition: combinators owe the laws to what they are made of, too.
[[nodiscard]] Generator lawful(Generator inner, Breaches breaches);

[[nodiscard]] inline Request read_of(Value key) { return {Function::read, std::move(key), {}}; }

}  // namespace ordeal::workloads
