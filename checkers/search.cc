// Configurations. The search walks the events of the certain operations in order. It stands at a
// completion whose operation has not taken effect; the configuration is that position, the state of
// the register, which of the pending certain operations have taken effect (a bit a slot; an
// operation has its slot from invocation to completion), and how many unknown operations of each
// class were used. A class is all unknown operations of one kind.
//
// What is not tried, and why nothing is lost:
//
// Nothing takes effect before a completion forces it. Take any right order and, at each completion
// whose operation is still open, let happen what the order has up to it: all of that has begun.
//
// A pending operation that only looks happens as soon as the state gives its answer. It changes
// nothing, and whatever could follow without it can follow with it. So does one of which the space
// says that it is spent.
//
// Of pending operations that are alike, the one that completes first is taken; and before an
// unknown one, a certain one that is like it. In a right order the two can change places.
//
// Unknown operations are never forced, and one that leaves the state as it was can be taken out of
// a right order.

#include "checkers/search.h"

#include <algorithm>
#include <map>
#include <thread>
#include <tuple>
#include <unordered_map>

#include <fmt/format.h>

#include "checkers/frontier.h"

namespace ordeal::checkers {

namespace {

constexpr std::uint32_t nobody = ~std::uint32_t{0};
constexpr std::uint32_t unknown_bit = std::uint32_t{1}
                                      << 31U;    // in a choice: a class, not an operation
constexpr std::size_t steps_between_looks = 64;  // at the clock
constexpr std::size_t steps_alone = 20'000;      // then a search is hard enough for several threads

enum class StepKind : std::uint8_t { begin, end, appear };

struct Step {
  EventIndex at;
  std::uint32_t index;  // of the operation; of the class when an unknown operation appears
  StepKind kind;
};

class Search {
 public:
  Search(const std::vector<SearchOp>& ops, StateSpace& space, const Budget& budget)
      : ops_(ops), space_(space), budget_(budget), slots_of_(ops.size(), nobody) {
    lay_out_time();
    assign_slots();
    lay_out_configuration();
  }

  // Works on branches of the frontier until there are none. Invalid: nothing was found here.
  // Unknown and no reason: it has made that many steps.
  Decision run(Frontier& frontier, std::size_t most);
  // After an answer of valid, with the first branch: the operations in a right order.
  [[nodiscard]] std::vector<std::uint32_t> order();
  [[nodiscard]] std::size_t words() const { return current_.size(); }

 private:
  // A configuration, in saved_, and its choices.
  struct Frame {
    std::size_t first_choice;
    std::size_t next_choice;
    std::uint32_t taken = 0;  // the choice that it is being tried with
  };

  void lay_out_time();
  void assign_slots();
  void lay_out_configuration();

  // Walks on until a completion forces something. False at the end of the history.
  bool walk();
  void set_out(const Branch& branch);
  void move_to(std::size_t position);
  void find_choices();
  void choose(std::uint32_t choice);
  // The next untried choice of the deepest frame that has one. False when there is none.
  bool backtrack();
  // The last choice of the first frame that has one.
  void give_branch(Frontier& frontier);
  // What has run out; null while nothing has.
  const char* spent(std::size_t steps, std::size_t workers) const;
  [[nodiscard]] Decision give_up(const char* what, std::size_t tried) const;

  // The configuration's words: position and state; then slots; then counts.
  [[nodiscard]] StateId state() const { return static_cast<StateId>(current_[0]); }
  void set_head(StateId state) { current_[0] = (position_ << 32U) | state; }
  [[nodiscard]] bool happened(std::uint32_t slot) const {
    return ((current_[1 + slot / 64] >> (slot % 64)) & 1U) != 0;
  }
  void flip(std::uint32_t slot) { current_[1 + slot / 64] ^= std::uint64_t{1} << (slot % 64); }
  [[nodiscard]] std::uint64_t used(std::size_t unknown_class) const;
  void use(std::size_t unknown_class);
  // The state after an operation of that kind; no_state when it cannot follow here.
  [[nodiscard]] StateId after(std::uint32_t kind) { return space_.step(state(), kind); }
  void look();
  void look_with(std::uint32_t slot);

