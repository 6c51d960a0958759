#include "checkers/verify.h"

namespace ordeal::checkers {

namespace {

constexpr std::size_t most_operations = 16;

// Tries to put one more operation behind those in `placed`, which left the register at `state`.
class AllOrders {
 public:
  AllOrders(const std::vector<WitnessOperation>& ops, Keep keep, FailedCas failed_cas)
      : ops_(ops),
        keep_(keep),
        failed_cas_(failed_cas),
        before_(ops.size(), 0),
        tried_((std::size_t{1} << ops.size()) * (ops.size() + 1)) {
    for (std::size_t i = 0; i < ops.size(); ++i) {
      if (must_happen(ops[i])) must_ |= 1U << i;
      for (std::size_t k = 0; k < ops.size(); ++k) {
        const bool is_before = binds(ops[k], ops[i]) && ops[k].completed < ops[i].invoked;
        if (k != i && must_happen(ops[k]) && is_before) before_[i] |= 1U << k;
      }
    }
  }

  bool extend(unsigned placed, int last_setter) {
    if ((must_ & ~placed) == 0) return true;
    const std::size_t where =
        placed * (ops_.size() + 1) + static_cast<std::size_t>(last_setter + 1);
    if (tried_[where]) return false;
    tried_[where] = true;
    const Value& state =
        last_setter < 0 ? nothing_ : set_by(ops_[static_cast<std::size_t>(last_setter)]);
    for (std::size_t i = 0; i < ops_.size(); ++i) {
      if (has(placed, i) || !may_be_next(placed, i) || !answers(ops_[i], state)) continue;
      const bool sets = ops_[i].request.function != Function::read && !denies(ops_[i]);
      if (extend(placed | 1U << i, sets ? static_cast<int>(i) : last_setter)) return true;
    }
    return false;
  }

 private:
  static bool has(unsigned set, std::size_t i) { return (set >> i & 1U) != 0; }
  bool denies(const WitnessOperation& op) const {
    return failed_cas_ == FailedCas::evidence && op.outcome == Outcome::fail &&
           op.request.function == Function::cas;
  }
  bool must_happen(const WitnessOperation& op) const {
    return op.outcome == Outcome::ok || denies(op);
  }

  bool binds(const WitnessOperation& a, const WitnessOperation& b) const {
    return keep_ == Keep::real_time || (keep_ == Keep::client_order && a.process == b.process);
  }

  // Nothing that is still to come may have completed before this one began.
  bool may_be_next(unsigned placed, std::size_t i) const {
    return (before_[i] & ~placed) == 0 && (ops_[i].outcome != Outcome::fail || denies(ops_[i]));
  }

  // An answer that was never received fits any state.
  bool answers(const WitnessOperation& op, const Value& state) const {
    if (denies(op)) return !(op.request.argument.as_list()->at(0) == state);
    if (op.request.function == Function::read) return !must_happen(op) || op.result == state;
    if (op.request.function == Function::cas) return op.request.argument.as_list()->at(0) == state;
    return true;
  }

  static const Value& set_by(const WitnessOperation& op) {
    return op.request.function == Function::cas ? op.request.argument.as_list()->at(1)
                                                : op.request.argument;
  }

  const std::vector<WitnessOperation>& ops_;
  const Keep keep_;
  const FailedCas failed_cas_;
  const Value nothing_;
  unsigned must_ = 0;             // have happened
  std::vector<unsigned> before_;  // by operation: who must come before it
  std::vector<bool> tried_;       // by what is placed and who set the state: it led nowhere
};

bool is_one_register(const std::vector<WitnessOperation>& ops) {
  for (const WitnessOperation& op : ops) {
    if (!(op.request.key == ops.front().request.key)) return false;
    const auto* pair = op.request.argument.as_list();
    if (op.request.function == Function::cas && (pair == nullptr || pair->size() != 2))
      return false;
  }
  return true;
}

}  // namespace

std::optional<bool> some_order_exists(const std::vector<WitnessOperation>& operations, Keep keep,
                                      FailedCas failed_cas) {
  if (operations.size() > most_operations || !is_one_register(operations)) return std::nullopt;
  return AllOrders(operations, keep, failed_cas).extend(0, -1);
}

}  // namespace ordeal::checkers
