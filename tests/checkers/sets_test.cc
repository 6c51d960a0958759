// Sets that grow and counters by one, where random histories seldom go.

#include <catch2/catch.hpp>

#include "checkers/containers.h"

namespace ordeal::checkers::test {

namespace {

Call call(EventIndex invoked, EventIndex completed, Act act, Value argument, Value result = {}) {
  Call made;
  made.invoked = invoked;
  made.completed = completed;
  made.act = act;
  made.argument = std::move(argument);
  made.result = std::move(result);
  return made;
}

Call add(EventIndex at, int element) { return call(at, at + 1, Act::add, element); }
Call members(EventIndex at, std::initializer_list<Value> seen) {
  return call(at, at + 1, Act::members, {}, Value::list(seen));
}
Call increment(EventIndex at, EventIndex until) { return call(at, until, Act::increment, 1); }
Call read(EventIndex at, int seen) { return call(at, at + 1, Act::read, {}, seen); }

std::optional<bool> set_is_right(const std::vector<Call>& calls) {
  const auto decision = decide_set(calls, {Deadline::after(100h), std::size_t{1} << 30U});
  return decision ? std::optional(decision->answer == Decision::Answer::valid) : std::nullopt;
}

}  // namespace

TEST_CASE("sets and counters that random ones seldom are") {
  CHECK(set_is_right({add(0, 1), members(2, {1}), add(4, 2), members(6, {2, 1})}) == true);
  CHECK(set_is_right({add(0, 1), members(2, {1, 99})}) == false);
  CHECK(set_is_right({add(0, 1), members(2, {1}), add(4, 2), members(6, {2})}) == false);
  CHECK(set_is_right({add(0, 1), members(2, {1}), add(4, 2), members(6, {2, 2})}) == false);
  // Two of the increments lie between reads that are one apart, though another could be the third.
  const Call is_long = increment(0, 20);
  CHECK(decide_counter({is_long, read(1, 1), increment(3, 4), increment(5, 6), read(7, 2)}) ==
        false);
  CHECK(decide_counter({is_long, read(1, 1), increment(3, 4), increment(5, 6), read(7, 2),
                        read(9, 3)}) == false);
  CHECK(decide_counter({is_long, read(1, 0), increment(3, 4), increment(5, 6), read(7, 2),
                        read(9, 3)}) == true);
}

}  // namespace ordeal::checkers::test
