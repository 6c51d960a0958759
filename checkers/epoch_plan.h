#pragma once
// A register's operations laid out for the epoch search: events in order, a slot for each certain
// operation while it is pending, unknown operations in classes, and until when each value matters.
// Pure.

#include <cstddef>
#include <vector>

#include "checkers/split.h"

namespace ordeal::checkers {

struct EpochPlan {
  enum class StepKind : std::uint8_t { begin, end, appear, expire };
  struct Step {
    EventIndex at;
    std::uint32_t index;  // of the operation; of the class for expire
    StepKind kind;
  };
  // Unknown operations that observe and set the same.
  struct Class {
    ValueId observes;
    ValueId sets;
    std::vector<EventIndex> invoked;  // ascending
    std::uint32_t lane = 0;           // where a configuration counts how many were used
    EventIndex expires = never;       // from then on nobody can want one
  };
  // How many operations ask for a value.
  struct Demand {
    std::uint32_t sets = 0;  // compare-and-sets
    std::uint32_t reads = 0;

    [[nodiscard]] bool is_empty() const { return sets == 0 && reads == 0; }
  };

  // The last value stands for all that nobody can observe or deny.
  EpochPlan(std::vector<RegisterOp> operations, std::size_t value_count);

  std::vector<RegisterOp> ops;
  std::vector<Step> steps;
  std::vector<std::uint32_t> place_of;  // by operation: its slot; of an unknown one, its class
  std::size_t slots = 0;
  std::vector<Class> classes;
  std::vector<EventIndex> wanted_until;  // by value: nobody observes or denies it afterwards
  ValueId nothing_special;
  // By operation that observes a value: when the last one that sets it began, before it returned.
  std::vector<EventIndex> last_set;
  // By operation that sets a value: who asks for it, beginning and returning before another one
  // begins that sets it.
  std::vector<Demand> demand_on;
  std::size_t lane_bits = 8;  // of which the highest stays zero
  std::size_t lanes = 0;

 private:
  void find_wanted(std::size_t value_count);
  void classify();
  void lay_out_time();
  void assign_slots();
  void assign_lanes();
  void foresee();

  EventIndex last_denial_ = 0;
};

}  // namespace ordeal::checkers
