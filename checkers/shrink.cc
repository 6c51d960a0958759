#include "checkers/shrink.h"

#include <algorithm>
#include <span>

#include "checkers/zones.h"

namespace ordeal::checkers {

namespace {

class Shrinker {
 public:
  Shrinker(std::size_t value_count, const Budget& budget, Nanoseconds first_took)
      : value_count_(value_count), budget_(budget), step_limit_(10 * first_took + 2s) {}

  Core run(const std::vector<RegisterOp>& ops);

 private:
  // An undecided part is kept, and the result is then not known to be minimal.
  bool is_impossible(const std::vector<RegisterOp>& ops) {
    const Budget step = {Deadline::after(step_limit_).sooner(budget_.deadline), budget_.memory};
    const Decision decision = decide_register(ops, value_count_, step);
    if (decision.answer == Decision::Answer::unknown) gave_up_ = true;
    return decision.answer == Decision::Answer::invalid;
  }

  RegisterOp find_break(const std::vector<RegisterOp>& ops);
  // Part of the operations that are impossible up to the earliest moment, by zones, and leaves the
  // operation that completes then in `breaks`. Empty when zones do not know the earliest.
  std::vector<RegisterOp> find_part(const std::vector<RegisterOp>& ops, RegisterOp& breaks);
  std::vector<RegisterOp> leave_out(const std::vector<RegisterOp>& ops);
  // Tries to leave out runs of `length` operations. Whether any went.
  bool leave_out_runs(const SoundSubsets& sound, const std::vector<RegisterOp>& ops,
                      std::vector<bool>& kept, std::size_t length);

