#pragma once
// An operation as the models of containers, locks and stores read it: by name, with argument and
// answer. What failed is left out before, but for answers that say something (a compare-and-set
// that found another value). Pure.

#include <optional>
#include <string_view>
#include <vector>

#include "checkers/check.h"
#include "core/history.h"

namespace ordeal::checkers {

//   register  read -> value, write value, cas [expected, new]; a mismatch found another value
//   list      append element (a text grows by a text); read -> the whole
//   set       add, remove, contains element -> boolean; members -> the list of its elements
//   counter   increment by, read -> number
//   queue     enqueue element, dequeue -> element, nil when empty; stack: push, pop
//   priority  insert number, extract -> the smallest, nil when empty
//   lock      acquire -> fencing token or nil, release
//   store     txn [[function, key, argument], ...] -> the same with results
enum class Act : std::uint8_t {
  read,
  write,
  cas,
  mismatch,
  append,
  add,
  remove,
  contains,
  members,
  increment,
  enqueue,
  dequeue,
  push,
  pop,
  insert,
  extract,
  acquire,
  release,
  txn,
};
[[nodiscard]] std::optional<Act> act_named(std::string_view name);
[[nodiscard]] std::string_view to_text(Act act);

struct Call {
  EventIndex invoked = 0;
  EventIndex completed = never;  // never: unknown, it may have no effect at all
  Act act = Act::read;
  Process process = 0;
  Value key;
  Value argument;
  Value result;  // nil while unknown

  [[nodiscard]] bool is_certain() const { return completed != never; }
};

// "op 12 enqueue 3", "op 14 dequeue -> 3", "op 15 read x -> ?".
[[nodiscard]] std::string to_text(const Call& call);

// The calls of a recorded history, for models that know its functions; nullopt when one of them is
// none of the above.
[[nodiscard]] std::optional<std::vector<Call>> calls_of(const History& history,
                                                        FailedCas failed_cas);

}  // namespace ordeal::checkers
