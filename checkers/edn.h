#pragma once
// A reader of EDN, as Jepsen writes it, and of JSON, which is so alike that one reader does both:
// keywords and symbols become texts, maps lists of [key, value], sets and seqs lists; tags are
// passed over. A pull parser over a text that it does not own. Bounded: forms nest 64 deep at most.

#include <optional>
#include <string_view>

#include "core/result.h"
#include "core/value.h"

namespace ordeal::checkers {

class EdnReader {
 public:
  explicit EdnReader(std::string_view text) : text_(text) {}

  // Passes over blanks, commas, comments, and the colons that stand for nothing. The next
  // character, 0 at the end.
  char peek();
  void skip(std::size_t characters) { at_ += characters; }
  [[nodiscard]] Result<Value> next() { return next(0); }
  // A keyword, symbol, number or text as its characters, without a value being made of it; escapes
  // are left. Empty for anything else.
  std::string_view word();
  [[nodiscard]] std::size_t line() const;
  [[nodiscard]] tl::unexpected<Error> bad(std::string_view what) const;

 private:
  Result<Value> next(int depth);
  Result<Value> list(char close, bool is_map, int depth);
  Result<Value> text();
  Result<Value> atom();

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace ordeal::checkers
