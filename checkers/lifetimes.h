#pragma once
// The elements of a container, each with the calls that put it in and took it out, on a time line
// without gaps. What the algorithms for queues, stacks and priority queues read. Pure.
//
// A moment is the gap between two neighbouring events; moment i lies behind event i. A call that
// spans events [b, e] can take effect at the moments b to e - 1. An element is certainly inside
// from the moment behind the return of its insertion to that before the invocation of its removal.

#include <cstdint>
#include <optional>
#include <vector>

#include "checkers/call.h"

namespace ordeal::checkers {

struct Lifetime {
  std::uint32_t in_begin = 0;
  std::uint32_t in_end = 0;     // Lifetimes::end for an insertion of unknown outcome
  std::uint32_t out_begin = 0;  // Lifetimes::end: never taken out
  std::uint32_t out_end = 0;
  std::uint32_t call = 0;  // position of its insertion

  [[nodiscard]] bool is_certainly_inside() const { return in_end < out_begin; }
};

struct Interval {
  std::uint32_t begin;
  std::uint32_t end;
};

struct Lifetimes {
  // Calls that take out are those of `taking`; of an unknown one only the beginning is known.
  // nullopt when an element was put in twice.
  static std::optional<Lifetimes> read(const std::vector<Call>& calls, Act taking);

  std::vector<Lifetime> elements;  // by beginning of the insertion; what never was is left out
  std::vector<Interval> empties;   // removals that found nothing
  std::vector<std::uint32_t> unknown_removals;  // where they begin, ascending
  std::uint32_t end = 0;                        // one more than the last event
  bool is_impossible = false;  // an element was taken out twice, or without having been put in
};

}  // namespace ordeal::checkers
