#include "checkers/epoch.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "checkers/epoch_plan.h"
#include "checkers/slot_set.h"

namespace ordeal::checkers {

namespace {

constexpr std::uint32_t nobody = ~std::uint32_t{0};
constexpr std::size_t steps_between_looks = 256;  // at the clock
// How many unknown operations may be used at one return, at the first attempt and at later ones.
constexpr std::array<std::uint32_t, 5> allowances = {0, 1, 2, 4, ~std::uint32_t{0}};

using Counts = std::vector<std::uint64_t>;  // of unknown operations used, in lanes

// Adds, reads and compares the lanes of Counts.
class Lanes {
 public:
  Lanes(std::size_t bits, std::size_t lanes)
      : bits_(bits), words_((lanes * bits + 63) / 64), guards_(0) {
    for (std::size_t at = bits - 1; at < 64; at += bits) guards_ |= std::uint64_t{1} << at;
  }

  [[nodiscard]] std::size_t words() const { return words_; }
  [[nodiscard]] std::uint64_t count(const std::uint64_t* counts, std::size_t lane) const {
    return (counts[lane * bits_ / 64] >> (lane * bits_ % 64)) & mask();
  }
  void add_one(std::uint64_t* counts, std::size_t lane) const {
    counts[lane * bits_ / 64] += std::uint64_t{1} << (lane * bits_ % 64);
  }
  void set_all(std::uint64_t* counts, std::size_t lane, bool on) const {
    const std::uint64_t lane_mask = mask() << (lane * bits_ % 64);
    counts[lane * bits_ / 64] = (counts[lane * bits_ / 64] & ~lane_mask) | (on ? lane_mask : 0);
  }
  // No lane of `a` is above that of `b`: the guard bit of each lane survives the subtraction.
  [[nodiscard]] bool none_above(const std::uint64_t* a, const std::uint64_t* b) const {
    for (std::size_t i = 0; i < words_; ++i) {
      if ((((b[i] | guards_) - a[i]) & guards_) != guards_) return false;
    }
    return true;
  }
  [[nodiscard]] std::uint64_t total(const std::uint64_t* counts) const {
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < words_; ++i) {
      for (std::uint64_t left = counts[i]; left != 0; left >>= bits_) total += left & mask();
    }
    return total;
  }

 private:
  [[nodiscard]] std::uint64_t mask() const { return (std::uint64_t{1} << bits_) - 1; }

  std::size_t bits_;
  std::size_t words_;
  std::uint64_t guards_;
};

template <std::size_t words>
class EpochSearch {
 public:
  // `thrifty` does not try what uses many unknown operations at one return: only an answer of valid
  // means anything. `relaxed` takes each class of unknown operations for inexhaustible from its
  // first invocation on: only an answer of invalid means anything.
  enum class Mode : std::uint8_t { thrifty, relaxed, exact };
  EpochSearch(const EpochPlan& plan, const Budget& budget, Mode mode)
      : relaxed_(mode == Mode::relaxed),
        attempts_(mode == Mode::thrifty ? allowances.size() - 1 : allowances.size()),
        plan_(plan),
        budget_(budget),
        lanes_(plan.lane_bits, plan.lanes),
        occupants_(plan.slots, nobody),
        available_(plan.classes.size(), 0),
        alive_(lanes_.words(), 0) {}

  // Once. Until it is decided, or has tried that many configurations: nullopt.
  std::optional<Decision> run(std::size_t most);

 private:
  using Set = SlotSet<words>;

  struct Configuration {
    std::uint32_t level = 0;  // returns behind it
    ValueId state = nil_value;
    EventIndex epoch = 0;  // T
    std::uint32_t hash = 0;
    Set used;                    // pending writes and compare-and-sets
    Set satisfied;               // pending reads
    bool fed = false;            // while steps are chosen: the last was a write, of no use as yet
    std::uint32_t used_now = 0;  // while steps are chosen: unknown operations among them
  };
  // Configurations with their counts, in rows; `next` links those of one place in a table.
  struct Rows {
    std::vector<Configuration> heads;
    Counts counts;
    std::vector<std::uint32_t> next;

    void clear() {
      heads.clear();
      counts.clear();
      next.clear();
    }
  };
  // One configuration in hand.
  struct Current {
    Configuration head;
    Counts counts;
  };

