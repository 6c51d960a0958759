#include "checkers/containers.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "checkers/lifetimes.h"

namespace ordeal::checkers {

namespace {

// Which moments have an element certainly inside. A removal that found nothing needs one without;
// and one without is all that it needs: at such a moment every element can be all before or all
// behind, since insertions that reach beyond it can wait and removals that began before can hurry,
// which keeps the order among those before and among those behind.
class Cover {
 public:
  explicit Cover(const Lifetimes& all) : free_before_(all.end + 1, 0) {
    std::vector<std::int32_t> change(all.end + 1, 0);
    for (const Lifetime& element : all.elements) {
      if (!element.is_certainly_inside()) continue;
      ++change[element.in_end];
      --change[element.out_begin];
    }
    std::int32_t inside = 0;
    for (std::size_t i = 0; i < all.end; ++i) {
      inside += change[i];
      free_before_[i + 1] = free_before_[i] + (inside == 0 ? 1U : 0U);
    }
  }
  [[nodiscard]] bool has_free(const Interval& call) const {
    return free_before_[call.end] > free_before_[call.begin];
  }

 private:
  std::vector<std::uint32_t> free_before_;  // moments
};

bool empties_fit(const Lifetimes& all) {
  if (all.empties.empty()) return true;
  const Cover cover(all);
  return std::ranges::all_of(all.empties,
                             [&](const Interval& call) { return cover.has_free(call); });
}

}  // namespace

// An element must come before another when its insertion returned before that of the other began,
// or its removal before that of the other began (one that is never removed comes last). Both are
// interval orders, so a circle contains a circle of two: a first in, b first out. That is looked
// for, and nothing else can be wrong.
//
// An unknown removal can take one element that nobody else took. One must be taken if an element
// that came in surely later was taken; by a removal that began before that one returned. Such
// deadlines are met, or not, by the earliest removals for the earliest deadlines.
std::optional<bool> decide_queue(const std::vector<Call>& calls) {
  const auto all = Lifetimes::read(calls, Act::dequeue);
  if (!all) return std::nullopt;
  if (all->is_impossible) return false;
  const std::uint32_t end = all->end;
  const auto& elements = all->elements;
  if (!all->unknown_removals.empty() && !all->empties.empty()) return std::nullopt;

  // By the moment of its return, when the element that came in then is taken out.
  std::vector<std::uint32_t> out_begin(end + 1, 0);
  bool any_left = false;
  for (const Lifetime& element : elements) {
    const bool left = element.out_begin == end;
    any_left |= left;
    if (left && !all->unknown_removals.empty()) continue;
    if (element.in_end < end) out_begin[element.in_end] = element.out_begin;
  }
  std::uint32_t latest = 0;
  std::uint32_t at = 0;
  for (const Lifetime& element : elements) {
    for (; at < element.in_begin; ++at) latest = std::max(latest, out_begin[at]);
    if (element.out_begin != end && element.out_end < latest) return false;
  }
  if (!empties_fit(*all)) return false;
  if (!any_left || all->unknown_removals.empty()) return true;

  // From the last insertion back: the first return of a removal of those that came in later.
  std::vector<std::uint32_t> deadlines;
  std::vector<std::uint32_t> soonest(end + 2, end);
  for (const Lifetime& element : elements) {
    if (element.out_begin != end) soonest[element.in_begin] = element.out_end;
  }
  for (std::uint32_t i = end; i > 0; --i) soonest[i - 1] = std::min(soonest[i - 1], soonest[i]);
  for (const Lifetime& element : elements) {
    if (element.out_begin != end || element.in_end == end) continue;
    if (soonest[element.in_end] != end) deadlines.push_back(soonest[element.in_end]);
  }
  std::ranges::sort(deadlines);
  if (deadlines.size() > all->unknown_removals.size()) return false;
  for (std::size_t i = 0; i < deadlines.size(); ++i) {
    if (all->unknown_removals[i] > deadlines[i]) return false;
  }
  return true;
}

namespace {

// The next of a row of things that has not been struck out, in almost constant time.
class Remaining {
 public:
  explicit Remaining(std::size_t size) : next_(size + 1) {
    std::iota(next_.begin(), next_.end(), std::uint32_t{0});
  }
  std::uint32_t from(std::uint32_t at) {
    std::uint32_t last = at;
    while (next_[last] != last) last = next_[last];
    while (next_[at] != last) at = std::exchange(next_[at], last);
    return last;
  }
  void strike(std::uint32_t at) { next_[at] = at + 1; }

 private:
  std::vector<std::uint32_t> next_;
};

}  // namespace

// Take the largest element. Nothing else cares whether it is inside; it can be taken out only while
// everything smaller is not: at a moment of its removal at which no smaller element is certainly
// inside. If there is one, that is all it needs (see Cover: the smaller ones can be all before or
// all behind), and the rest is decided without it. So each element is asked for by itself, against
// the smaller ones: from the smallest up.
std::optional<bool> decide_priority_queue(const std::vector<Call>& calls) {
  auto all = Lifetimes::read(calls, Act::extract);
  if (!all) return std::nullopt;
  if (all->is_impossible) return false;
  for (const Lifetime& element : all->elements) {
    if (element.value.as_integer() == nullptr) return std::nullopt;
  }
  std::ranges::sort(all->elements, {},
                    [](const Lifetime& element) { return *element.value.as_integer(); });
  Remaining free(all->end + std::size_t{1});  // moments with nothing inside so far
  const auto has_free = [&](std::uint32_t begin, std::uint32_t end) {
    return free.from(begin) < end;
  };
  bool fits = true;
  for (const Lifetime& element : all->elements) {
    if (element.out_begin != all->end) {
      fits = fits && has_free(std::max(element.in_begin, element.out_begin), element.out_end);
    }
    if (!element.is_certainly_inside()) continue;
    for (std::uint32_t at = free.from(element.in_end); at < element.out_begin; at = free.from(at)) {
      free.strike(at);
    }
  }
  for (const Interval& call : all->empties) fits = fits && has_free(call.begin, call.end);
  // An unknown removal may have made room; or been nothing.
  if (!fits && !all->unknown_removals.empty()) return std::nullopt;
  return fits;
}

}  // namespace ordeal::checkers
