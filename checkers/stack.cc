// Why this is exact. An element whose removal may come right behind its insertion disturbs nobody
// and is left out. Each of the others is certainly inside for some moments. At a moment with
// nobody inside the history falls into two that do not touch each other (see Cover in
// containers.cc). Between two such moments somebody is inside all the time, so in any right order
// one element lies at the bottom all the time: its insertion comes before every other call there
// and its removal behind them. If no element can be that, there is no order. If one can, it may as
// well be: taken away and put back around a right order of the rest, it is right. And so on with
// the rest.
//
// Elements that nobody took out are taken out at the end, all at once.

#include <algorithm>
#include <limits>

#include "checkers/containers.h"
#include "checkers/lifetimes.h"

namespace ordeal::checkers {

namespace {

constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

// How many elements are inside at each moment; finds the first moment without.
class Depths {
 public:
  explicit Depths(const std::vector<std::int32_t>& row) {
    while (leaves_ < row.size()) leaves_ *= 2;
    nodes_.resize(2 * leaves_);
    for (std::size_t i = 0; i < row.size(); ++i) nodes_[leaves_ + i].least = row[i];
    for (std::size_t i = leaves_; i > 1; --i) join(i - 1);
  }
  // One less at each moment in [begin, end).
  void take_one(std::uint32_t begin, std::uint32_t end) {
    std::size_t left = leaves_ + begin;
    std::size_t right = leaves_ + end;
    const auto take = [&](std::size_t node) {
      --nodes_[node].least;
      --nodes_[node].added;
    };
    for (; left < right; left /= 2, right /= 2) {
      if (left % 2 == 1) take(left++);
      if (right % 2 == 1) take(--right);
    }
    for (std::size_t node = (leaves_ + begin) / 2; node > 0; node /= 2) join(node);
    for (std::size_t node = (leaves_ + end - 1) / 2; node > 0; node /= 2) join(node);
  }
  // In [begin, end); `end` when there is none.
  [[nodiscard]] std::uint32_t first_empty(std::uint32_t begin, std::uint32_t end) const {
    return std::min(first_empty(1, 0, leaves_, begin, end, 0), end);
  }

 private:
  void join(std::size_t node) {
    nodes_[node].least =
        nodes_[node].added + std::min(nodes_[2 * node].least, nodes_[2 * node + 1].least);
  }
  [[nodiscard]] std::uint32_t first_empty(std::size_t node, std::size_t from, std::size_t to,
                                          std::uint32_t begin, std::uint32_t end,
                                          std::int32_t above) const {
    if (end <= from || to <= begin || nodes_[node].least + above > 0) return none;
    if (to - from == 1) return static_cast<std::uint32_t>(from);
    const std::size_t middle = (from + to) / 2;
    const std::int32_t sum = above + nodes_[node].added;
    const std::uint32_t left = first_empty(2 * node, from, middle, begin, end, sum);
    return left != none ? left : first_empty(2 * node + 1, middle, to, begin, end, sum);
  }

  struct Node {
    std::int32_t least = 0;  // below the node, its own additions included
    std::int32_t added = 0;  // to all below the node
  };
  std::size_t leaves_ = 1;
  std::vector<Node> nodes_;
};

// Elements by the return of their insertions; finds the one that can lie at the bottom of a stretch
// of them.
class Bottoms {
 public:
  explicit Bottoms(const std::vector<Lifetime>& elements) : elements_(elements) {
    while (leaves_ < elements.size()) leaves_ *= 2;
    nodes_.resize(2 * leaves_);
    for (std::size_t i = 0; i < elements.size(); ++i) {
      nodes_[leaves_ + i] = {elements[i].in_begin, elements[i].out_end};
    }
    for (std::size_t i = leaves_; i > 1; --i) join(i - 1);
  }
  void remove(std::uint32_t i) {
    nodes_[leaves_ + i] = {};
    for (std::size_t node = (leaves_ + i) / 2; node > 0; node /= 2) join(node);
  }
  // Of those from position `first` on whose insertion returned before `end`: one that began before
  // `opens` and ends after `closes`.
  [[nodiscard]] std::uint32_t find(std::uint32_t first, std::uint32_t end, std::uint32_t opens,
                                   std::uint32_t closes) const {
    return find(1, 0, leaves_, {first, end, opens, closes});
  }
  // The first one left from that position on.
  [[nodiscard]] std::uint32_t next(std::uint32_t first) const { return find(first, none, none, 0); }

