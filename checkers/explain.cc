#include "checkers/explain.h"

#include <algorithm>

#include "checkers/shapes.h"

namespace ordeal::checkers {

namespace {

// Shapes are looked for by comparing all operations of the core with each other.
constexpr std::size_t most_compared = 100;

}  // namespace

void explain(const BadKey& bad, Finding& finding) {
  const auto denies = [](const RegisterOp& op) { return op.denies != no_value; };
  if (std::ranges::any_of(bad.core.ops, denies)) return explain_furthest(bad, finding);
  if (explain_phantom(bad, finding)) return;
  if (bad.core.ops.size() <= most_compared) {
    if (explain_lost_update(bad, finding) || explain_stale(bad, finding) ||
        explain_between(bad, finding)) {
      return;
    }
  }
  explain_furthest(bad, finding);
}

}  // namespace ordeal::checkers
