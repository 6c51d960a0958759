#pragma once
// Histories of other tools, read from text: Jepsen's EDN and JSON, Porcupine's logs and key-value
// files, and the call/return and interval forms of queue and stack monitors. The input is not
// trusted: whatever it holds, the answer is a history or one sentence that names the line.
//
// Registers come back as a History, which the register checker reads; everything else as calls of a
// model. What failed is left out, except a compare-and-set: whether that says something is for the
// checker to decide. Processes that are no numbers (a nemesis) are passed over. Pure; any thread.

#include <string>
#include <string_view>
#include <vector>

#include "checkers/call.h"
#include "core/result.h"

namespace ordeal::checkers {

struct Foreign {
  std::string_view format;  // "edn", "porcupine-log", "calls", "intervals"
  std::string_view model;   // the one that the functions in it suggest
  History history;          // of a register
  std::vector<Call> calls;  // of any other model
};

inline constexpr std::string_view foreign_formats = "edn, porcupine-log, calls, intervals";

// The format that a text seems to be in; empty when it is none of these.
[[nodiscard]] std::string_view foreign_format_of(std::string_view text);

// `name` is the file, for errors; an empty format is detected.
[[nodiscard]] Result<Foreign> read_foreign(std::string_view text, std::string_view name,
                                           std::string_view format = {});

}  // namespace ordeal::checkers