 private:
  struct Node {
    std::uint32_t begins = none;  // the earliest
    std::uint32_t ends = 0;       // the latest
  };
  struct Wanted {
    std::uint32_t first, end, opens, closes;
  };
  void join(std::size_t node) {
    nodes_[node] = {std::min(nodes_[2 * node].begins, nodes_[2 * node + 1].begins),
                    std::max(nodes_[2 * node].ends, nodes_[2 * node + 1].ends)};
  }
  [[nodiscard]] std::uint32_t find(std::size_t node, std::size_t from, std::size_t to,
                                   const Wanted& wanted) const {
    if (to <= wanted.first || nodes_[node].begins >= wanted.opens ||
        nodes_[node].ends <= wanted.closes || from >= elements_.size() ||
        elements_[from].in_end >= wanted.end) {
      return none;
    }
    if (to - from == 1) return static_cast<std::uint32_t>(from);
    const std::size_t middle = (from + to) / 2;
    const std::uint32_t left = find(2 * node, from, middle, wanted);
    return left != none ? left : find(2 * node + 1, middle, to, wanted);
  }

  const std::vector<Lifetime>& elements_;
  std::size_t leaves_ = 1;
  std::vector<Node> nodes_;
};

// `elements` by in_end, all certainly inside for a while; how many are at each moment.
bool nest(const std::vector<Lifetime>& elements, const std::vector<std::int32_t>& inside) {
  const auto end = static_cast<std::uint32_t>(inside.size());
  Depths depths(inside);
  Bottoms bottoms(elements);
  struct Stretch {
    std::uint32_t first;  // element
    std::uint32_t begin, end;
  };
  std::vector<Stretch> open;
  const auto split = [&](std::uint32_t first, std::uint32_t stop) {
    for (std::uint32_t i = bottoms.next(first); i != none && elements[i].in_end < stop;) {
      const std::uint32_t begin = elements[i].in_end;
      const std::uint32_t closes = depths.first_empty(begin, stop);
      open.push_back({i, begin, closes});
      const auto behind = std::ranges::lower_bound(elements, closes, {}, &Lifetime::in_end);
      i = bottoms.next(static_cast<std::uint32_t>(behind - elements.begin()));
    }
  };
  split(0, end);
  while (!open.empty()) {
    const Stretch stretch = open.back();
    open.pop_back();
    // The stretch ends with the beginning of a removal, at event stretch.end.
    const std::uint32_t bottom =
        bottoms.find(stretch.first, stretch.end, stretch.begin, stretch.end);
    if (bottom == none) return false;
    bottoms.remove(bottom);
    depths.take_one(elements[bottom].in_end, elements[bottom].out_begin);
    split(stretch.first, stretch.end);
  }
  return true;
}

}  // namespace

std::optional<bool> decide_stack(const std::vector<Call>& calls) {
  auto all = Lifetimes::read(calls, Act::pop);
  if (!all) return std::nullopt;
  if (all->is_impossible) return false;
  std::vector<std::int32_t> change(all->end + 1, 0);
  std::erase_if(all->elements,
                [](const Lifetime& element) { return !element.is_certainly_inside(); });
  for (Lifetime& element : all->elements) {
    ++change[element.in_end];
    --change[element.out_begin];
    if (element.out_begin == all->end) element.out_end = all->end + 1;
  }
  std::vector<std::int32_t> inside(all->end, 0);  // certainly, at each moment
  std::vector<std::uint32_t> free_before(all->end + 1, 0);
  for (std::size_t at = 0; at < all->end; ++at) {
    inside[at] = change[at] + (at == 0 ? 0 : inside[at - 1]);
    free_before[at + 1] = free_before[at] + (inside[at] == 0 ? 1U : 0U);
  }
  bool fits = std::ranges::all_of(all->empties, [&](const Interval& call) {
    return free_before[call.end] > free_before[call.begin];
  });
  if (fits) {
    std::ranges::sort(all->elements, {}, &Lifetime::in_end);
    fits = nest(all->elements, inside);
  }
  // An unknown removal may have made room; or been nothing.
  if (!fits && !all->unknown_removals.empty()) return std::nullopt;
  return fits;
}

}  // namespace ordeal::checkers
