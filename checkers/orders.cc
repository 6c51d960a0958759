#include "checkers/orders.h"

namespace ordeal::checkers {
namespace {

constexpr std::size_t most_operations = 9;

bool extend(const std::vector<WitnessOperation>& ops, std::vector<bool>& placed, const Value& state,
            const StepFunction& step) {
  bool all = true;
  for (std::size_t i = 0; i < ops.size(); ++i) {
    if (placed[i] || ops[i].outcome == Outcome::fail) continue;
    if (ops[i].outcome == Outcome::ok) all = false;
    bool is_next = true;  // nobody who is not placed was over before it began
    for (std::size_t k = 0; k < ops.size(); ++k)
      if (!placed[k] && ops[k].outcome == Outcome::ok && ops[k].completed < ops[i].invoked)
        is_next = false;
    const std::optional<Value> after = is_next ? step(state, ops[i]) : std::nullopt;
    if (!after) continue;
    placed[i] = true;
    if (extend(ops, placed, *after, step)) return true;
    placed[i] = false;
  }
  return all;
}

}  // namespace

std::optional<bool> some_order_fits(const std::vector<WitnessOperation>& operations,
                                    const Value& start, const StepFunction& step) {
  if (operations.size() > most_operations) return std::nullopt;
  std::vector<bool> placed(operations.size(), false);
  return extend(operations, placed, start, step);
}

}  // namespace ordeal::checkers
