#pragma once
// One event as a line of history.jsonl, without the newline:
//   {"index":8,"time_ns":2,"process":3,"type":"invoke","f":"read","key":1,"value":null,"node":"n1"}
//   {"index":9,"time_ns":5,"process":3,"type":"fail","f":"read","key":1,"value":null,"error":".."}
// `node` stands on invocations, `error` on fail and info. Written by hand because it is the hot
// path of the recorder; strings that are not UTF-8 get U+FFFD for each bad byte, so that the file
// is always JSON.

#include <string>
#include <string_view>
#include <vector>

#include "core/op.h"

namespace ordeal {

void append_event_line(std::string& to, const Event& event, const std::vector<std::string>& nodes);
void append_header_line(std::string& to, const std::vector<std::string>& nodes);
// A JSON string literal with its quotes.
void append_json_string(std::string& to, std::string_view text);

}  // namespace ordeal
