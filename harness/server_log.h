#pragma once
// Lines of servers' logs, of any system: when, how grave, and what. Understands RFC 3339 times
// (with a space or a T, with or without a zone; UTC is taken where none is named), times in seconds
// since 1970 in JSON lines, and the usual names of levels. Pure; any thread.

#include <optional>
#include <string>
#include <string_view>

#include "core/time.h"

namespace ordeal::harness {

struct ParsedLine {
  Nanoseconds wall{};  // since 1970, on the clock of the node
  std::string level;   // "INFO", "WARN", "ERROR", "FATAL", "DEBUG"; empty when none is found
  std::string text;    // without time and level; of JSON lines the message and its fields
};

// When the line was written: cheap, reads the first bytes only.
[[nodiscard]] std::optional<Nanoseconds> time_of(std::string_view line);
[[nodiscard]] std::optional<ParsedLine> parse_log_line(std::string_view line);

// How much a line tells of why replicas disagree: 0 elections, terms and data, 1 warnings and
// errors, 2 the rest, 3 what servers write all the time.
[[nodiscard]] int rank_of(const ParsedLine& line);

}  // namespace ordeal::harness
