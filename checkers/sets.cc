// Sets element by element. An element is inside from its addition to its removal. Let the addition
// be as late as it can be (before the first return of its own, of a look that found it and of the
// removal) and the removal as early as it can be (after the last beginning of the like). If the
// first comes after the second, one moment serves both, and no look that found nothing is in the
// way. Otherwise looks that found nothing must reach beyond that stretch, on either side. Nothing
// else can be wrong. Elements that are added or removed more than once are registers of two values.
//
// Sets that only grow, read as a whole. What two reads found is contained one in the other, and so
// the order of reads is given, but for those that found the same; an addition belongs before the
// first read that found it, and after the last that did not. What is left is to compare with real
// time.
//
// Counters by one. The order of reads is given by what they found; between two of them lies as many
// increments as the difference. Which ones is a question of deadlines alone: increments are alike.
// Each increment has a first and a last gap by the reads before and after it in real time; filling
// the gaps in order, the most urgent first, fails only if there is no way (and increments that real
// time orders get gaps in that order, or the same).

#include <algorithm>
#include <map>
#include <queue>
#include <unordered_map>

#include "checkers/containers.h"

namespace ordeal::checkers {

namespace {

struct Element {
  EventIndex add_begin = never;  // never: nobody adds it
  EventIndex add_end = 0;
  EventIndex remove_begin = never;
  EventIndex remove_end = never;
  EventIndex first_seen_end = never;  // of looks that found it
  EventIndex last_seen_begin = 0;
  bool was_seen = false;
  bool was_removed = false;  // for certain: the removal says so
  // Added or removed more than once, or by a removal that may have come to nothing.
  bool is_open = false;

  // The moments are gaps between events: behind event `latest_add - 1` at the latest, and so on.
  [[nodiscard]] EventIndex latest_add() const {
    return std::min({add_end, first_seen_end, remove_end});
  }
  [[nodiscard]] EventIndex earliest_removal() const {
    const EventIndex begin = remove_begin == never ? never : std::max(remove_begin, add_begin);
    return was_seen && begin != never ? std::max(begin, last_seen_begin) : begin;
  }
};

// What an addition or a removal that made no difference is: a look. nullopt for those that made
// one, or do not say.
std::optional<bool> look_of(const Call& call) {
  if (!call.is_certain()) return std::nullopt;
  const bool* answer = call.result.as_boolean();
  if (call.act == Act::contains) return answer == nullptr ? std::nullopt : std::optional(*answer);
  return answer == nullptr || *answer ? std::nullopt : std::optional(call.act == Act::add);
}

// The elements of a set that nobody reads as a whole: each is a matter for itself, since an object
// made of objects is linearizable when each of them is (Herlihy and Wing, 1990).
class Elements {
 public:
  // False when an answer is none.
  bool read(const std::vector<Call>& calls) {
    places_.reserve(calls.size() / 2);
    of_.reserve(calls.size());
    for (const Call& call : calls) {
      const bool is_bare = call.act != Act::contains && call.result.is_nil();
      if (call.is_certain() && !is_bare && call.result.as_boolean() == nullptr) return false;
      const auto [entry, added] = places_.try_emplace(call.argument, all_.size());
      if (added) all_.emplace_back();
      of_.push_back(entry->second);
      take(call, all_[entry->second]);
    }
    for (Element& element : all_) {
      // A removal that may come before the addition does nothing then.
      element.is_open = element.is_open || (!element.was_removed && element.remove_begin != never &&
                                            element.remove_begin < element.add_end);
    }
    return true;
  }

  // False when one that is not open is impossible.
  [[nodiscard]] bool may_be_right(const std::vector<Call>& calls) const {
    for (const Element& element : all_) {
      if (element.is_open) continue;
      const bool is_there = element.was_seen || element.was_removed;
      const EventIndex there_by = std::min(element.first_seen_end, element.remove_end);
      if (is_there && (element.add_begin == never || there_by < element.add_begin)) return false;
      if (element.was_seen && element.remove_end < element.last_seen_begin) return false;
    }
    for (std::size_t i = 0; i < calls.size(); ++i) {
      const Element& element = all_[of_[i]];
      if (element.is_open || look_of(calls[i]) != false) continue;
      const bool was_there = element.add_begin != never &&
                             (element.add_end != never || element.was_seen || element.was_removed);
      if (was_there && calls[i].invoked > element.latest_add() &&
          calls[i].completed < element.earliest_removal()) {
        return false;
      }
    }
    return true;
  }