  const std::vector<SearchOp>& ops_;
  StateSpace& space_;
  const Budget& budget_;
  std::vector<Step> time_;
  std::vector<std::uint32_t> classes_;   // their kinds
  std::vector<std::uint32_t> slots_of_;  // by operation
  std::size_t count_bits_ = 8;           // of one class in a configuration

  std::size_t position_ = 0;              // in time_
  std::vector<std::uint32_t> occupants_;  // by slot: the pending operation
  std::vector<std::uint32_t> available_;  // by class: invoked so far
  std::vector<std::uint64_t> current_;    // the configuration
  std::vector<Frame> frames_;
  std::vector<std::uint64_t> saved_;                // the configurations of all frames, in a row
  std::vector<std::uint32_t> choices_;              // of all frames, in a row
  std::vector<std::uint32_t>* happened_ = nullptr;  // while an order is replayed
};

void Search::lay_out_time() {
  std::unordered_map<std::uint32_t, std::uint32_t> class_of;
  for (std::uint32_t i = 0; i < ops_.size(); ++i) {
    const SearchOp& op = ops_[i];
    if (op.is_certain()) {
      time_.push_back({op.invoked, i, StepKind::begin});
      time_.push_back({op.completed, i, StepKind::end});
      continue;
    }
    if (space_.only_looks(op.kind)) continue;
    const auto [entry, added] =
        class_of.try_emplace(op.kind, static_cast<std::uint32_t>(classes_.size()));
    if (added) classes_.push_back(op.kind);
    time_.push_back({op.invoked, entry->second, StepKind::appear});
  }
  std::ranges::sort(time_, {}, &Step::at);
}

void Search::assign_slots() {
  std::vector<std::uint32_t> free;
  for (const Step& step : time_) {
    if (step.kind == StepKind::begin) {
      if (free.empty()) {
        free.push_back(static_cast<std::uint32_t>(occupants_.size()));
        occupants_.push_back(nobody);
      }
      slots_of_[step.index] = free.back();
      free.pop_back();
    } else if (step.kind == StepKind::end) {
      free.push_back(slots_of_[step.index]);
    }
  }
}

void Search::lay_out_configuration() {
  std::vector<std::uint32_t> total(classes_.size(), 0);
  std::uint32_t largest = 0;
  for (const Step& step : time_) {
    if (step.kind == StepKind::appear) largest = std::max(largest, ++total[step.index]);
  }
  count_bits_ = largest < 256 ? 8 : 32;
  const std::size_t per_word = 64 / count_bits_;
  const std::size_t slot_words = (occupants_.size() + 63) / 64;
  const std::size_t count_words = (classes_.size() + per_word - 1) / per_word;
  available_.assign(classes_.size(), 0);
  current_.assign(1 + slot_words + count_words, 0);
}

std::uint64_t Search::used(std::size_t unknown_class) const {
  const std::size_t per_word = 64 / count_bits_;
  const std::size_t word = 1 + (occupants_.size() + 63) / 64 + unknown_class / per_word;
  const std::uint64_t mask = (std::uint64_t{1} << count_bits_) - 1;
  return (current_[word] >> (unknown_class % per_word * count_bits_)) & mask;
}

void Search::use(std::size_t unknown_class) {
  const std::size_t per_word = 64 / count_bits_;
  const std::size_t word = 1 + (occupants_.size() + 63) / 64 + unknown_class / per_word;
  current_[word] += std::uint64_t{1} << (unknown_class % per_word * count_bits_);
}

void Search::look_with(std::uint32_t slot) {
  if (occupants_[slot] == nobody || happened(slot)) return;
  const SearchOp& op = ops_[occupants_[slot]];
  if (!space_.only_looks(op.kind) && !space_.is_spent(state(), op.kind)) return;
  if (after(op.kind) == no_state) return;
  flip(slot);
  if (happened_ != nullptr) happened_->push_back(occupants_[slot]);
}

void Search::look() {
  for (std::uint32_t slot = 0; slot < occupants_.size(); ++slot) look_with(slot);
}

bool Search::walk() {
  for (; position_ < time_.size(); ++position_) {
    const Step& step = time_[position_];
    if (step.kind == StepKind::appear) {
      ++available_[step.index];
      continue;
    }
    const std::uint32_t slot = slots_of_[step.index];
    if (step.kind == StepKind::begin) {
      occupants_[slot] = step.index;
      look_with(slot);
    } else {
      if (!happened(slot)) {
        set_head(state());
        return true;
      }
      flip(slot);
      occupants_[slot] = nobody;
    }
  }
  return false;
}

void Search::move_to(std::size_t position) {
  while (position_ != position) {
    const bool forward = position_ < position;
    const Step& step = time_[forward ? position_++ : --position_];
    if (step.kind == StepKind::appear) {
      forward ? ++available_[step.index] : --available_[step.index];
    } else {
      const bool pending = (step.kind == StepKind::begin) == forward;
      occupants_[slots_of_[step.index]] = pending ? step.index : nobody;
    }
  }
}

// Appends the choices of the current configuration, the most promising last: they are taken from
// the end.
void Search::find_choices() {
  const std::size_t first = choices_.size();
  for (std::uint32_t slot = 0; slot < occupants_.size(); ++slot) {
    if (occupants_[slot] == nobody || happened(slot)) continue;
    const SearchOp& op = ops_[occupants_[slot]];
    if (!space_.only_looks(op.kind) && after(op.kind) != no_state) {
      choices_.push_back(occupants_[slot]);
    }
  }
  const auto begin = choices_.begin() + static_cast<std::ptrdiff_t>(first);
  std::sort(begin, choices_.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::tie(ops_[a].kind, ops_[a].completed) < std::tie(ops_[b].kind, ops_[b].completed);
  });
  const auto alike = [&](std::uint32_t a, std::uint32_t b) { return ops_[a].kind == ops_[b].kind; };
  choices_.erase(std::unique(begin, choices_.end(), alike), choices_.end());
  const std::size_t certain = choices_.size();

