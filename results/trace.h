#pragma once
// The operations of a run in the form in which a page carries them: columns of small numbers,
// deflated, in base64 (about 15 bytes an operation), and what charts are drawn from. Pure.
//
// Packed form, read by web/trace.js: nine columns of LEB128 numbers, `operations` long each, one
// after the other:
//   id - id before; invoked at, in us, zigzag difference; duration in us + 1, 0 when never
//   answered; client lane; node; 4 x function + outcome (0 ok, 1 fail, 2 info, 3 never answered);
//   key; error, 0 for none; revision, zigzag difference
// then two columns of texts, each a LEB128 byte length and the texts joined by newlines: what was
// asked (the argument) and what was answered (the result).

#include <cstddef>
#include <string>
#include <vector>

#include "core/history.h"
#include "core/json.h"

namespace ordeal::results {

// More operations than these are not carried; the page says so, and `left_out` counts them.
inline constexpr std::size_t most_traced = 2'000'000;

struct Trace {
  Json names;  // {"operations", "left_out", "clients", "lanes", "nodes", "keys", "functions",
               // "errors"}
  std::string packed;  // base64
};
[[nodiscard]] Trace make_trace(const History& history);

// Rates by outcome and latencies of what was answered ok, in at most 600 equal steps.
[[nodiscard]] Json make_series(const History& history);

}  // namespace ordeal::results