  // The calls on each open element, as those of a register that is there or nil.
  [[nodiscard]] std::vector<std::vector<RegisterOp>> open_registers(
      const std::vector<Call>& calls) const {
    constexpr ValueId there = 1;
    std::vector<std::vector<RegisterOp>> registers;
    std::unordered_map<std::size_t, std::size_t> places;
    for (std::size_t i = 0; i < calls.size(); ++i) {
      const Call& call = calls[i];
      if (!all_[of_[i]].is_open || (call.act == Act::contains && !call.is_certain())) continue;
      const auto [entry, added] = places.try_emplace(of_[i], registers.size());
      if (added) registers.emplace_back();
      RegisterOp& op = registers[entry->second].emplace_back();
      op.invoked = call.invoked;
      op.completed = call.completed;
      if (const auto found = look_of(call)) {
        op.observes = *found ? there : nil_value;
        continue;
      }
      op.sets = call.act == Act::add ? there : nil_value;
      if (!call.result.is_nil()) op.observes = call.act == Act::add ? nil_value : there;
    }
    return registers;
  }

 private:
  static void take(const Call& call, Element& element) {
    if (const auto found = look_of(call)) {
      if (!*found) return;
      element.was_seen = true;
      element.first_seen_end = std::min(element.first_seen_end, call.completed);
      element.last_seen_begin = std::max(element.last_seen_begin, call.invoked);
    } else if (call.act == Act::add) {
      element.is_open = element.is_open || element.add_begin != never;
      element.add_begin = call.invoked;
      element.add_end = call.completed;
    } else if (call.act == Act::remove) {
      element.is_open = element.is_open || element.remove_begin != never;
      element.remove_begin = call.invoked;
      element.remove_end = call.completed;
      element.was_removed = !call.result.is_nil();
    }
  }

  std::unordered_map<Value, std::size_t, ValueHash> places_;
  std::vector<Element> all_;
  std::vector<std::size_t> of_;  // by call
};

std::optional<bool> decide_growing(const std::vector<Call>& calls) {
  std::unordered_map<Value, std::size_t, ValueHash> additions;
  std::vector<std::size_t> reads;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (calls[i].act == Act::members) {
      if (calls[i].is_certain() && calls[i].result.as_list() == nullptr) return std::nullopt;
      if (calls[i].is_certain()) reads.push_back(i);
    } else if (!calls[i].result.is_nil() || !additions.try_emplace(calls[i].argument, i).second) {
      return std::nullopt;
    }
  }
  const auto size_of = [&](std::size_t read) { return calls[read].result.as_list()->size(); };
  std::ranges::stable_sort(reads, {}, size_of);
  std::vector<std::size_t> sequence;  // in order; what is in one level may be in any order
  std::vector<std::size_t> levels;    // where each ends in the sequence
  std::vector<bool> inside(calls.size(), false);
  std::size_t count = 0;
  for (std::size_t r = 0; r < reads.size(); ++r) {
    const bool again = r > 0 && size_of(reads[r]) == size_of(reads[r - 1]);
    std::size_t found = 0;
    std::vector<std::size_t> news;
    for (const Value& value : *calls[reads[r]].result.as_list()) {
      const auto entry = additions.find(value);
      if (entry == additions.end()) return false;
      if (inside[entry->second]) {
        ++found;
      } else {
        news.push_back(entry->second);
      }
    }
    std::ranges::sort(news);
    if (std::ranges::adjacent_find(news) != news.end()) return false;  // one element twice
    if (found != count || (again && !news.empty())) return false;
    for (const std::size_t i : news) inside[i] = true;
    count += news.size();
    sequence.insert(sequence.end(), news.begin(), news.end());
    if (!again) levels.push_back(sequence.size());
    sequence.push_back(reads[r]);
    if (again) {
      levels.back() = sequence.size();
    } else {
      levels.push_back(sequence.size());
    }
  }
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (calls[i].act == Act::add && calls[i].is_certain() && !inside[i]) sequence.push_back(i);
  }
  levels.push_back(sequence.size());
  EventIndex latest = 0;  // beginning of what is in levels before
  std::size_t at = 0;
  for (const std::size_t end : levels) {
    EventIndex here = latest;
    for (; at < end; ++at) {
      if (calls[sequence[at]].completed < latest) return false;
      here = std::max(here, calls[sequence[at]].invoked);
    }
    latest = here;
  }
  return true;
}

}  // namespace