  for (std::uint32_t i = 0; i < classes_.size(); ++i) {
    if (used(i) >= available_[i]) continue;
    const StateId next = after(classes_[i]);
    if (next == no_state || next == state()) continue;
    bool has_certain_like = false;
    for (std::size_t k = first; k < certain && !has_certain_like; ++k) {
      has_certain_like = ops_[choices_[k]].kind == classes_[i];
    }
    if (!has_certain_like) choices_.push_back(unknown_bit | i);
  }

  // First what lets the forcing operation complete, at once or next; certain before unknown, the
  // soonest to complete.
  const std::uint32_t forcing = time_[position_].index;
  const auto rank = [&](std::uint32_t choice) {
    const bool unknown = (choice & unknown_bit) != 0;
    const std::uint32_t kind = unknown ? classes_[choice & ~unknown_bit] : ops_[choice].kind;
    const bool lets = choice == forcing || space_.step(after(kind), ops_[forcing].kind) != no_state;
    return std::tuple(choice != forcing, !lets, unknown, unknown ? choice : ops_[choice].completed);
  };
  std::sort(choices_.begin() + static_cast<std::ptrdiff_t>(first), choices_.end(),
            [&](std::uint32_t a, std::uint32_t b) { return rank(a) > rank(b); });
}

void Search::choose(std::uint32_t choice) {
  const bool unknown = (choice & unknown_bit) != 0;
  const std::uint32_t kind = unknown ? classes_[choice & ~unknown_bit] : ops_[choice].kind;
  const StateId next = after(kind);
  if (unknown) {
    use(choice & ~unknown_bit);
  } else {
    flip(slots_of_[choice]);
  }
  set_head(next);
  look();
}

bool Search::backtrack() {
  while (!frames_.empty() && frames_.back().next_choice == frames_.back().first_choice) {
    choices_.resize(frames_.back().first_choice);
    frames_.pop_back();
  }
  saved_.resize(frames_.size() * words());
  if (frames_.empty()) return false;
  Frame& frame = frames_.back();
  choices_.resize(frame.next_choice);
  std::copy(saved_.end() - static_cast<std::ptrdiff_t>(words()), saved_.end(), current_.begin());
  move_to(static_cast<std::size_t>(current_[0] >> 32U));
  frame.taken = choices_[--frame.next_choice];
  choose(frame.taken);
  return true;
}

void Search::give_branch(Frontier& frontier) {
  const auto frame = std::ranges::find_if(
      frames_, [](const Frame& one) { return one.next_choice > one.first_choice; });
  if (frame == frames_.end()) return;
  const auto record =
      saved_.begin() + (frame - frames_.begin()) * static_cast<std::ptrdiff_t>(words());
  frontier.give(
      {{record, record + static_cast<std::ptrdiff_t>(words())}, choices_[frame->first_choice++]});
}

void Search::set_out(const Branch& branch) {
  frames_.clear();
  saved_.clear();
  choices_.clear();
  current_ = branch.configuration;
  move_to(static_cast<std::size_t>(current_[0] >> 32U));
  if (branch.choice) {
    choose(*branch.choice);
  } else {
    look();
  }
}

Decision Search::give_up(const char* what, std::size_t tried) const {
  std::size_t unknown = 0;
  for (const SearchOp& op : ops_) unknown += op.is_certain() ? 0U : 1U;
  return {
      Decision::Answer::unknown,
      fmt::format(
          "{} after {} configurations ({} operations, up to {} at once, {} of unknown outcome that "
          "may have been seen); write each value only once, use fewer clients per key or shorter "
          "histories per key, or allow the checker more",
          what, tried, ops_.size(), occupants_.size(), unknown)};
}

const char* Search::spent(std::size_t steps, std::size_t workers) const {
  if (steps % steps_between_looks == 0 && budget_.deadline.passed()) return "time ran out";
  // At each step: a single state may be large.
  const std::size_t bytes = frames_.capacity() * sizeof(Frame) + choices_.capacity() * 4 +
                            saved_.capacity() * 8 + space_.bytes();
  return bytes > budget_.memory / 4 / workers ? "memory ran out" : nullptr;
}

Decision Search::run(Frontier& frontier, std::size_t most) {
  const auto end = [&](Decision decision) {
    frontier.stop();
    return decision;
  };
  std::size_t steps = 0;
  while (const auto branch = frontier.take()) {
    set_out(*branch);
    do {
      if (!walk()) return end({Decision::Answer::valid, {}});
      if (frontier.is_stopped()) break;
      if (steps == most) return {};
      const char* what = spent(steps++, frontier.workers());
      const auto inserted =
          what == nullptr ? frontier.insert(current_.data()) : Memo::Insertion::out_of_memory;
      if (inserted == Memo::Insertion::out_of_memory) {
        return end(give_up(what == nullptr ? "memory ran out" : what, frontier.size()));
      }
      if (inserted == Memo::Insertion::added) {
        const std::size_t first = choices_.size();
        find_choices();
        frames_.push_back({first, choices_.size(), 0});
        saved_.insert(saved_.end(), current_.begin(), current_.end());
      }
      if (frontier.wants_branch()) give_branch(frontier);
    } while (backtrack());
  }
  return {Decision::Answer::invalid, {}};
}

// The choices that stand are those that led to the end: they are made again, from the start.
std::vector<std::uint32_t> Search::order() {
  std::vector<std::uint32_t> choices;
  for (const Frame& frame : frames_) choices.push_back(frame.taken);
  move_to(0);
  std::ranges::fill(current_, 0);
  std::vector<std::uint32_t> happened;
  happened_ = &happened;
  set_head(first_state);
  for (const std::uint32_t choice : choices) {
    walk();
    if ((choice & unknown_bit) == 0) {
      happened.push_back(choice);
    } else {
      // Of a class, those that begin first are used first.
      const std::uint32_t kind = classes_[choice & ~unknown_bit];
      std::uint64_t skip = used(choice & ~unknown_bit);
      for (std::uint32_t i = 0; i < ops_.size(); ++i) {
        if (ops_[i].kind != kind || ops_[i].is_certain() || skip-- > 0) continue;
        happened.push_back(i);
        break;
      }
    }
    choose(choice);
  }
  walk();
  happened_ = nullptr;
  return happened;
}

// What an operation of a register finds and leaves; states are values.
class RegisterSpace : public StateSpace {
 public:
  std::uint32_t kind_of(const RegisterOp& op) {
    const auto [entry, added] = kinds_.try_emplace(std::tuple(op.observes, op.sets, op.denies),
                                                   static_cast<std::uint32_t>(ops_.size()));
    if (added) ops_.push_back(op);
    return entry->second;
  }
  StateId step(StateId state, std::uint32_t kind) override {
    const RegisterOp& op = ops_[kind];
    if ((op.observes != no_value && op.observes != state) || op.denies == state) return no_state;
    return op.is_read() ? state : op.sets;
  }
  bool only_looks(std::uint32_t kind) const override { return ops_[kind].is_read(); }
  std::size_t bytes() const override { return ops_.capacity() * sizeof(RegisterOp); }

