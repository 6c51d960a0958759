#pragma once
// A reader of EDN, as Jepsen writes it, and of JSON, which is so alike that one reader does both:
// keywords and symbols become texts, maps lists of [key, value], sets and seqs lists; tags are
// passed over. A pull parser over a text that it does not own. Bounded: forms nest 64 deep at most.

#include <array>
#include <cstdint>
#include <string_view>

#include "core/result.h"
#include "core/value.h"

namespace ordeal::checkers {

class EdnReader {
 public:
  // Of a form that may be a pair: a list of two.
  enum class Shape : std::uint8_t { nil, pair, other };

  explicit EdnReader(std::string_view text) : text_(text) {}

  // Passes over blanks, commas, comments, and the colons that stand for nothing. The next
  // character, 0 at the end. Inline, as word() is: of each place that asks, a processor foresees
  // how many blanks there are and how long a word is.
  char peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == ',')) ++at_;
    const char c = at_ < text_.size() ? text_[at_] : ' ';
    const char after = at_ + 1 < text_.size() ? text_[at_ + 1] : ' ';
    const bool is_plain = c > ' ' && c != ';' && c != ':';
    const bool is_keyword = c == ':' && after >= 'a' && after <= 'z';
    return is_plain || is_keyword ? c : pass_blanks();
  }
  void skip(std::size_t characters) { at_ += characters; }
  // The next form. False when it is none: failure() says why, and reading ends.
  [[nodiscard]] bool next(Value& to) { return form(&to, 0); }
  // The next form, taken apart if it is a list of two.
  [[nodiscard]] bool next_pair(Value& first, Value& second, Shape& shape);
  // Passes over the next form, if next() would read it.
  [[nodiscard]] bool pass() { return form(nullptr, 0); }
  // A keyword, symbol, number or text as its characters, without a value being made of it; escapes
  // are left. Empty for anything else.
  std::string_view word() {
    const char first = peek();
    if (first == '"') return quoted_word();
    return first == 0 ? std::string_view() : word_at(first == ':' ? at_ + 1 : at_);
  }
  [[nodiscard]] std::size_t line() const;
  [[nodiscard]] tl::unexpected<Error> bad(std::string_view what) const;
  [[nodiscard]] tl::unexpected<Error> failure() const { return bad(why_); }

 private:
  // Read, where `to` is not null; else pass over.
  bool form(Value* to, int depth);
  bool list(char close, bool is_map, Value* to, int depth);
  bool text(Value* to);
  bool atom(Value* to);
  bool short_number(std::int64_t& number);
  char pass_blanks();
  std::string_view quoted_word();
  std::string_view word_at(std::size_t begin) {
    std::size_t end = begin;
    while (end < text_.size() && !ends_atom(text_[end])) ++end;
    at_ = end;
    return {text_.data() + begin, end - begin};
  }
  static bool ends_atom(char c) { return atom_ends[static_cast<unsigned char>(c)]; }
  bool fail(std::string_view why) {
    why_ = why;
    return false;
  }

  static constexpr std::array<bool, 256> atom_ends = [] {
    std::array<bool, 256> ends{};
    for (const char c : std::string_view(" ,\n\t\r()[]{}\";")) {
      ends[static_cast<unsigned char>(c)] = true;
    }
    return ends;
  }();

  std::string_view text_;
  std::size_t at_ = 0;
  std::string_view why_;  // the last form was none
};

}  // namespace ordeal::checkers
