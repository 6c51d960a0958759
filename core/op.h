#pragma once
// The operation vocabulary that workloads, clients, histories and checkers share.
//
// A request says what to do; the client answers with a completion; what is recorded is two events,
// an invocation and (perhaps) a completion; what checkers read is the operation that pairs them.

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "core/value.h"

namespace ordeal {

// What clients can be asked to do. A key names a register, a set, a lock, a queue, ...; the
// argument is nil and the result nil where none is given here.
//
//   register   read                        -> the value, nil when the key does not exist
//              write    value
//              cas      [expected, new]       fail `cas-mismatch`: another value was found
//   list       append   element               to the list that `read` answers
//   set        add      element
//              members                     -> the list of its elements
//   lock       acquire                     -> fencing token, nil without; fail `lock-held`
//              release  token of the hold     fail `not-held`
//   queue      enqueue  element
//              dequeue                     -> the element, nil when the queue is empty
//   pipeline   send     event                 key: the partition; events keep their order within
//              poll     most events        -> [[offset, event], ...] after the last acknowledged
//              ack      offset                all events up to it are processed
//   watch      watch    revision           -> [[revision, value], ...] of the key, after that one
//                                             (nil: all), up to now at least
//   bank       transfer [from, to, amount]    fail `insufficient`; from nil: money that comes in
//              balances                    -> [[account, balance], ...]
//   steps      saga     [step, ...]        -> `committed` or `compensated`; key: its id
//              tcc      [branch, ...]      -> `confirmed` or `cancelled`; key: its id
//              ledger                      -> [[id, place, deed], ...] in the order of the deeds
//   many keys  txn      [[function, key, argument], ...] -> the same with results in place of nil
enum class Function : std::uint8_t {
  read,
  write,
  cas,
  append,
  add,
  members,
  acquire,
  release,
  enqueue,
  dequeue,
  send,
  poll,
  ack,
  watch,
  transfer,
  balances,
  saga,
  tcc,
  ledger,
  txn,
};

// What became of an operation. `fail` is a claim that must be argued for each error of each system:
// it certainly did not take effect. A read that gave no answer is `fail` too: it had no effect and
// was not seen. `info`: nobody knows; it may take effect now, later or never.
enum class Outcome : std::uint8_t { ok, fail, info };

enum class EventType : std::uint8_t { invoke, ok, fail, info };

// A logical single-threaded client. Retired after an `info`: its number never acts again.
using Process = std::int32_t;
// Position of a node in the run's list of nodes.
using NodeIndex = std::uint16_t;
// Position of an event in the run's one total order.
using EventIndex = std::uint32_t;

inline constexpr EventIndex never = std::numeric_limits<EventIndex>::max();

struct Request {
  Function function = Function::read;
  Value key;
  Value argument;
  friend bool operator==(const Request&, const Request&) = default;
};

struct Completion {
  Outcome outcome = Outcome::info;
  Value result;
  std::string error;  // why not ok: the class, then the raw words: "timeout: DEADLINE_EXCEEDED ..."
  std::int64_t revision = 0;  // how far the answering node's own order of changes was; 0: not told
};

struct Event {
  EventIndex index = 0;
  Nanoseconds time{};  // since the start of the run
  Process process = 0;
  NodeIndex node = 0;
  EventType type = EventType::invoke;
  Function function = Function::read;
  Value key;
  Value value;                // invoke: the argument; ok: the result
  std::string error;          // fail and info only
  std::int64_t revision = 0;  // completions: what the answer said of the system's own order
};

// An invocation and its completion, as checkers read them.
struct Operation {
  Value key;
  Value argument;
  Value result;
  Nanoseconds invoked_at{};
  Nanoseconds completed_at{};    // meaningless when completed == never
  EventIndex invoked = 0;        // its identity in the run
  EventIndex completed = never;  // never: no completion was recorded. `info` may have one: only the
                                 // client gave up then
  std::int64_t revision = 0;     // of the answer; for reports, no checker may rely on it
  Process process = 0;
  std::uint32_t error = 0;  // into History::errors; 0 is none
  NodeIndex node = 0;
  Function function = Function::read;
  Outcome outcome = Outcome::info;
};

// How the error of an operation begins that was answered with no: an answer, not trouble.
inline constexpr std::string_view cas_mismatch = "cas-mismatch";  // another value was found
inline constexpr std::string_view lock_held = "lock-held";        // by somebody else
inline constexpr std::string_view not_held = "not-held";          // no longer, or never
inline constexpr std::string_view insufficient = "insufficient";  // the account has less
[[nodiscard]] bool is_answer(std::string_view error);

[[nodiscard]] std::string_view to_text(Function function);
[[nodiscard]] std::string_view to_text(Outcome outcome);
[[nodiscard]] std::string_view to_text(EventType type);
[[nodiscard]] std::optional<Function> function_named(std::string_view name);
[[nodiscard]] std::optional<EventType> event_type_named(std::string_view name);

// "write x 3", "cas x 3->7", "read x".
[[nodiscard]] std::string to_text(const Request& request);

[[nodiscard]] const std::vector<Function>& all_functions();

}  // namespace ordeal
