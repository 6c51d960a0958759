#pragma once
// The lines that pass between Ordeal and a client program: JSON objects, as docs/client-protocol.md
// tells client authors. Pure.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/op.h"
#include "core/result.h"

namespace ordeal::clusters::custom {

inline constexpr int protocol_version = 1;

// {"hello":1,"node":"n3","host":"10.0.0.3","functions":["read","write"]}
[[nodiscard]] std::string hello_line(const std::string& node, const std::string& host,
                                     const std::vector<Function>& functions);
// What the program calls itself; an Error says what of its hello does not fit and how to mend it.
[[nodiscard]] Result<std::string> read_hello(std::string_view line,
                                             const std::vector<Function>& functions);

// {"id":17,"function":"cas","key":"x","value":[1,2],"timeout_ms":1000}
[[nodiscard]] std::string request_line(std::uint64_t id, const Request& request, Deadline deadline);

using FailCodes = std::map<std::string, std::string>;

// {"id":17,"ok":true,"value":5}, {"id":17,"fail":"cas-mismatch"}, {"id":17,"info":"timeout"}; fail
// and info may have "text". Only a code that `definite` lists makes it `fail`. An Error, for
// whatever does not follow the protocol, says what is wrong; the outcome is unknown then.
[[nodiscard]] Result<Completion> read_answer(std::string_view line, std::uint64_t id,
                                             Function function, const FailCodes& definite);

// What is wrong with a line that read_answer refused, in a word: wrong-id, not-utf8 or garbage.
[[nodiscard]] std::string_view misdeed_of(std::string_view line, std::uint64_t id);

// Whether an ok of the function must say what was found.
[[nodiscard]] bool has_result(Function function);
// Why a result cannot be that of the function; empty when it can.
[[nodiscard]] std::string misfit(Function function, const Value& result);

// A line for a log or a report: at most 120 bytes of it, printable.
[[nodiscard]] std::string excerpt(std::string_view line);

}  // namespace ordeal::clusters::custom