  void walk_to(std::size_t level);
  void step_forward(const EpochPlan::Step& step);
  void step_back(const EpochPlan::Step& step);
  void occupy(std::uint32_t op, bool pending);

  [[nodiscard]] bool is_accounted_for(const Configuration& head) const {
    return head.satisfied.has(slot_) || head.used.has(slot_);
  }
  void stand_before_return();
  void expand();
  void slip_in_read();
  void choose_steps();
  void try_writes(const Current& from);
  void try_sets(const Current& from);
  void try_returning(const Current& from);
  void push();
  void emit(const Current& next);
  void keep_successors();

  void satisfy(Configuration& head) const;
  void satisfy_covered(Configuration& head, ValueId value) const;
  [[nodiscard]] bool fits(const RegisterOp& op, ValueId state) const {
    return op.observes != no_value ? op.observes == state
                                   : op.denies == no_value || op.denies != state;
  }
  [[nodiscard]] bool is_useful(const Current& from, ValueId value) const;
  // Of the pending writes (or compare-and-sets) that are like it, the one that returns first.
  template <class Alike>
  [[nodiscard]] std::size_t soonest(const Set& among, std::size_t slot, Set& seen,
                                    Alike alike) const;
  [[nodiscard]] bool has_alike(const Set& among, const EpochPlan::Class& unknown) const;
  [[nodiscard]] std::size_t begun_before(const EpochPlan::Class& unknown, EventIndex when) const {
    return static_cast<std::size_t>(std::ranges::lower_bound(unknown.invoked, when) -
                                    unknown.invoked.begin());
  }
  // Whether one of those that had begun is unused.
  [[nodiscard]] bool has_more(const Current& at, const EpochPlan::Class& unknown,
                              std::size_t begun) const {
    return at.head.used_now < allowance_ && begun > 0 &&
           (relaxed_ || lanes_.count(at.counts.data(), unknown.lane) < begun);
  }
  void use(Current& by, const EpochPlan::Class& unknown) const {
    ++by.head.used_now;
    if (!relaxed_) lanes_.add_one(by.counts.data(), unknown.lane);
  }
  [[nodiscard]] const RegisterOp& in(std::size_t slot) const { return plan_.ops[occupants_[slot]]; }

  [[nodiscard]] bool add_to_seen(const Current& row);
  [[nodiscard]] std::uint32_t hash(const Configuration& head) const;
  void grow_seen();
  void forget_seen();
  [[nodiscard]] std::size_t bytes() const;
  void load(Current& to, const Rows& rows, std::size_t row) const;
  // Whether time or memory has run out; why_ says which.
  bool is_spent();
  [[nodiscard]] Decision give_up() const;

  // A configuration to be expanded: a row of seen_, and how many times it was.
  struct Open {
    std::uint32_t row;
    std::uint32_t attempt;
  };

  bool relaxed_;
  std::size_t attempts_;
  const EpochPlan& plan_;
  const Budget& budget_;
  Lanes lanes_;

  std::size_t position_ = 0;  // in the plan's steps
  std::uint32_t level_ = 0;   // returns walked over
  std::vector<std::uint32_t> occupants_;
  Set reads_, writes_, sets_;             // pending
  std::vector<std::uint32_t> available_;  // by class
  Counts alive_;                          // all ones in the lanes of classes that count
  std::vector<std::uint32_t> present_;    // classes that have appeared and not expired

  Current here_;          // being expanded
  Current from_;          // one step of that
  Current next_;          // and what the next step makes of it
  std::uint32_t x_ = 0;   // the returning operation
  std::size_t slot_ = 0;  // and its slot
  EventIndex now_ = 0;
  std::uint32_t allowance_ = 0;  // of unknown operations, for this expansion
  Rows steps_;                   // what has been reached while steps are chosen
  Rows successors_;
  std::vector<std::uint32_t> order_;  // of the successors, by promise

