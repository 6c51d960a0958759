#pragma once
// Records with everything in them that a server, a client or an editor may put there: markup,
// control characters, invalid UTF-8, absurd times and sizes. For tests of renderers.

#include <random>
#include <string>

#include "core/run.h"

namespace ordeal::results {

class Draw {
 public:
  explicit Draw(unsigned seed) : bits_(seed) {}
  std::size_t below(std::size_t limit) { return bits_() % limit; }

  std::string text() {
    static const std::vector<std::string> pieces = {"plain",
                                                    " ",
                                                    "|",
                                                    "`",
                                                    "```",
                                                    "\n",
                                                    "\r\n",
                                                    "\t",
                                                    "\x1b[2J",
                                                    "\\",
                                                    "\\|",
                                                    "<script>",
                                                    "</script><script>alert(1)",
                                                    "<img src=x>",
                                                    "</html>",
                                                    "</style>",
                                                    "<!--",
                                                    "]]>",
                                                    "&amp;",
                                                    "--",
                                                    "#",
                                                    "\xff",
                                                    "\xc3",
                                                    "\xed\xa0\x80",
                                                    "\xe2\x80\xae",
                                                    "é",
                                                    "日本",
                                                    "\xf0\x9f\x98\x80",
                                                    "\xef\xbf\xbf",
                                                    "\xc2\x85",
                                                    std::string(1, '\0'),
                                                    "'",
                                                    "\"",
                                                    "*_~$[x](y)",
                                                    "| a | b |",
                                                    "]",
                                                    "{}",
                                                    "%s%n",
                                                    std::string(300, 'w')};
    std::string text;
    for (std::size_t i = below(9); i > 0; --i) text += pieces.at(below(pieces.size()));
    return below(40) == 0 ? text + std::string(100'000, text.empty() ? '|' : text.front()) : text;
  }
  Value value() {
    switch (below(5)) {
      case 0:
        return {};
      case 1:
        return Value(static_cast<std::int64_t>(bits_()));
      case 2:
        return Value::list({Value(text()), Value(true)});
      default:
        return Value(text());
    }
  }
  Nanoseconds time() {
    switch (below(12)) {
      case 0:
        return Nanoseconds::min();
      case 1:
        return Nanoseconds::max();
      case 2:
        return Nanoseconds(0);
      case 3:
        return -std::chrono::seconds(below(100));
      default:
        return Nanoseconds(static_cast<std::int64_t>(bits_() % 100'000'000'000U));
    }
  }
  std::optional<Nanoseconds> maybe_time() {
    return below(3) == 0 ? std::nullopt : std::optional(time());
  }

 private:
  std::mt19937_64 bits_;
};

[[nodiscard]] RunRecord hostile_run(Draw& draw);

}  // namespace ordeal::results
