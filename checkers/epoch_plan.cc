#include "checkers/epoch_plan.h"

#include <algorithm>
#include <map>
#include <queue>

namespace ordeal::checkers {

namespace {

constexpr std::uint32_t nowhere = ~std::uint32_t{0};

}  // namespace

EpochPlan::EpochPlan(std::vector<RegisterOp> operations, std::size_t value_count)
    : ops(std::move(operations)),
      place_of(ops.size(), nowhere),
      nothing_special(static_cast<ValueId>(value_count)) {
  // What leaves the value that it found is a read.
  for (RegisterOp& op : ops) {
    if (op.observes != no_value && op.observes == op.sets) op.sets = no_value;
  }
  find_wanted(value_count);
  classify();
  lay_out_time();
  assign_slots();
  assign_lanes();
  foresee();
}

void EpochPlan::find_wanted(std::size_t value_count) {
  wanted_until.assign(value_count + 1, 0);
  for (const RegisterOp& op : ops) {
    if (op.observes != no_value) {
      wanted_until[op.observes] = std::max(wanted_until[op.observes], op.completed);
    }
    if (op.denies == no_value) continue;
    wanted_until[op.denies] = std::max(wanted_until[op.denies], op.completed);
    last_denial_ = std::max(last_denial_, op.completed);
  }
  for (RegisterOp& op : ops) {
    if (op.sets != no_value && wanted_until[op.sets] < op.invoked) op.sets = nothing_special;
  }
}

void EpochPlan::classify() {
  std::map<std::pair<ValueId, ValueId>, std::uint32_t> class_of;
  for (std::uint32_t i = 0; i < ops.size(); ++i) {
    const RegisterOp& op = ops[i];
    if (op.is_certain() || op.is_read()) continue;
    const EventIndex expires = std::max(wanted_until[op.sets], last_denial_);
    if (expires < op.invoked) continue;
    const auto [entry, added] = class_of.try_emplace(std::pair(op.observes, op.sets),
                                                     static_cast<std::uint32_t>(classes.size()));
    if (added) classes.push_back({op.observes, op.sets, {}, 0, expires});
    classes[entry->second].invoked.push_back(op.invoked);
    place_of[i] = entry->second;
  }
}

// The operations are by invocation; what ends one waits until its time has come.
void EpochPlan::lay_out_time() {
  const auto later = [](const Step& a, const Step& b) {
    return a.at != b.at ? a.at > b.at : a.kind > b.kind;
  };
  std::priority_queue<Step, std::vector<Step>, decltype(later)> to_come(later);
  const auto lay_until = [&](EventIndex now) {
    for (; !to_come.empty() && to_come.top().at < now; to_come.pop())
      steps.push_back(to_come.top());
  };
  steps.reserve(2 * ops.size());
  for (std::uint32_t i = 0; i < ops.size(); ++i) {
    lay_until(ops[i].invoked);
    if (ops[i].is_certain()) {
      steps.push_back({ops[i].invoked, i, StepKind::begin});
      to_come.push({ops[i].completed, i, StepKind::end});
    } else if (place_of[i] != nowhere) {
      const Class& one = classes[place_of[i]];
      steps.push_back({ops[i].invoked, i, StepKind::appear});
      if (one.invoked.front() == ops[i].invoked && one.expires != never) {
        to_come.push({one.expires, place_of[i], StepKind::expire});
      }
    }
  }
  lay_until(never);
}

void EpochPlan::assign_slots() {
  std::vector<std::uint32_t> free;
  for (const Step& step : steps) {
    if (step.kind == StepKind::begin) {
      if (free.empty()) free.push_back(static_cast<std::uint32_t>(slots++));
      place_of[step.index] = free.back();
      free.pop_back();
    } else if (step.kind == StepKind::end) {
      free.push_back(place_of[step.index]);
    }
  }
}

// A lane is free again once an operation has returned after its class expired: configurations are
// cleaned then.
void EpochPlan::assign_lanes() {
  std::size_t largest = 0;
  std::vector<bool> assigned(classes.size(), false);
  std::vector<std::uint32_t> free;
  std::vector<std::uint32_t> expired;
  for (const Step& step : steps) {
    if (step.kind == StepKind::end) {
      free.insert(free.end(), expired.begin(), expired.end());
      expired.clear();
    } else if (step.kind == StepKind::expire) {
      expired.push_back(classes[step.index].lane);
    } else if (step.kind == StepKind::appear && !assigned[place_of[step.index]]) {
      Class& one = classes[place_of[step.index]];
      assigned[place_of[step.index]] = true;
      if (free.empty()) free.push_back(static_cast<std::uint32_t>(lanes++));
      one.lane = free.back();
      free.pop_back();
      largest = std::max(largest, one.invoked.size());
    }
  }
  lane_bits = largest < 0x80 ? 8 : largest < 0x8000 ? 16 : 32;
}

void EpochPlan::foresee() {
  last_set.assign(ops.size(), 0);
  demand_on.assign(ops.size(), {});
  std::vector<std::uint32_t> setter(wanted_until.size(), nowhere);  // by value: the last that began
  for (const Step& step : steps) {
    if (step.kind == StepKind::expire) continue;
    const RegisterOp& op = ops[step.index];
    if (step.kind != StepKind::end) {
      if (op.sets != no_value) setter[op.sets] = step.index;
    } else if (op.observes != no_value) {
      const std::uint32_t last = setter[op.observes];
      last_set[step.index] = last == nowhere ? op.invoked : ops[last].invoked;
      if (last_set[step.index] >= op.invoked) continue;
      ++(op.is_read() ? demand_on[last].reads : demand_on[last].sets);
    }
  }
}

}  // namespace ordeal::checkers
