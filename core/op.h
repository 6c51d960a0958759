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

#include "core/time.h"
#include "core/value.h"

namespace ordeal {

// What clients can be asked to do. Arguments and results:
//   read   argument nil                  result: the value, nil when the key does not exist
//   write  argument the value            result nil
//   cas    argument [expected, new]      result nil; ok when the value was swapped, fail when it
//   differed
enum class Function : std::uint8_t { read, write, cas };

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
};

struct Event {
  EventIndex index = 0;
  Nanoseconds time{};  // since the start of the run
  Process process = 0;
  NodeIndex node = 0;
  EventType type = EventType::invoke;
  Function function = Function::read;
  Value key;
  Value value;        // invoke: the argument; ok: the result
  std::string error;  // fail and info only
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
  Process process = 0;
  std::uint32_t error = 0;  // into History::errors; 0 is none
  NodeIndex node = 0;
  Function function = Function::read;
  Outcome outcome = Outcome::info;
};

// How the error of a compare-and-set begins that was answered: another value was found. An answer,
// not trouble.
inline constexpr std::string_view cas_mismatch = "cas-mismatch";

[[nodiscard]] std::string_view to_text(Function function);
[[nodiscard]] std::string_view to_text(Outcome outcome);
[[nodiscard]] std::string_view to_text(EventType type);
[[nodiscard]] std::optional<Function> function_named(std::string_view name);
[[nodiscard]] std::optional<EventType> event_type_named(std::string_view name);

// "write x 3", "cas x 3->7", "read x".
[[nodiscard]] std::string to_text(const Request& request);

inline constexpr std::array all_functions = {Function::read, Function::write, Function::cas};

}  // namespace ordeal
