#include "checkers/lifetimes.h"

#include <algorithm>
#include <bit>
#include <unordered_map>

namespace ordeal::checkers {

namespace {

// Event indices to places on the time line. Dense ones stay as they are.
class TimeLine {
 public:
  explicit TimeLine(const std::vector<Call>& calls) {
    EventIndex last = 0;
    for (const Call& call : calls) {
      last = std::max(last, call.is_certain() ? call.completed : call.invoked);
    }
    end_ = last + 1;
    if (last < 8 * calls.size() + 64) return;
    for (const Call& call : calls) {
      events_.push_back(call.invoked);
      if (call.is_certain()) events_.push_back(call.completed);
    }
    std::ranges::sort(events_);
    end_ = static_cast<std::uint32_t>(events_.size());
  }
  [[nodiscard]] std::uint32_t end() const { return end_; }
  [[nodiscard]] std::uint32_t operator()(EventIndex event) const {
    if (event == never) return end_;
    if (events_.empty()) return event;
    return static_cast<std::uint32_t>(std::ranges::lower_bound(events_, event) - events_.begin());
  }

 private:
  std::uint32_t end_ = 0;
  std::vector<EventIndex> events_;
};

// Positions by element, 0 where there is none: directly for small integers, by a flat table for
// others.
class Places {
 public:
  explicit Places(std::size_t most) : most_(most), direct_(2 * most + 1024, 0) {}
  std::uint32_t& operator[](const Value& element) {
    const std::int64_t* integer = element.as_integer();
    if (integer == nullptr) return others_[element];
    const auto number = static_cast<std::uint64_t>(*integer);
    return number < direct_.size() ? direct_[number] : large(number);
  }

 private:
  struct Large {
    std::uint64_t number = 0;
    std::uint32_t place = 0;  // 0: free
  };
  std::uint32_t& large(std::uint64_t number) {
    if (large_.empty()) large_.resize(std::bit_ceil(2 * most_ + 2));
    std::size_t at = (number * 0x9e3779b97f4a7c15U >> 32U) & (large_.size() - 1);
    while (large_[at].place != 0 && large_[at].number != number) {
      at = (at + 1) & (large_.size() - 1);
    }
    large_[at].number = number;
    return large_[at].place;
  }

  std::size_t most_;  // elements that get a place
  std::vector<std::uint32_t> direct_;
  std::vector<Large> large_;
  std::unordered_map<Value, std::uint32_t, ValueHash> others_;
};

}  // namespace

std::optional<Lifetimes> Lifetimes::read(const std::vector<Call>& calls, Act taking) {
  const TimeLine time(calls);
  Lifetimes found;
  found.end = time.end();
  Places places(calls.size());  // one more than the position
  found.elements.reserve(calls.size() / 2);
  for (std::uint32_t i = 0; i < calls.size(); ++i) {
    const Call& call = calls[i];
    if (call.act == taking) continue;
    std::uint32_t& place = places[call.argument];
    if (place != 0) return std::nullopt;
    found.elements.push_back({time(call.invoked), time(call.completed), found.end, found.end, i});
    place = static_cast<std::uint32_t>(found.elements.size());
  }
  for (const Call& call : calls) {
    if (call.act != taking) continue;
    if (!call.is_certain()) {
      found.unknown_removals.push_back(time(call.invoked));
    } else if (call.result.is_nil()) {
      found.empties.push_back({time(call.invoked), time(call.completed)});
    } else {
      const std::uint32_t place = places[call.result];
      if (place == 0 || found.elements[place - 1].out_begin != found.end) {
        found.is_impossible = true;
        return found;
      }
      Lifetime& element = found.elements[place - 1];
      element.out_begin = time(call.invoked);
      element.out_end = time(call.completed);
      found.is_impossible |= element.out_end < element.in_begin;
    }
  }
  std::erase_if(found.elements, [&](const Lifetime& element) {
    return element.in_end == found.end && element.out_begin == found.end;
  });
  return found;
}

}  // namespace ordeal::checkers
