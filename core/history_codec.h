#pragma once
// One event as a line of history.jsonl, without the newline, to and fro:
//   {"index":8,"time_ns":2,"process":3,"type":"invoke","f":"read","key":1,"value":null,"node":"n1"}
//   {"index":9,"time_ns":5,"process":3,"type":"fail","f":"read","key":1,"value":null,"error":".."}
// `node` stands on invocations, `error` on fail and info. Written by hand because it is the hot
// path of the recorder; strings that are not UTF-8 get U+FFFD for each bad byte, so that the file
// is always JSON. Read by hand where a line stands as written here, which nearly all do; whatever
// else is JSON is for the reader's parser.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/op.h"

namespace ordeal {

void append_event_line(std::string& to, const Event& event, const std::vector<std::string>& nodes);
void append_header_line(std::string& to, const std::vector<std::string>& nodes);
// A JSON string literal with its quotes.
void append_json_string(std::string& to, std::string_view text);

// Values nest no deeper in a line that is read.
inline constexpr int value_nesting_limit = 32;

// The members of an event line, each at most once. Texts belong to the line or to its parser.
struct EventFields {
  std::optional<std::uint64_t> index;
  std::optional<std::int64_t> time, process, revision;
  std::optional<EventType> type;
  std::optional<Function> function;
  std::optional<Value> key, value;
  std::optional<std::string_view> node, error;
};

// Reads a line that stands as append_event_line writes it, all of it, without an escape. Nullopt
// for any other, be it right or wrong: what is wrong with it, a parser must say.
[[nodiscard]] std::optional<EventFields> read_event_line(std::string_view line);

}  // namespace ordeal
