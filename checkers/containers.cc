#include "checkers/containers.h"

#include <algorithm>
#include <limits>

#include "checkers/lifetimes.h"

namespace ordeal::checkers {

namespace {

// Which moments have an element certainly inside. A removal that found nothing needs one without;
// and one without is all that it needs: at such a moment every element can be all before or all
// behind, since insertions that reach beyond it can wait and removals that began before can hurry,
// which keeps the order among those before and among those behind.
//
// Of a queue, elements that nobody is known to have taken may have been taken by removals of
// unknown outcome. At a moment that is to be without, all of them that came in must be gone: as
// many such removals must have begun.
class Cover {
 public:
  explicit Cover(const Lifetimes& all) : free_before_(all.end + 1, 0) {
    std::vector<std::int32_t> change(all.end + 1, 0);
    std::vector<std::int32_t> left(all.end + 1, 0);  // less the removals for them
    for (const Lifetime& element : all.elements) {
      if (!element.is_certainly_inside()) continue;
      if (element.out_begin == all.end) {
        ++left[element.in_end];
        continue;
      }
      ++change[element.in_end];
      --change[element.out_begin];
    }
    for (const std::uint32_t begin : all.unknown_removals) --left[begin];
    std::int32_t inside = 0;
    std::int32_t too_many = 0;
    for (std::size_t i = 0; i < all.end; ++i) {
      inside += change[i];
      too_many += left[i];
      free_before_[i + 1] = free_before_[i] + (inside == 0 && too_many <= 0 ? 1U : 0U);
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
// deadlines are met, or not, by the earliest removals for the earliest deadlines. A moment without
// anything inside is a deadline, too, for all that came in before. Elements that came in earlier
// have the earlier deadlines, so those with a deadline before some moment are the first so many;
// hence it is enough that the removals suffice at each such moment by itself.
std::optional<bool> decide_queue(const std::vector<Call>& calls) {
  const auto all = Lifetimes::read(calls, Act::dequeue);
  if (!all) return std::nullopt;
  if (all->is_impossible) return false;
  const std::uint32_t end = all->end;
  const auto& elements = all->elements;

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

constexpr std::int64_t nothing = std::numeric_limits<std::int64_t>::max();

// The smallest number certainly inside at each moment, `nothing` where there is none.
std::vector<std::int64_t> smallest_inside(const Lifetimes& all,
                                          const std::vector<std::int64_t>& numbers) {
  struct Inside {
    std::int64_t number;
    std::uint32_t out_begin;
  };
  const auto larger = [](const Inside& a, const Inside& b) { return a.number > b.number; };
  std::vector<std::uint32_t> enters(all.end + std::size_t{1}, 0);  // one more than the element
  for (std::uint32_t i = 0; i < all.elements.size(); ++i) {
    const Lifetime& element = all.elements[i];
    if (element.is_certainly_inside()) enters[element.in_end] = i + 1;
  }
  std::vector<std::int64_t> smallest(all.end, nothing);
  std::vector<Inside> inside;  // a heap; of those that were taken out only the smallest leave it
  for (std::uint32_t at = 0; at < all.end; ++at) {
    if (enters[at] != 0) {
      const std::uint32_t i = enters[at] - 1;
      inside.push_back({numbers[i], all.elements[i].out_begin});
      std::ranges::push_heap(inside, larger);
    }
    while (!inside.empty() && inside.front().out_begin <= at) {
      std::ranges::pop_heap(inside, larger);
      inside.pop_back();
    }
    if (!inside.empty()) smallest[at] = inside.front().number;
  }
  return smallest;
}

// The greatest of a row of numbers over any stretch of it.
class Greatest {
 public:
  explicit Greatest(const std::vector<std::int64_t>& row) : size_(row.size()), tree_(2 * size_) {
    std::ranges::copy(row, tree_.begin() + static_cast<std::ptrdiff_t>(size_));
    for (std::size_t i = size_; i > 1; --i) {
      tree_[i - 1] = std::max(tree_[2 * i - 2], tree_[2 * i - 1]);
    }
  }
  // Whether one in [begin, end) is that number or more.
  [[nodiscard]] bool reaches(std::int64_t number, std::size_t begin, std::size_t end) const {
    for (begin += size_, end += size_; begin < end; begin /= 2, end /= 2) {
      if (begin % 2 == 1 && tree_[begin++] >= number) return true;
      if (end % 2 == 1 && tree_[--end] >= number) return true;
    }
    return false;
  }

 private:
  std::size_t size_;
  std::vector<std::int64_t> tree_;
};

}  // namespace

// Take the largest element. Nothing else cares whether it is inside; it can be taken out only while
// everything smaller is not: at a moment of its removal at which no smaller element is certainly
// inside. If there is one, that is all it needs (see Cover: the smaller ones can be all before or
// all behind), and the rest is decided without it. So each element is asked for by itself, against
// the smaller ones: whether the smallest one inside is ever larger while it is taken out.
std::optional<bool> decide_priority_queue(const std::vector<Call>& calls) {
  const auto all = Lifetimes::read(calls, Act::extract);
  if (!all) return std::nullopt;
  if (all->is_impossible) return false;
  std::vector<std::int64_t> numbers;
  numbers.reserve(all->elements.size());
  for (const Lifetime& element : all->elements) {
    const std::int64_t* number = calls[element.call].argument.as_integer();
    if (number == nullptr || *number == nothing) return std::nullopt;
    numbers.push_back(*number);
  }
  const Greatest least(smallest_inside(*all, numbers));
  bool fits = std::ranges::all_of(all->empties, [&](const Interval& call) {
    return least.reaches(nothing, call.begin, call.end);
  });
  for (std::size_t i = 0; fits && i < numbers.size(); ++i) {
    const Lifetime& element = all->elements[i];
    if (element.out_begin == all->end) continue;
    const std::uint32_t begin = std::max(element.in_begin, element.out_begin);
    fits = least.reaches(numbers[i], begin, element.out_end);
  }
  // An unknown removal may have made room; or been nothing.
  if (!fits && !all->unknown_removals.empty()) return std::nullopt;
  return fits;
}

}  // namespace ordeal::checkers