 private:
  std::map<std::tuple<ValueId, ValueId, ValueId>, std::uint32_t> kinds_;
  std::vector<RegisterOp> ops_;
};

// A space that several workers ask, one at a time.
struct SharedSpace {
  StateSpace& space;
  std::mutex mutex;
  std::atomic<std::size_t> bytes = 0;
};

// What one worker knows of it.
class KnownSpace : public StateSpace {
 public:
  KnownSpace(SharedSpace& shared, std::size_t workers) : shared_(shared), workers_(workers) {}

  StateId step(StateId state, std::uint32_t kind) override {
    const auto [entry, is_new] = known_.try_emplace(std::uint64_t{state} << 32U | kind, no_state);
    if (!is_new) return entry->second;
    const std::lock_guard lock(shared_.mutex);
    entry->second = shared_.space.step(state, kind);
    shared_.bytes.store(shared_.space.bytes(), std::memory_order_relaxed);
    return entry->second;
  }
  bool only_looks(std::uint32_t kind) const override { return shared_.space.only_looks(kind); }
  bool is_spent(StateId state, std::uint32_t kind) const override {
    return shared_.space.is_spent(state, kind);
  }
  // With a worker's share of what all have.
  std::size_t bytes() const override {
    return known_.size() * 64 + shared_.bytes.load(std::memory_order_relaxed) / workers_;
  }

