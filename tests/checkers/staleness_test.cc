// How old answers were, against the smallest number that any order of writes and reads allows.

#include "checkers/staleness.h"

#include <catch2/catch.hpp>

#include "tests/checkers/script.h"

namespace ordeal::checkers::test {

namespace {

std::optional<Staleness> measured(const History& history) {
  const KeyOperations key = split_by_key(history).front();
  return measure_staleness(read_register(history, key).ops, history);
}

// Whether the operations that are not in `placed` fit behind those that are, with every read among
// the last `most` writes before it, or the one before them.
bool fits(const std::vector<RegisterOp>& ops, std::vector<bool>& placed,
          std::vector<ValueId>& written, std::size_t most) {
  bool is_complete = true;
  for (std::size_t i = 0; i < ops.size(); ++i) {
    if (placed[i]) continue;
    is_complete = is_complete && !ops[i].is_certain();
    bool is_next = true;
    for (std::size_t k = 0; k < ops.size(); ++k) {
      is_next = is_next && (placed[k] || !ops[k].precedes(ops[i]));
    }
    if (!is_next) continue;
    if (ops[i].is_read()) {
      bool is_recent = false;
      for (std::size_t back = 0; back <= most && back < written.size(); ++back) {
        is_recent = is_recent || written[written.size() - 1 - back] == ops[i].observes;
      }
      if (!is_recent) continue;
    } else {
      written.push_back(ops[i].sets);
    }
    placed[i] = true;
    const bool found = fits(ops, placed, written, most);
    placed[i] = false;
    if (!ops[i].is_read()) written.pop_back();
    if (found) return true;
  }
  return is_complete;
}

bool suffices(const std::vector<RegisterOp>& ops, std::size_t most) {
  std::vector<bool> placed(ops.size(), false);
  std::vector<ValueId> written = {nil_value};
  return fits(ops, placed, written, most);
}

}  // namespace

TEST_CASE("one stale read is one write old, by the time since that was acknowledged") {
  const auto found = measured(history_of("0:w3 0:ok 0:w7 0:ok 1:r 1:ok3 1:r 1:ok7"));
  REQUIRE(found);
  CHECK(found->reads == 2);
  CHECK(found->stale == 1);
  CHECK(found->writes == 1);
  CHECK(found->longest == 1ms);
  CHECK_FALSE(measured(history_of("0:w3 0:ok 0:c3,4 0:ok 1:r 1:ok3")));
  CHECK_FALSE(measured(history_of("0:r 0:ok3 1:w3 1:ok")));
}

TEST_CASE("so many writes are certain to suffice, and none means linearizable") {
  std::size_t told = 0;
  std::size_t stale = 0;
  std::size_t exact = 0;
  for (std::uint64_t seed = 1; seed <= 60'000; ++seed) {
    Rng rng(seed);
    Shape shape = random_shape(rng);
    shape.values = 0;
    shape.keys = 1;
    shape.lie = 0.3;
    History history = random_history(shape, rng);
    std::erase_if(history.operations, [&](const Operation& op) {
      return op.function == Function::cas && op.outcome == Outcome::ok;
    });
    if (history.operations.empty()) continue;
    const auto found = measured(history);
    if (!found) continue;
    ++told;
    const auto ops = read_register(history, split_by_key(history).front()).ops;
    const bool right = suffices(ops, found->writes);
    const bool none = found->writes == 0 || !suffices(ops, 0);
    if (!right || !none) FAIL("seed " << seed << "\n" << to_text(history));
    if (found->stale == 0) continue;
    ++stale;
    exact += suffices(ops, found->writes - 1) ? 0U : 1U;
  }
  CHECK(told > 10'000);
  CHECK(stale > 1'000);
  CHECK(exact > stale * 9 / 10);
}

}  // namespace ordeal::checkers::test