std::optional<Decision> decide_set(const std::vector<Call>& calls, const Budget& budget) {
  const auto as_decision = [](bool valid) {
    return Decision{valid ? Decision::Answer::valid : Decision::Answer::invalid, {}};
  };
  const auto is_whole = [](const Call& call) { return call.act == Act::members; };
  const auto grows = [](const Call& call) {
    return call.act == Act::add || call.act == Act::members;
  };
  if (std::ranges::any_of(calls, is_whole)) {
    const auto valid = std::ranges::all_of(calls, grows) ? decide_growing(calls) : std::nullopt;
    return valid ? std::optional(as_decision(*valid)) : std::nullopt;
  }
  Elements elements;
  if (!elements.read(calls)) return std::nullopt;
  if (!elements.may_be_right(calls)) return as_decision(false);
  Decision all = as_decision(true);
  for (std::vector<RegisterOp>& ops : elements.open_registers(calls)) {
    Decision one = decide_register(std::move(ops), 2, budget);
    if (one.answer == Decision::Answer::invalid) return one;
    if (one.answer == Decision::Answer::unknown) all = std::move(one);
  }
  return all;
}

namespace {

// What a read can have found at the least and at the most: what was certainly added before it
// began, and what may have been before it returned.
bool within_bounds(const std::vector<Call>& calls) {
  struct Change {
    EventIndex at;
    std::int64_t low, high;
  };
  std::vector<Change> changes;
  for (const Call& call : calls) {
    if (call.act != Act::increment) continue;
    const std::int64_t by = *call.argument.as_integer();
    changes.push_back({call.invoked, std::min<std::int64_t>(by, 0), std::max<std::int64_t>(by, 0)});
    if (call.is_certain()) {
      changes.push_back(
          {call.completed, std::max<std::int64_t>(by, 0), std::min<std::int64_t>(by, 0)});
    }
  }
  std::ranges::sort(changes, {}, &Change::at);
  std::vector<std::int64_t> low = {0};
  std::vector<std::int64_t> high = {0};
  for (const Change& change : changes) {
    low.push_back(low.back() + change.low);
    high.push_back(high.back() + change.high);
  }
  // Between its beginning and its end the bounds may go down and up: the widest count.
  for (const Call& call : calls) {
    if (call.act != Act::read || !call.is_certain()) continue;
    const auto place = [&](EventIndex at) {
      return std::ranges::lower_bound(changes, at, {}, &Change::at) - changes.begin();
    };
    const auto [first, last] = std::pair(place(call.invoked), place(call.completed) + 1);
    const std::int64_t least = *std::min_element(low.begin() + first, low.begin() + last);
    const std::int64_t most = *std::max_element(high.begin() + first, high.begin() + last);
    const std::int64_t seen = *call.result.as_integer();
    if (seen < least || seen > most) return false;
  }
  return true;
}

// The values that reads gave, in order, each with its level: its place among them. The counter
// starts at 0.
using Levels = std::map<std::int64_t, std::uint32_t>;

// Reads against each other in time, and so the gaps that they leave to increments: behind level i
// lies gap i.
class ReadOrder {
 public:
  ReadOrder(const std::vector<Call>& calls, const Levels& levels) {
    for (const Call& call : calls) {
      if (call.act != Act::read || !call.is_certain()) continue;
      const std::uint32_t level = levels.at(*call.result.as_integer());
      ends_.emplace_back(call.completed, level);
      begins_.emplace_back(call.invoked, level);
    }
    std::ranges::sort(ends_);
    std::ranges::sort(begins_);
    highest_.reserve(ends_.size() + 1);
    highest_.push_back(0);
    for (const auto& [at, level] : ends_) highest_.push_back(std::max(highest_.back(), level));
    lowest_.assign(begins_.size() + 1, static_cast<std::uint32_t>(levels.size()));
    for (std::size_t i = begins_.size(); i > 0; --i)
      lowest_[i - 1] = std::min(lowest_[i], begins_[i - 1].second);
  }

