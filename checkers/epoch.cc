#include "checkers/epoch.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "checkers/epoch_outlook.h"
#include "checkers/epoch_plan.h"
#include "checkers/epoch_rows.h"
#include "checkers/epoch_walk.h"

namespace ordeal::checkers {

namespace {

constexpr std::size_t steps_between_looks = 256;  // at the clock
// How many unknown operations may be used at one return, at the first attempt and at later ones.
constexpr std::array<std::uint32_t, 5> allowances = {0, 1, 2, 4, ~std::uint32_t{0}};

template <std::size_t words>
class EpochSearch {
 public:
  // `thrifty` does not try what uses many unknown operations at one return, and takes those who
  // used fewer for better, whichever they are: only an answer of valid means anything. `relaxed`
  // takes each class of unknown operations for inexhaustible from its first invocation on: only an
  // answer of invalid means anything.
  enum class Mode : std::uint8_t { thrifty, relaxed, exact };
  EpochSearch(const EpochPlan& plan, const Budget& budget, Mode mode)
      : relaxed_(mode == Mode::relaxed),
        attempts_(mode == Mode::thrifty ? allowances.size() - 1 : allowances.size()),
        plan_(plan),
        budget_(budget),
        lanes_(plan.lane_bits, plan.lanes),
        walk_(plan, lanes_),
        outlook_(plan, walk_, lanes_, mode == Mode::relaxed),
        steps_(lanes_, mode != Mode::exact),
        successors_(lanes_.words()),
        seen_(lanes_, mode != Mode::exact) {}

  // Once. Until it is decided, or has tried that many configurations: nullopt.
  std::optional<Decision> run(std::size_t most);

 private:
  using Set = SlotSet<words>;
  using Current = checkers::Current<words>;

  // A configuration to be expanded: a row of seen_, and how many times it was.
  struct Open {
    std::uint32_t row;
    std::uint32_t attempt;
  };

  [[nodiscard]] bool is_accounted_for(const Current& at) const {
    return at.head.satisfied.has(slot_) || at.head.used.has(slot_);
  }
  void stand_before_return();
  void expand(const Open& open);
  void slip_in_read();
  void choose_steps();
  void try_writes(const Current& from);
  void try_sets(const Current& from);
  void try_returning(const Current& from);
  void push();
  void settle(Current& reached);
  void emit(Current& reached);
  void keep_successors();

  void satisfy(Current& at) const;
  void satisfy_covered(Current& at, ValueId value) const;
  [[nodiscard]] bool fits(const RegisterOp& op, ValueId state) const {
    return op.observes != no_value ? op.observes == state
                                   : op.denies == no_value || op.denies != state;
  }
  [[nodiscard]] bool is_useful(const Current& from, ValueId value);
  // Of the pending writes (or compare-and-sets) that are like it, the one that returns first.
  template <class Alike>
  [[nodiscard]] std::size_t soonest(const Set& among, std::size_t slot, Set& seen,
                                    Alike alike) const;
  [[nodiscard]] bool has_alike(const Set& among, const EpochPlan::Class& unknown) const;
  [[nodiscard]] std::size_t begun_before(const EpochPlan::Class& unknown, EventIndex when) const {
    return static_cast<std::size_t>(std::ranges::lower_bound(unknown.invoked, when) -
                                    unknown.invoked.begin());
  }
  // Whether one of those that had begun is unused, and may be used.
  [[nodiscard]] bool has_more(const Current& at, const EpochPlan::Class& unknown,
                              std::size_t begun) {
    if (outlook_.unused(at, unknown, begun) == 0) return false;
    const bool may = at.head.spent - here_.head.spent < allowance_;
    is_held_back_ |= !may;
    return may;
  }
  void use(Current& by, const EpochPlan::Class& unknown) const {
    ++by.head.spent;
    if (!relaxed_) lanes_.add_one(by.counts.data(), unknown.lane);
  }
  [[nodiscard]] const RegisterOp& in(std::size_t slot) const { return walk_.in(slot); }

  [[nodiscard]] std::size_t bytes() const;
  // Whether time or memory has run out; why_ says which.
  bool is_spent();
  [[nodiscard]] Decision give_up() const;

  bool relaxed_;
  std::size_t attempts_;
  const EpochPlan& plan_;
  const Budget& budget_;
  Lanes lanes_;
  EpochWalk<words> walk_;
  EpochOutlook<words> outlook_;