 private:
  SharedSpace& shared_;
  std::size_t workers_;
  std::unordered_map<std::uint64_t, StateId> known_;
};

Branch root(std::size_t words) { return {std::vector<std::uint64_t>(words, 0), std::nullopt}; }

Decision decide_together(const std::vector<SearchOp>& ops, StateSpace& space, const Budget& budget,
                         std::size_t words) {
  SharedSpace shared{space, {}, {}};
  Frontier frontier(words, budget.memory - budget.memory / 4, budget.threads);
  frontier.give(root(words));
  std::vector<Decision> found(budget.threads);
  const auto work = [&](std::size_t i) {
    KnownSpace known(shared, budget.threads);
    found[i] = Search(ops, known, budget).run(frontier, ~std::size_t{0});
  };
  std::vector<std::jthread> helpers;
  for (std::size_t i = 1; i < budget.threads; ++i) helpers.emplace_back(work, i);
  work(0);
  helpers.clear();
  for (const auto answer : {Decision::Answer::valid, Decision::Answer::unknown}) {
    const auto it = std::ranges::find(found, answer, &Decision::answer);
    if (it != found.end()) return *it;
  }
  return {Decision::Answer::invalid, {}};
}

}  // namespace

Decision decide_by_search(const std::vector<SearchOp>& ops, StateSpace& space, const Budget& budget,
                          std::vector<std::uint32_t>* order) {
  const bool may_share = budget.threads > 1 && order == nullptr;
  Search search(ops, space, budget);
  Frontier alone(search.words(), budget.memory - budget.memory / 4, 1);
  alone.give(root(search.words()));
  Decision decision = search.run(alone, may_share ? steps_alone : ~std::size_t{0});
  if (order != nullptr && decision.answer == Decision::Answer::valid) *order = search.order();
  const bool is_hard = decision.answer == Decision::Answer::unknown && decision.why.empty();
  return is_hard ? decide_together(ops, space, budget, search.words()) : decision;
}

Decision decide_by_search(const std::vector<RegisterOp>& ops, const Budget& budget,
                          std::vector<std::uint32_t>* order) {
  RegisterSpace space;
  std::vector<SearchOp> kinds;
  kinds.reserve(ops.size());
  for (const RegisterOp& op : ops) {
    kinds.push_back({op.invoked, op.completed, space.kind_of(op)});
  }
  return decide_by_search(kinds, space, budget, order);
}

}  // namespace ordeal::checkers