  Rows seen_;
  std::vector<std::uint32_t> seen_table_;  // 1 + row of the newest of a chain; 0 is free
  std::vector<Open> open_;
  std::size_t tried_ = 0;
  const char* why_ = nullptr;  // it must give up
};

template <std::size_t words>
void EpochSearch<words>::occupy(std::uint32_t index, bool pending) {
  const std::uint32_t slot = plan_.slot_of[index];
  const RegisterOp& op = plan_.ops[index];
  Set& set = op.is_read() ? reads_ : op.observes == no_value ? writes_ : sets_;
  occupants_[slot] = pending ? index : nobody;
  pending ? set.add(slot) : set.remove(slot);
}

template <std::size_t words>
void EpochSearch<words>::step_forward(const EpochPlan::Step& step) {
  switch (step.kind) {
    case EpochPlan::StepKind::begin:
      occupy(step.index, true);
      break;
    case EpochPlan::StepKind::end:
      occupy(step.index, false);
      ++level_;
      break;
    case EpochPlan::StepKind::appear:
      if (available_[step.index]++ > 0) break;
      present_.push_back(step.index);
      lanes_.set_all(alive_.data(), plan_.classes[step.index].lane, true);
      break;
    case EpochPlan::StepKind::expire:
      std::erase(present_, step.index);
      lanes_.set_all(alive_.data(), plan_.classes[step.index].lane, false);
      break;
  }
}

template <std::size_t words>
void EpochSearch<words>::step_back(const EpochPlan::Step& step) {
  switch (step.kind) {
    case EpochPlan::StepKind::begin:
      occupy(step.index, false);
      break;
    case EpochPlan::StepKind::end:
      occupy(step.index, true);
      --level_;
      break;
    case EpochPlan::StepKind::appear:
      if (--available_[step.index] > 0) break;
      std::erase(present_, step.index);
      lanes_.set_all(alive_.data(), plan_.classes[step.index].lane, false);
      break;
    case EpochPlan::StepKind::expire:
      present_.push_back(step.index);
      lanes_.set_all(alive_.data(), plan_.classes[step.index].lane, true);
      break;
  }
}

// Stands just before the return that has `level` returns before it, or at the end.
template <std::size_t words>
void EpochSearch<words>::walk_to(std::size_t level) {
  while (level_ > level) step_back(plan_.steps[--position_]);
  while (position_ < plan_.steps.size()) {
    const EpochPlan::Step& step = plan_.steps[position_];
    if (step.kind == EpochPlan::StepKind::end && level_ == level) return;
    step_forward(step);
    ++position_;
  }
}

// The pending reads that the state satisfies.
template <std::size_t words>
void EpochSearch<words>::satisfy(Configuration& head) const {
  (reads_ - head.satisfied).each([&](std::size_t slot) {
    if (fits(in(slot), head.state)) head.satisfied.add(slot);
  });
}

// The pending reads that a write of that value, slipped in before the epoch began, satisfies.
template <std::size_t words>
void EpochSearch<words>::satisfy_covered(Configuration& head, ValueId value) const {
  (reads_ - head.satisfied).each([&](std::size_t slot) {
    const RegisterOp& op = in(slot);
    if (op.invoked < head.epoch && fits(op, value)) head.satisfied.add(slot);
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

template <std::size_t words>
void EpochSearch<words>::emit(const Current& reached) {
  Configuration head = reached.head;
  head.used.remove(slot_);
  head.satisfied.remove(slot_);
  head.level = level_ + 1;
  head.fed = false;
  head.used_now = 0;
  if (plan_.wanted_until[head.state] <= now_) head.state = plan_.nothing_special;
  head.hash = hash(head);
  successors_.heads.push_back(head);
  for (std::size_t i = 0; i < alive_.size(); ++i) {
    successors_.counts.push_back(reached.counts[i] & alive_[i]);
  }
}

// The returning read, and a covered write that it can have seen, slipped in before the epoch.
template <std::size_t words>
void EpochSearch<words>::slip_in_read() {
  const RegisterOp& x = plan_.ops[x_];
  if (x.invoked >= here_.head.epoch) return;
  Set covered;
  (writes_ - here_.head.used).each([&](std::size_t slot) {
    if (in(slot).invoked < here_.head.epoch && fits(x, in(slot).sets)) covered.add(slot);
  });
  Set seen;
  covered.each([&](std::size_t slot) {
    if (seen.has(slot)) return;
    next_ = here_;
    next_.head.used.add(soonest(covered, slot, seen, [](const RegisterOp& a, const RegisterOp& b) {
      return a.sets == b.sets;
    }));
    satisfy_covered(next_.head, in(slot).sets);
    emit(next_);
  });
  for (const std::uint32_t index : present_) {
    const EpochPlan::Class& unknown = plan_.classes[index];
    if (unknown.observes != no_value || !fits(x, unknown.sets)) continue;
    if (!has_more(here_, unknown, begun_before(unknown, here_.head.epoch)) ||
        has_alike(covered, unknown)) {
      continue;
    }
    next_ = here_;
    use(next_, unknown);
    satisfy_covered(next_.head, unknown.sets);
    emit(next_);
  }
}

// A step was made: the goal is reached when that satisfied the returning operation.
template <std::size_t words>
void EpochSearch<words>::push() {
  satisfy(next_.head);
  if (is_accounted_for(next_.head)) {
    emit(next_);
    return;
  }
  const std::size_t stride = lanes_.words();
  for (std::size_t i = 0; i < steps_.heads.size(); ++i) {
    const Configuration& other = steps_.heads[i];
    if (other.state == next_.head.state && other.fed == next_.head.fed &&
        (other.used & sets_) == (next_.head.used & sets_) && other.epoch >= next_.head.epoch &&
        other.used.is_within(next_.head.used) && next_.head.satisfied.is_within(other.satisfied) &&
        lanes_.none_above(&steps_.counts[i * stride], next_.counts.data())) {
      return;
    }
  }
  steps_.heads.push_back(next_.head);
  steps_.counts.insert(steps_.counts.end(), next_.counts.begin(), next_.counts.end());
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
bool EpochSearch<words>::is_useful(const Current& from, ValueId value) const {
  const RegisterOp& x = plan_.ops[x_];
  if (x.is_read() ? fits(x, value) : x.observes == value) return true;
  bool useful = false;
  (sets_ - from.head.used).each([&](std::size_t slot) { useful |= in(slot).observes == value; });
  for (const std::uint32_t index : present_) {
    const EpochPlan::Class& unknown = plan_.classes[index];
    useful |= unknown.observes == value && has_more(from, unknown, available_[index]);
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
  Set open = writes_ - from.head.used;
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
  for (const std::uint32_t index : present_) {
    const EpochPlan::Class& unknown = plan_.classes[index];
    if (unknown.observes != no_value || !has_more(from, unknown, available_[index]) ||
        has_alike(open, unknown) || !is_useful(from, unknown.sets)) {
      continue;
    }
    next_ = from;
    use(next_, unknown);
    write(unknown.sets);
  }
}

template <std::size_t words>
void EpochSearch<words>::try_sets(const Current& from) {
  Set open = sets_ - from.head.used;
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
  for (const std::uint32_t index : present_) {
    const EpochPlan::Class& unknown = plan_.classes[index];
    if (unknown.observes != from.head.state || !has_more(from, unknown, available_[index]) ||
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
  steps_.heads.push_back(here_.head);
  steps_.counts = here_.counts;
  for (std::size_t i = 0; i < steps_.heads.size(); ++i) {
    if (i % steps_between_looks == steps_between_looks - 1 && is_spent()) return;
    load(from_, steps_, i);
    try_returning(from_);
    try_writes(from_);
    try_sets(from_);
  }
}

template <std::size_t words>
void EpochSearch<words>::stand_before_return() {
  walk_to(here_.head.level);
  if (position_ == plan_.steps.size()) return;
  x_ = plan_.steps[position_].index;
  slot_ = plan_.slot_of[x_];
  now_ = plan_.steps[position_].at;
  successors_.clear();
  satisfy(here_.head);
}

template <std::size_t words>
void EpochSearch<words>::expand() {
  const RegisterOp& x = plan_.ops[x_];
  if (x.is_read()) {
    slip_in_read();
  } else if (x.observes == no_value && x.invoked < here_.head.epoch) {
    next_ = here_;
    satisfy_covered(next_.head, x.sets);
    emit(next_);
  }
  choose_steps();
}

// Rows that may dominate each other share it.
template <std::size_t words>
std::uint32_t EpochSearch<words>::hash(const Configuration& head) const {
  std::uint64_t hash = (std::uint64_t{head.level} << 32U) ^ head.state;
  hash = (hash ^ (head.used & sets_).hash()) * 0x9e3779b97f4a7c15U;
  return static_cast<std::uint32_t>(hash >> 33U);
}

// Adds the row unless one before it dominates it.
template <std::size_t words>
bool EpochSearch<words>::add_to_seen(const Current& row) {
  if (2 * seen_.heads.size() >= seen_table_.size()) grow_seen();
  const std::size_t stride = lanes_.words();
  const std::size_t place = row.head.hash & (seen_table_.size() - 1);
  for (std::uint32_t i = seen_table_[place]; i != 0; i = seen_.next[i - 1]) {
    const Configuration& other = seen_.heads[i - 1];
    if (other.level == row.head.level && other.state == row.head.state &&
        other.epoch >= row.head.epoch && other.used.is_within(row.head.used) &&
        (other.used & sets_) == (row.head.used & sets_) &&
        row.head.satisfied.is_within(other.satisfied) &&
        lanes_.none_above(seen_.counts.data() + (i - 1) * stride, row.counts.data())) {
      return false;
    }
  }
  seen_.heads.push_back(row.head);
  seen_.counts.insert(seen_.counts.end(), row.counts.begin(), row.counts.end());
  seen_.next.push_back(seen_table_[place]);
  seen_table_[place] = static_cast<std::uint32_t>(seen_.heads.size());
  return true;
}

template <std::size_t words>
void EpochSearch<words>::grow_seen() {
  seen_table_.assign(std::max<std::size_t>(1024, 2 * seen_table_.size()), 0);
  for (std::size_t i = 0; i < seen_.heads.size(); ++i) {
    const std::size_t place = seen_.heads[i].hash & (seen_table_.size() - 1);
    seen_.next[i] = seen_table_[place];
    seen_table_[place] = static_cast<std::uint32_t>(i + 1);
  }
}

template <std::size_t words>
void EpochSearch<words>::forget_seen() {
  for (const Configuration& head : seen_.heads) {
    seen_table_[head.hash & (seen_table_.size() - 1)] = 0;
  }
  seen_.clear();
}

// The most promising last: few unknown operations and few writes used up, and a late epoch.
template <std::size_t words>
void EpochSearch<words>::keep_successors() {
  const std::size_t stride = lanes_.words();
  order_.resize(successors_.heads.size());
  for (std::uint32_t i = 0; i < order_.size(); ++i) order_[i] = i;
  const auto rank = [&](std::uint32_t i) {
    const Configuration& head = successors_.heads[i];
    return std::tuple(lanes_.total(successors_.counts.data() + i * stride), head.used.size(),
                      never - head.epoch);
  };
  std::ranges::sort(order_, [&](std::uint32_t a, std::uint32_t b) { return rank(a) < rank(b); });
  const std::size_t first = open_.size();
  for (const std::uint32_t i : order_) {
    load(next_, successors_, i);
    if (add_to_seen(next_)) {
      open_.push_back({static_cast<std::uint32_t>(seen_.heads.size() - 1), 0});
    }
  }
  std::reverse(open_.begin() + static_cast<std::ptrdiff_t>(first), open_.end());
}

template <std::size_t words>
void EpochSearch<words>::load(Current& to, const Rows& rows, std::size_t row) const {
  const std::size_t stride = lanes_.words();
  to.head = rows.heads[row];
  const auto counts = rows.counts.begin() + static_cast<std::ptrdiff_t>(row * stride);
  to.counts.assign(counts, counts + static_cast<std::ptrdiff_t>(stride));
}

template <std::size_t words>
std::size_t EpochSearch<words>::bytes() const {
  return (seen_.heads.capacity() + steps_.heads.capacity()) * sizeof(Configuration) +
         seen_.counts.capacity() * 8 + (seen_.next.capacity() + seen_table_.capacity()) * 4 +
         open_.capacity() * sizeof(Open);
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
  here_.head.hash = hash(here_.head);
  if (add_to_seen(here_)) open_.push_back({0, 0});
  while (!open_.empty()) {
    if (tried_ == most) return std::nullopt;
    if (tried_++ % steps_between_looks == 0) is_spent();
    if (why_ != nullptr) return give_up();
    const Open open = open_.back();
    open_.pop_back();
    load(here_, seen_, open.row);
    stand_before_return();
    if (position_ == plan_.steps.size()) return Decision{Decision::Answer::valid, {}};
    allowance_ = allowances[open.attempt];
    const bool accounted = is_accounted_for(here_.head);
    const bool again = !accounted && !present_.empty() && open.attempt + 1 < attempts_;
    if (again) open_.push_back({open.row, open.attempt + 1});
    if (open_.empty()) forget_seen();  // there is no way back from here
    accounted ? emit(here_) : expand();
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
