#pragma once
// A place in an epoch plan, and what there is to choose from there: operations that are pending,
// unknown ones that have begun, and answers that are known to come. It can go back as well. Pure.

#include <cstddef>
#include <vector>

#include "checkers/epoch_plan.h"
#include "checkers/epoch_rows.h"
#include "checkers/slot_set.h"

namespace ordeal::checkers {

template <std::size_t words>
class EpochWalk {
 public:
  using Set = SlotSet<words>;

  EpochWalk(const EpochPlan& plan, const Lanes& lanes)
      : plan_(plan),
        lanes_(lanes),
        occupants_(plan.slots, nobody),
        available_(plan.classes.size(), 0),
        alive_(lanes.words(), 0),
        foreseen_(plan.wanted_until.size()) {}

  // Stands just before the return that has `level` returns before it, or at the end.
  void go_to(std::size_t level) {
    while (level_ > level) step_back(plan_.steps[--position_]);
    while (position_ < plan_.steps.size()) {
      const EpochPlan::Step& step = plan_.steps[position_];
      if (step.kind == EpochPlan::StepKind::end && level_ == level) return;
      step_forward(step);
      ++position_;
    }
  }

  [[nodiscard]] bool is_at_end() const { return position_ == plan_.steps.size(); }
  [[nodiscard]] std::uint32_t level() const { return level_; }
  // The return before which it stands.
  [[nodiscard]] const EpochPlan::Step& step() const { return plan_.steps[position_]; }

  [[nodiscard]] const Set& reads() const { return reads_; }
  [[nodiscard]] const Set& writes() const { return writes_; }
  [[nodiscard]] const Set& sets() const { return sets_; }
  [[nodiscard]] std::uint32_t occupant(std::size_t slot) const { return occupants_[slot]; }
  [[nodiscard]] const RegisterOp& in(std::size_t slot) const { return plan_.ops[occupants_[slot]]; }

  // Classes of unknown operations that have begun and not expired.
  [[nodiscard]] const std::vector<std::uint32_t>& unknown_writes() const { return unknown_writes_; }
  [[nodiscard]] const std::vector<std::uint32_t>& unknown_sets() const { return unknown_sets_; }
  [[nodiscard]] std::size_t available(std::uint32_t of_class) const { return available_[of_class]; }
  [[nodiscard]] const Counts& alive() const { return alive_; }  // ones where a class counts

  // What answers that have not begun ask of a value before anybody else begins to set it.
  [[nodiscard]] const EpochPlan::Demand& foreseen(ValueId value) const { return foreseen_[value]; }
  [[nodiscard]] const std::vector<ValueId>& asked_for() const { return asked_for_; }

 private:
  static constexpr std::uint32_t nobody = ~std::uint32_t{0};

  void step_forward(const EpochPlan::Step& step) {
    switch (step.kind) {
      case EpochPlan::StepKind::begin:
        occupy(step.index, true);
        meet(step.index, -1);
        foresee(step.index, true);
        break;
      case EpochPlan::StepKind::end:
        occupy(step.index, false);
        ++level_;
        break;
      case EpochPlan::StepKind::appear:
        if (available_[plan_.place_of[step.index]]++ == 0) enter(plan_.place_of[step.index], true);
        foresee(step.index, true);
        break;
      case EpochPlan::StepKind::expire:
        enter(step.index, false);
        break;
    }
  }

  void step_back(const EpochPlan::Step& step) {
    switch (step.kind) {
      case EpochPlan::StepKind::begin:
        foresee(step.index, false);
        meet(step.index, 1);
        occupy(step.index, false);
        break;
      case EpochPlan::StepKind::end:
        occupy(step.index, true);
        --level_;
        break;
      case EpochPlan::StepKind::appear:
        foresee(step.index, false);
        if (--available_[plan_.place_of[step.index]] == 0) enter(plan_.place_of[step.index], false);
        break;
      case EpochPlan::StepKind::expire:
        enter(step.index, true);
        break;
    }
  }

  void occupy(std::uint32_t index, bool pending) {
    const std::uint32_t slot = plan_.place_of[index];
    const RegisterOp& op = plan_.ops[index];
    Set& set = op.is_read() ? reads_ : op.observes == no_value ? writes_ : sets_;
    occupants_[slot] = pending ? index : nobody;
    pending ? set.add(slot) : set.remove(slot);
  }

  void enter(std::uint32_t of_class, bool present) {
    const EpochPlan::Class& unknown = plan_.classes[of_class];
    auto& among = unknown.observes == no_value ? unknown_writes_ : unknown_sets_;
    if (present) {
      among.push_back(of_class);
    } else {
      std::erase(among, of_class);
    }
    lanes_.set_all(alive_.data(), unknown.lane, present);
  }

  // An operation begins to set a value: what is asked until another does is known.
  void foresee(std::uint32_t index, bool begins) {
    const EpochPlan::Demand& demand = plan_.demand_on[index];
    if (demand.is_empty()) return;
    const ValueId value = plan_.ops[index].sets;
    if (begins) {
      asked_for_.push_back(value);
      foreseen_[value] = demand;
    } else {
      std::erase(asked_for_, value);
      foreseen_[value] = {};
    }
  }

  // An operation that was foreseen begins.
  void meet(std::uint32_t index, int by) {
    const RegisterOp& op = plan_.ops[index];
    if (op.observes == no_value || plan_.last_set[index] >= op.invoked) return;
    EpochPlan::Demand& demand = foreseen_[op.observes];
    const bool was_empty = demand.is_empty();
    (op.is_read() ? demand.reads : demand.sets) += static_cast<std::uint32_t>(by);
    if (was_empty) asked_for_.push_back(op.observes);
    if (demand.is_empty()) std::erase(asked_for_, op.observes);
  }

  const EpochPlan& plan_;
  const Lanes& lanes_;
  std::size_t position_ = 0;  // in the plan's steps
  std::uint32_t level_ = 0;   // returns walked over
  std::vector<std::uint32_t> occupants_;
  Set reads_, writes_, sets_;             // pending
  std::vector<std::uint32_t> available_;  // by class
  Counts alive_;
  std::vector<std::uint32_t> unknown_writes_, unknown_sets_;
  std::vector<EpochPlan::Demand> foreseen_;  // by value
  std::vector<ValueId> asked_for_;           // of which something is foreseen
};

}  // namespace ordeal::checkers
