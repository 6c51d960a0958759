#pragma once
// Histories for tests: from a script of events, or random and small.

#include <string_view>

#include "core/history.h"
#include "core/random.h"

namespace ordeal::checkers::test {

// Events in order, separated by blanks, one millisecond apart: "PROCESS:WHAT". WHAT is an
// invocation, "w3", "r", "c3,7" (compare-and-set from 3 to 7), with "@y" for another key than x; or
// a completion, "ok", "ok3" and "oknil" for reads, "fail", "info". Process p acts on node n<p+1>.
[[nodiscard]] History history_of(std::string_view script);

struct Shape {
  std::size_t operations = 7;
  std::size_t processes = 3;
  int values = 3;  // 0: every written value is new
  int keys = 1;
  double unknown = 0.2;  // of the writes and compare-and-sets
  double lie = 0.1;      // of the answers
  bool tells_revisions = false;
};

// A register that mostly tells the truth, asked by concurrent processes: some histories are
// linearizable, some are not. Unknown operations take effect or do not, at once or later.
[[nodiscard]] History random_history(const Shape& shape, Rng& rng);
[[nodiscard]] Shape random_shape(Rng& rng);

// How many random histories a test tries: as many as usual, or fewer if the environment variable
// MOST_HISTORIES says so (for mutants.py).
[[nodiscard]] std::uint64_t histories_to_try(std::uint64_t usual);

// One line an operation, for the messages of failed tests.
[[nodiscard]] std::string to_text(const History& history);

}  // namespace ordeal::checkers::test
