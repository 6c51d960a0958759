#include "checkers/epoch_plan.h"

#include <algorithm>
#include <map>

namespace ordeal::checkers {

EpochPlan::EpochPlan(std::vector<RegisterOp> operations, std::size_t value_count)
    : ops(std::move(operations)),
      slot_of(ops.size(), 0),
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
  for (const RegisterOp& op : ops) {
    if (op.is_certain() || op.is_read()) continue;
    const EventIndex expires = std::max(wanted_until[op.sets], last_denial_);
    if (expires < op.invoked) continue;
    const auto [entry, added] = class_of.try_emplace(std::pair(op.observes, op.sets),
                                                     static_cast<std::uint32_t>(classes.size()));
    if (added) classes.push_back({op.observes, op.sets, {}, 0, expires});
    classes[entry->second].invoked.push_back(op.invoked);
  }
}

void EpochPlan::lay_out_time() {
  steps.reserve(2 * ops.size());
  for (std::uint32_t i = 0; i < ops.size(); ++i) {
    if (!ops[i].is_certain()) continue;
    steps.push_back({ops[i].invoked, i, StepKind::begin});
    steps.push_back({ops[i].completed, i, StepKind::end});
  }
  for (std::uint32_t i = 0; i < classes.size(); ++i) {
    for (const EventIndex at : classes[i].invoked) steps.push_back({at, i, StepKind::appear});
    if (classes[i].expires != never) steps.push_back({classes[i].expires, i, StepKind::expire});
  }
  // Event indices differ, but that a class expires with the end of an operation.
  std::ranges::sort(steps, [](const Step& a, const Step& b) {
    return a.at != b.at ? a.at < b.at : a.kind < b.kind;
  });
}

void EpochPlan::assign_slots() {
  std::vector<std::uint32_t> free;
  for (const Step& step : steps) {
    if (step.kind == StepKind::begin) {
      if (free.empty()) free.push_back(static_cast<std::uint32_t>(slots++));
      slot_of[step.index] = free.back();
      free.pop_back();
    } else if (step.kind == StepKind::end) {
      free.push_back(slot_of[step.index]);
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
    } else if (step.kind == StepKind::appear && !assigned[step.index]) {
      assigned[step.index] = true;
      if (free.empty()) free.push_back(static_cast<std::uint32_t>(lanes++));
      classes[step.index].lane = free.back();
      free.pop_back();
      largest = std::max(largest, classes[step.index].invoked.size());
    }
  }
  lane_bits = largest < 0x80 ? 8 : largest < 0x8000 ? 16 : 32;
}

}  // namespace ordeal::checkers
