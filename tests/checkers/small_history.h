#pragma once
// Small random histories for differential tests: a few processes, each operation takes effect at a
// random moment within it, and answers are sometimes falsified.

#include <functional>
#include <vector>

#include <catch2/catch.hpp>

#include "core/history.h"
#include "core/random.h"
#include "core/verdict.h"

namespace ordeal::checkers {

// Asked for the request of a process, and for its answer at the moment at which it takes effect.
struct SmallSystem {
  std::function<Request(Process process, Rng& rng)> ask;
  std::function<Completion(Process process, const Request& request, Rng& rng)> answer;
};

// Milliseconds of history time pass between events.
inline History small_history(SmallSystem system, std::size_t operations, int processes, Rng& rng) {
  struct Open {
    bool busy = false, decided = false;
    Request request;
    Completion completion;
  };
  HistoryBuilder builder;
  builder.set_nodes({"n1", "n2"});
  std::vector<Open> open(static_cast<std::size_t>(processes));
  std::vector<Process> numbers;
  for (int i = 0; i < processes; ++i) numbers.push_back(i);
  EventIndex index = 0;
  std::size_t asked = 0;
  for (int turn = 0; turn < 400; ++turn) {
    const std::size_t who = rng.below(open.size());
    Open& slot = open[who];
    Event event;
    event.process = numbers[who];
    event.time = Nanoseconds(1ms) * index;
    if (!slot.busy) {
      if (asked == operations) continue;
      ++asked;
      slot = {true, false, system.ask(event.process, rng), {}};
      event.type = EventType::invoke;
      event.value = slot.request.argument;
    } else if (!slot.decided) {
      slot.completion = system.answer(event.process, slot.request, rng);
      slot.decided = true;
      continue;
    } else {
      slot.busy = false;
      event.type = slot.completion.outcome == Outcome::ok     ? EventType::ok
                   : slot.completion.outcome == Outcome::fail ? EventType::fail
                                                              : EventType::info;
      event.value = slot.completion.result;
      if (event.type == EventType::info) numbers[who] += processes;
    }
    event.function = slot.request.function;
    event.key = slot.request.key;
    event.index = index++;
    const auto added = builder.add(event);
    ORDEAL_CHECK(added.has_value(), "a test history that cannot be");
  }
  return std::move(builder).finish();
}

// Of a checker that may miss something: it is silent wherever its twin finds an order, and sees
// most of what is wrong in a system that lies. `make` gives such a system anew.
inline void require_silence(const std::function<SmallSystem()>& make, bool lies,
                            const std::function<CheckReport(const History&)>& check,
                            const std::function<bool(const History&)>& twin_explains, Rng& rng) {
  std::size_t explained = 0, impossible = 0, found = 0;
  for (int round = 0; round < 400; ++round) {
    CAPTURE(round);
    const History history = small_history(make(), 8, 3, rng);
    const bool right = twin_explains(history);
    const bool silent = check(history).answer == CheckReport::Answer::valid;
    ++(right ? explained : impossible);
    found += silent ? 0 : 1;
    if (right) REQUIRE(silent);
  }
  CHECK(explained > 50);
  if (!lies) CHECK(impossible == 0);
  if (lies) CHECK(impossible > 10);
  if (lies) CHECK(found * 10 > impossible * 6);
}

}  // namespace ordeal::checkers