  std::size_t value_count_;
  const Budget& budget_;
  Nanoseconds step_limit_;
  bool gave_up_ = false;
};

std::vector<RegisterOp> select(const std::vector<RegisterOp>& ops, const std::vector<bool>& kept) {
  std::vector<RegisterOp> selected;
  for (std::size_t i = 0; i < ops.size(); ++i) {
    if (kept[i]) selected.push_back(ops[i]);
  }
  return selected;
}

// Reads first, so that a witness argues with what was written rather than with what others saw.
std::vector<std::size_t> order_of_trial(const std::vector<RegisterOp>& ops,
                                        const std::vector<bool>& kept) {
  std::vector<std::size_t> order;
  for (const bool reads : {true, false}) {
    for (std::size_t i = 0; i < ops.size(); ++i) {
      if (kept[i] && ops[i].is_read() == reads) order.push_back(i);
    }
  }
  return order;
}

Core Shrinker::run(const std::vector<RegisterOp>& ops) {
  Core core;
  const std::vector<RegisterOp> part = find_part(ops, core.breaks);
  if (part.empty()) core.breaks = find_break(ops);
  core.prefix = prefix_of(ops, core.breaks.completed);
  core.ops = leave_out(part.empty() ? core.prefix : prefix_of(part, core.breaks.completed));
  core.is_minimal = !gave_up_;
  return core;
}

// Zones name values that contradict each other. What is not about these can be left out at once:
// operations on one value, and on those it was made from, stand together in every order. When the
// rest becomes impossible is found by bisection; it is the answer if all was possible until then.
std::vector<RegisterOp> Shrinker::find_part(const std::vector<RegisterOp>& ops,
                                            RegisterOp& breaks) {
  EventIndex end = never - 1;
  std::vector<RegisterOp> part;
  for (int round = 0; round < 8; ++round) {
    const auto values = conflict_by_zones(ops, end);
    if (!values) return {};
    if (values->empty()) return part;
    std::vector<bool> named(value_count_, false);
    for (const ValueId value : *values) named[value] = true;
    const auto is_named = [&](ValueId value) { return value != no_value && named[value]; };
    part.clear();
    for (const RegisterOp& op : ops) {
      if (is_named(op.observes) || is_named(op.sets)) part.push_back(op);
    }
    const std::vector<RegisterOp> prefix = prefix_of(part, end);
    if (!is_impossible(prefix)) return {};
    breaks = find_break(prefix);
    end = breaks.completed - 1;
  }
  return {};
}

// Only the completion of an operation that observes something can make a history impossible: a
// write that completes last fits at the end of any order. So the prefix ends at one of those, found
// by bisection.
RegisterOp Shrinker::find_break(const std::vector<RegisterOp>& ops) {
  std::vector<RegisterOp> candidates;
  for (const RegisterOp& op : ops) {
    if (op.is_certain() && op.is_answer()) candidates.push_back(op);
  }
  std::ranges::sort(candidates, {}, &RegisterOp::completed);
  ORDEAL_CHECK(!candidates.empty(), "a history without answers cannot be impossible");
  std::size_t low = 0;
  std::size_t high = candidates.size() - 1;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (is_impossible(prefix_of(ops, candidates[middle].completed))) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return candidates[high];
}

std::vector<RegisterOp> Shrinker::leave_out(const std::vector<RegisterOp>& ops) {
  const SoundSubsets sound(ops, value_count_);
  std::vector<bool> kept(ops.size(), true);
  for (std::size_t length = std::max<std::size_t>(ops.size() / 2, 1); length > 1; length /= 2) {
    leave_out_runs(sound, ops, kept, length);
  }
  while (!budget_.deadline.passed() && leave_out_runs(sound, ops, kept, 1)) {
  }
  return select(ops, kept);
}

bool Shrinker::leave_out_runs(const SoundSubsets& sound, const std::vector<RegisterOp>& ops,
                              std::vector<bool>& kept, std::size_t length) {
  bool any = false;
  const std::vector<std::size_t> order = order_of_trial(ops, kept);
  for (std::size_t start = 0; start < order.size(); start += length) {
    if (budget_.deadline.passed()) {
      gave_up_ = true;
      return any;
    }
    std::vector<bool> wanted = kept;
    for (std::size_t i = start; i < std::min(start + length, order.size()); ++i)
      wanted[order[i]] = false;
    if (wanted == kept) continue;
    std::vector<bool> candidate = sound.around(std::move(wanted));
    if (candidate == kept || !is_impossible(select(ops, candidate))) continue;
    kept = std::move(candidate);
    any = true;
  }
  return any;
}

}  // namespace

SoundSubsets::SoundSubsets(const std::vector<RegisterOp>& ops, std::size_t value_count)
    : ops_(ops), setters_(value_count), replaced_at_(ops.size(), never) {
  // For each moment, the first completion of a certain setter that begins after it: by suffix
  // minimum.
  std::vector<EventIndex> begins;
  std::vector<EventIndex> done;
  for (std::size_t i = 0; i < ops.size(); ++i) {
    if (ops[i].is_read()) continue;
    setters_[ops[i].sets].push_back(i);
    if (!ops[i].is_certain()) continue;
    begins.push_back(ops[i].invoked);
    done.push_back(ops[i].completed);
  }
  for (std::size_t i = done.size(); i > 1; --i) done[i - 2] = std::min(done[i - 2], done[i - 1]);
  for (std::size_t i = 0; i < ops.size(); ++i) {
    const auto next = std::ranges::upper_bound(begins, ops[i].completed);
    if (next != begins.end())
      replaced_at_[i] = done[static_cast<std::size_t>(next - begins.begin())];
  }
}

void SoundSubsets::add_sources(const RegisterOp& observer,
                               std::vector<std::size_t>& sources) const {
  if (observer.denies != no_value) {
    for (std::size_t i = 0; i < ops_.size(); ++i) {
      if (ops_[i].is_read() || ops_[i].sets == observer.denies) continue;
      if (ops_[i].invoked < observer.completed && replaced_at_[i] > observer.invoked) {
        sources.push_back(i);
      }
    }
    return;
  }
  std::size_t found = 0;
  std::size_t last_begun = ops_.size();
  for (const std::size_t i : setters_[observer.observes]) {
    const bool is_itself = ops_[i].invoked == observer.invoked;
    if (is_itself || ops_[i].invoked > observer.completed) continue;
    last_begun = i;
    if (replaced_at_[i] < observer.invoked) continue;
    sources.push_back(i);
    ++found;
  }
  if (found == 0 && last_begun < ops_.size() && observer.observes != nil_value) {
    sources.push_back(last_begun);
  }
}

std::vector<bool> SoundSubsets::around(std::vector<bool> wanted) const {
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < ops_.size(); ++i) {
    if (wanted[i]) open.push_back(i);
  }
  std::vector<std::size_t> sources;
  while (!open.empty()) {
    const RegisterOp& op = ops_[open.back()];
    open.pop_back();
    if (!op.is_answer()) continue;
    sources.clear();
    add_sources(op, sources);
    for (const std::size_t i : sources) {
      if (wanted[i]) continue;
      wanted[i] = true;
      open.push_back(i);
    }
  }
  return wanted;
}

Core shrink(const std::vector<RegisterOp>& ops, std::size_t value_count, const Budget& budget,
            Nanoseconds first_took) {
  return Shrinker(value_count, budget, first_took).run(ops);
}

std::vector<RegisterOp> prefix_of(const std::vector<RegisterOp>& ops, EventIndex end) {
  const auto begun = std::ranges::upper_bound(ops, end, {}, &RegisterOp::invoked);
  std::vector<RegisterOp> prefix;
  prefix.reserve(static_cast<std::size_t>(begun - ops.begin()));
  for (const RegisterOp& op : std::span(ops.begin(), begun)) {
    if (op.completed <= end) {
      prefix.push_back(op);
    } else if (!op.is_read()) {
      prefix.push_back(op);
      prefix.back().completed = never;
    }
  }
  return prefix;
}

}  // namespace ordeal::checkers
