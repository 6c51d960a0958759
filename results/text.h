#pragma once
// Text that is safe to print. Everything that comes from a run (values, error messages of servers,
// names, paths) passes through clean() or shell_word() before it reaches a terminal, a Markdown
// page or XML: valid UTF-8, one line, nothing invisible, of bounded length. What cannot be shown is
// shown as an escape, never dropped.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"

namespace ordeal::results {

// One line of at most `width` columns. Control characters, invisible or direction-changing
// characters and bytes that are no UTF-8 become \n, \x1b, \u{202e}; a cut is marked with an
// ellipsis.
[[nodiscard]] std::string clean(std::string_view raw, std::size_t width = 200);
// Columns that clean text takes in a terminal; East Asian wide characters take two.
[[nodiscard]] std::size_t columns(std::string_view text);
// The characters of clean text, each with its bytes.
[[nodiscard]] std::vector<std::string> characters(std::string_view text);
[[nodiscard]] std::string pad(std::string_view text, std::size_t width);
// Breaks at spaces into at most `max_lines` lines of `width` columns; the last one is cut if need
// be.
[[nodiscard]] std::vector<std::string> wrap(std::string_view text, std::size_t width,
                                            std::size_t max_lines);
// For terminals that only speak ASCII: our own symbols get a likeness, other characters become
// \u{e9}.
[[nodiscard]] std::string to_ascii(std::string_view text);

// A word that a shell reads back as `raw`; in the $'...' of bash and zsh where bytes cannot be
// printed as they are.
[[nodiscard]] std::string shell_word(std::string_view raw, bool ascii_only);

[[nodiscard]] std::string grouped(std::size_t number);  // 131,904
[[nodiscard]] std::string count(std::size_t number,
                                std::string_view thing);               // 1 finding, 2 findings
[[nodiscard]] std::string share(std::size_t part, std::size_t whole);  // 38 %
// With a full stop, unless it ends in a mark already.
[[nodiscard]] std::string sentence(std::string text);
[[nodiscard]] std::string capitalised(std::string text);
[[nodiscard]] std::string join(const std::vector<std::string>& parts, std::string_view between);

// Times of a record may be anything when it was edited or damaged; these are within what arithmetic
// survives.
[[nodiscard]] Nanoseconds within_reason(Nanoseconds time);
[[nodiscard]] std::string duration_text(Nanoseconds duration);
[[nodiscard]] std::string seconds_text(Nanoseconds time);  // 61.204

}  // namespace ordeal::results