  // The highest level of the reads that had ended.
  [[nodiscard]] std::uint32_t before(EventIndex at) const {
    const auto place = std::ranges::lower_bound(ends_, std::pair(at, std::uint32_t{0}));
    return highest_[static_cast<std::size_t>(place - ends_.begin())];
  }
  // The lowest level of the reads that had not begun; the number of levels when there is none.
  [[nodiscard]] std::uint32_t behind(EventIndex at) const {
    const auto place = std::ranges::lower_bound(begins_, std::pair(at, std::uint32_t{0}));
    return lowest_[static_cast<std::size_t>(place - begins_.begin())];
  }

 private:
  std::vector<std::pair<EventIndex, std::uint32_t>> ends_, begins_;  // of reads, with their levels
  std::vector<std::uint32_t> highest_, lowest_;                      // by position in those
};

// Between which gaps an increment lies, both included.
struct Gaps {
  std::uint32_t first;
  std::uint32_t last;
};

// Whether the increments fill each gap with as many as the values around it are apart: the one
// that must be done first goes first, and one that is too late then was wanted in vain. Each gap
// wants one at least, and behind all reads there is room for all: none is too late unseen.
bool fill(std::vector<Gaps> increments, const Levels& levels) {
  std::ranges::sort(increments, {}, &Gaps::first);
  std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>> urgent;
  std::size_t at = 0;
  for (auto level = levels.begin(); level != levels.end(); ++level) {
    const std::uint32_t gap = level->second;
    for (; at < increments.size() && increments[at].first <= gap; ++at)
      urgent.push(increments[at].last);
    const auto next = std::next(level);
    if (next == levels.end()) return urgent.empty() || urgent.top() >= gap;
    for (std::int64_t i = level->first; i < next->first; ++i) {
      if (urgent.empty() || urgent.top() < gap) return false;
      urgent.pop();
    }
  }
  return true;
}

}  // namespace

std::optional<bool> decide_counter(const std::vector<Call>& calls) {
  bool by_one = true;
  Levels levels;
  levels.emplace(0, 0);
  for (const Call& call : calls) {
    const bool reads = call.act == Act::read;
    if (reads && !call.is_certain()) continue;
    const std::int64_t* number = (reads ? call.result : call.argument).as_integer();
    if (number == nullptr || *number > (std::int64_t{1} << 40) ||
        *number < -(std::int64_t{1} << 40)) {
      return std::nullopt;
    }
    by_one = by_one && (reads || *number == 1);
    if (reads) levels.emplace(*number, 0);
  }
  if (!within_bounds(calls)) return false;
  if (!by_one) return std::nullopt;
  if (levels.begin()->first < 0) return false;
  std::uint32_t count = 0;
  for (auto& [value, level] : levels) level = count++;

  const ReadOrder order(calls, levels);
  std::vector<Gaps> increments;
  for (const Call& call : calls) {
    const std::uint32_t first = order.before(call.invoked);
    if (call.act == Act::read && call.is_certain()) {
      if (first > levels.at(*call.result.as_integer())) return false;
    } else if (call.act == Act::increment) {
      // The last gap is behind all reads. An unknown increment need not be in any.
      const std::uint32_t behind = call.is_certain() ? order.behind(call.completed) : count + 1;
      if (behind == 0 || behind - 1 < first) return false;
      increments.push_back({first, behind - 1});
    }
  }
  return fill(std::move(increments), levels);
}

}  // namespace ordeal::checkers