  Current here_;          // being expanded
  Current from_;          // one step of that
  Current next_;          // and what the next step makes of it
  std::uint32_t x_ = 0;   // the returning operation
  std::size_t slot_ = 0;  // and its slot
  EventIndex now_ = 0;
  std::uint32_t allowance_ = 0;  // of unknown operations, for this expansion
  bool is_held_back_ = false;    // by the allowance
  Undominated<words> steps_;     // what has been reached while steps are chosen
  Rows<words> successors_;
  std::vector<std::uint32_t> order_;  // of the successors, by promise

  Undominated<words> seen_;
  std::uint32_t deepest_ = 0;  // level that was expanded
  std::vector<Open> open_;
  std::size_t tried_ = 0;
  const char* why_ = nullptr;  // it must give up
};

// The pending reads that the state satisfies.
template <std::size_t words>
void EpochSearch<words>::satisfy(Current& at) const {
  (walk_.reads() - at.head.satisfied).each([&](std::size_t slot) {
    if (fits(in(slot), at.head.state)) at.head.satisfied.add(slot);
  });
}

// The pending reads that a write of that value, slipped in before the epoch began, satisfies.
template <std::size_t words>
void EpochSearch<words>::satisfy_covered(Current& at, ValueId value) const {
  (walk_.reads() - at.head.satisfied).each([&](std::size_t slot) {
    const RegisterOp& op = in(slot);
    if (op.invoked < at.head.epoch && fits(op, value)) at.head.satisfied.add(slot);
  });
}

template <std::size_t words>
template <class Alike>
std::size_t EpochSearch<words>::soonest(const Set& among, std::size_t slot, Set& seen,
                                        Alike alike) const {
  std::size_t best = slot;
  (among - seen).each([&](std::size_t other) {
    if (!alike(in(other), in(slot))) return;
    seen.add(other);
    if (in(other).completed < in(best).completed) best = other;
  });
  return best;
}

template <std::size_t words>
bool EpochSearch<words>::has_alike(const Set& among, const EpochPlan::Class& unknown) const {
  bool found = false;
  among.each([&](std::size_t slot) {
    found |= in(slot).observes == unknown.observes && in(slot).sets == unknown.sets;
  });
  return found;
}

// The returning operation is accounted for.
template <std::size_t words>
void EpochSearch<words>::settle(Current& reached) {
  reached.head.used.add(slot_);
  if (!outlook_.is_hopeless(reached)) emit(reached);
}

template <std::size_t words>
void EpochSearch<words>::emit(Current& reached) {
  Configuration<words>& head = reached.head;
  head.used.remove(slot_);
  head.satisfied.remove(slot_);
  head.level = walk_.level() + 1;
  head.fed = false;
  if (plan_.wanted_until[head.state] <= now_) head.state = plan_.nothing_special;
  for (std::size_t i = 0; i < lanes_.words(); ++i) reached.counts[i] &= walk_.alive()[i];
  head.spent = lanes_.total(reached.counts.data());
  successors_.add(head, reached.counts.data());
}

// The returning read, and a covered write that it can have seen, slipped in before the epoch.
template <std::size_t words>
void EpochSearch<words>::slip_in_read() {
  const RegisterOp& x = plan_.ops[x_];
  if (x.invoked >= here_.head.epoch) return;
  Set covered;
  (walk_.writes() - here_.head.used).each([&](std::size_t slot) {
    if (in(slot).invoked < here_.head.epoch && fits(x, in(slot).sets)) covered.add(slot);
  });
  Set seen;
  covered.each([&](std::size_t slot) {
    if (seen.has(slot)) return;
    next_ = here_;
    next_.head.used.add(soonest(covered, slot, seen, [](const RegisterOp& a, const RegisterOp& b) {
      return a.sets == b.sets;
    }));
    satisfy_covered(next_, in(slot).sets);
    settle(next_);
  });
  for (const std::uint32_t index : walk_.unknown_writes()) {
    const EpochPlan::Class& unknown = plan_.classes[index];
    if (!fits(x, unknown.sets)) continue;
    if (!has_more(here_, unknown, begun_before(unknown, here_.head.epoch)) ||
        has_alike(covered, unknown)) {
      continue;
    }
    next_ = here_;
    use(next_, unknown);
    satisfy_covered(next_, unknown.sets);
    settle(next_);
  }
}

// A step was made: the goal is reached when that satisfied the returning operation.
template <std::size_t words>
void EpochSearch<words>::push() {
  satisfy(next_);
  if (is_accounted_for(next_)) {
    settle(next_);
    return;
  }
  steps_.add(next_, walk_.sets());
}

// The returning operation itself as the next step.
template <std::size_t words>
void EpochSearch<words>::try_returning(const Current& from) {
  const RegisterOp& x = plan_.ops[x_];
  if (x.is_read() || !(x.observes == no_value ? !from.head.fed : x.observes == from.head.state)) {
    return;
  }
  next_ = from;
  next_.head.used.add(slot_);
  next_.head.state = x.sets;
  if (x.observes == no_value) next_.head.epoch = now_;
  push();
}

// Whether a write of that value can be of use before another write: to the returning read, or to a
// compare-and-set. A write of the value that is there is of use as well: it covers others.
template <std::size_t words>
bool EpochSearch<words>::is_useful(const Current& from, ValueId value) {
  const RegisterOp& x = plan_.ops[x_];
  if (x.is_read() ? fits(x, value) : x.observes == value) return true;
  bool useful = false;
  (walk_.sets() - from.head.used).each([&](std::size_t slot) {
    useful |= in(slot).observes == value;
  });
  for (const std::uint32_t index : walk_.unknown_sets()) {
    if (useful) break;
    const EpochPlan::Class& unknown = plan_.classes[index];
    useful = unknown.observes == value && has_more(from, unknown, walk_.available(index));
  }
  return useful;
}

template <std::size_t words>
void EpochSearch<words>::try_writes(const Current& from) {
  if (from.head.fed) return;
  const auto write = [&](ValueId value) {
    next_.head.state = value;
    next_.head.epoch = now_;
    next_.head.fed = true;
    push();
  };
  Set open = walk_.writes() - from.head.used;
  open.remove(slot_);
  Set seen;
  open.each([&](std::size_t slot) {
    if (seen.has(slot)) return;
    const std::size_t first =
        soonest(open, slot, seen,
                [](const RegisterOp& a, const RegisterOp& b) { return a.sets == b.sets; });
    const ValueId value = in(slot).sets;
    if (!is_useful(from, value)) return;
    next_ = from;
    next_.head.used.add(first);
    write(value);
  });
  for (const std::uint32_t index : walk_.unknown_writes()) {
    const EpochPlan::Class& unknown = plan_.classes[index];
    if (!has_more(from, unknown, walk_.available(index)) || has_alike(open, unknown) ||
        !is_useful(from, unknown.sets)) {
      continue;
    }
    next_ = from;
    use(next_, unknown);
    write(unknown.sets);
  }
}

template <std::size_t words>
void EpochSearch<words>::try_sets(const Current& from) {
  Set open = walk_.sets() - from.head.used;
  Set fitting;
  open.each([&](std::size_t slot) {
    if (slot != slot_ && in(slot).observes == from.head.state) fitting.add(slot);
  });
  const auto set = [&](ValueId value) {
    next_.head.state = value;
    next_.head.fed = false;
    push();
  };
  Set seen;
  fitting.each([&](std::size_t slot) {
    if (seen.has(slot)) return;
    next_ = from;
    next_.head.used.add(soonest(fitting, slot, seen, [](const RegisterOp& a, const RegisterOp& b) {
      return a.sets == b.sets;
    }));
    set(in(slot).sets);
  });
  for (const std::uint32_t index : walk_.unknown_sets()) {
    const EpochPlan::Class& unknown = plan_.classes[index];
    if (unknown.observes != from.head.state || !has_more(from, unknown, walk_.available(index)) ||
        has_alike(fitting, unknown)) {
      continue;
    }
    next_ = from;
    use(next_, unknown);
    set(unknown.sets);
  }
}

// All ways to make steps now until the returning operation is accounted for.
template <std::size_t words>
void EpochSearch<words>::choose_steps() {
  steps_.clear();
  steps_.add(here_, walk_.sets());
  for (std::size_t i = 0; i < steps_.rows().size(); ++i) {
    if (i % steps_between_looks == steps_between_looks - 1 && is_spent()) return;
    steps_.rows().load(from_, i);
    try_returning(from_);
    try_writes(from_);
    try_sets(from_);
  }
}

template <std::size_t words>
void EpochSearch<words>::stand_before_return() {
  walk_.go_to(here_.head.level);
  if (walk_.is_at_end()) return;
  x_ = walk_.step().index;
  slot_ = plan_.place_of[x_];
  now_ = walk_.step().at;
  satisfy(here_);
}

template <std::size_t words>
void EpochSearch<words>::expand(const Open& open) {
  if (is_accounted_for(here_)) {
    emit(here_);
    return;
  }
  outlook_.look_from(here_.head);
  allowance_ = allowances[open.attempt];
  is_held_back_ = false;
  const RegisterOp& x = plan_.ops[x_];
  if (x.is_read()) {
    slip_in_read();
  } else if (x.observes == no_value && x.invoked < here_.head.epoch) {
    next_ = here_;
    satisfy_covered(next_, x.sets);
    settle(next_);
  }
  choose_steps();
  if (is_held_back_ && open.attempt + 1 < attempts_) {
    open_.push_back({open.row, open.attempt + 1});
  }
}

// The most promising last: few unknown operations and few writes used up, and a late epoch.
template <std::size_t words>
void EpochSearch<words>::keep_successors() {
  order_.resize(successors_.size());
  for (std::uint32_t i = 0; i < order_.size(); ++i) order_[i] = i;
  const auto rank = [&](std::uint32_t i) {
    const Configuration<words>& head = successors_.head(i);
    return std::tuple(head.spent, head.used.size(), never - head.epoch);
  };
  std::ranges::sort(order_, [&](std::uint32_t a, std::uint32_t b) { return rank(a) < rank(b); });
  const std::size_t first = open_.size();
  for (const std::uint32_t i : order_) {
    successors_.load(next_, i);
    if (seen_.add(next_, walk_.sets())) {
      open_.push_back({static_cast<std::uint32_t>(seen_.rows().size() - 1), 0});
    }
  }
  std::reverse(open_.begin() + static_cast<std::ptrdiff_t>(first), open_.end());
  successors_.clear();
}

template <std::size_t words>
std::size_t EpochSearch<words>::bytes() const {
  return seen_.bytes() + steps_.bytes() + successors_.bytes() + open_.capacity() * sizeof(Open);
}

template <std::size_t words>
bool EpochSearch<words>::is_spent() {
  // The next growth of a vector may need as much again.
  if (budget_.deadline.passed()) {
    why_ = "time ran out";
  } else if (bytes() > budget_.memory / 3) {
    why_ = "memory ran out";
  }
  return why_ != nullptr;
}

template <std::size_t words>
Decision EpochSearch<words>::give_up() const {
  std::size_t unknown = 0;
  for (const EpochPlan::Class& one : plan_.classes) unknown += one.invoked.size();
  return {Decision::Answer::unknown,
          fmt::format("{} after {} configurations ({} operations, up to {} at once, {} of unknown "
                      "outcome that may have been seen); write each value only once, use fewer "
                      "clients per key or shorter histories per key, or allow the checker more",
                      why_, tried_, plan_.ops.size(), plan_.slots, unknown)};
}

template <std::size_t words>
std::optional<Decision> EpochSearch<words>::run(std::size_t most) {
  here_.counts.assign(lanes_.words(), 0);
  seen_.add(here_, walk_.sets());
  open_.push_back({0, 0});
  while (!open_.empty()) {
    if (tried_ == most) return std::nullopt;
    if (tried_++ % steps_between_looks == 0) is_spent();
    if (why_ != nullptr) return give_up();
    const Open open = open_.back();
    open_.pop_back();
    seen_.rows().load(here_, open.row);
    stand_before_return();
    if (walk_.is_at_end()) return Decision{Decision::Answer::valid, {}};
    expand(open);
    // There is no way back from here, and nothing has been seen beyond.
    deepest_ = std::max(deepest_, walk_.level());
    if (open_.empty() && walk_.level() == deepest_) seen_.clear();
    keep_successors();
  }
  if (why_ != nullptr) return give_up();
  return Decision{Decision::Answer::invalid, {}};
}

// Most valid histories are found to be so by thrift. Of the others, many are impossible however
// many unknown operations there were, which is seen without counting them.
template <std::size_t words>
Decision decide(const EpochPlan& plan, const Budget& budget) {
  using Search = EpochSearch<words>;
  if (!plan.classes.empty()) {
    const std::size_t soon = 20'000 + 4 * plan.steps.size();
    const auto thrifty = Search(plan, budget, Search::Mode::thrifty).run(soon);
    if (thrifty && thrifty->answer != Decision::Answer::invalid) return *thrifty;
    const auto relaxed = Search(plan, budget, Search::Mode::relaxed).run(10 * soon);
    if (relaxed && relaxed->answer == Decision::Answer::invalid) return *relaxed;
  }
  return *Search(plan, budget, Search::Mode::exact).run(~std::size_t{0});
}

}  // namespace

std::optional<Decision> decide_by_epochs(const std::vector<RegisterOp>& ops,
                                         std::size_t value_count, const Budget& budget) {
  const EpochPlan plan(ops, value_count);
  if (plan.slots <= 64) return decide<1>(plan, budget);
  if (plan.slots <= 128) return decide<2>(plan, budget);
  if (plan.slots <= 256) return decide<4>(plan, budget);
  return std::nullopt;
}

}  // namespace ordeal::checkers
