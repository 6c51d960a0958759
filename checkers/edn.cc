#include "checkers/edn.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace ordeal::checkers {

namespace {

constexpr int deepest = 64;

bool is_blank(char c) { return c == ' ' || c == ',' || c == '\n' || c == '\t' || c == '\r'; }

}  // namespace

char EdnReader::pass_blanks() {
  for (; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    if (is_blank(c)) continue;
    if (c == ';') {
      at_ = std::min(text_.find('\n', at_), text_.size());
      if (at_ == text_.size()) return 0;
      continue;
    }
    if (c == ':') {
      // JSON's colon, unless a keyword follows.
      const char after = at_ + 1 < text_.size() ? text_[at_ + 1] : ' ';
      const bool digit = after >= '0' && after <= '9';
      if (ends_atom(after) || digit || after == '-') continue;
    }
    return c;
  }
  return 0;
}

std::string_view EdnReader::quoted_word() {
  const std::size_t end = text_.find('"', at_ + 1);
  if (end == text_.npos) return {};
  const std::size_t begin = std::exchange(at_, end + 1) + 1;
  return text_.substr(begin, end - begin);
}

std::size_t EdnReader::line() const {
  return 1 + static_cast<std::size_t>(
                 std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at_), '\n'));
}

tl::unexpected<Error> EdnReader::bad(std::string_view what) const {
  return error("line {}: {}", line(), what);
}

bool EdnReader::list(char close, bool is_map, Value* to, int depth) {
  ++at_;
  Value::List items;
  if (to != nullptr) items.reserve(2);
  std::size_t count = 0;
  for (;; ++count) {
    const char c = peek();
    if (c == 0) return fail("a list is not closed");
    if (c == close) break;
    if (!form(to == nullptr ? nullptr : &items.emplace_back(), depth + 1)) return false;
  }
  ++at_;
  if (is_map && count % 2 != 0) return fail("a map has a key without a value");
  if (to == nullptr) return true;
  if (is_map) {
    Value::List pairs;
    for (std::size_t i = 0; i < items.size(); i += 2) {
      pairs.push_back(Value::list({std::move(items[i]), std::move(items[i + 1])}));
    }
    items = std::move(pairs);
  }
  *to = Value(std::move(items));
  return true;
}

bool EdnReader::next_pair(Value& first, Value& second, Shape& shape) {
  if (peek() != '[') {
    Value found;
    if (!next(found)) return false;
    const Value::List* items = found.as_list();
    const bool is_pair = items != nullptr && items->size() == 2;
    if (is_pair) first = items->front();
    if (is_pair) second = items->back();
    shape = found.is_nil() ? Shape::nil : is_pair ? Shape::pair : Shape::other;
    return true;
  }
  ++at_;
  std::size_t count = 0;
  for (;; ++count) {
    const char c = peek();
    if (c == 0) return fail("a list is not closed");
    if (c == ']') break;
    if (!form(count == 0 ? &first : count == 1 ? &second : nullptr, 1)) return false;
  }
  ++at_;
  shape = count == 2 ? Shape::pair : Shape::other;
  return true;
}

bool EdnReader::text(Value* to) {
  std::string found;
  for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
    char c = text_[at_];
    if (c == '\\') {
      if (++at_ == text_.size()) break;
      c = text_[at_];
      c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
    }
    if (to != nullptr) found += c;
  }
  if (at_ >= text_.size()) return fail("a text is not closed");
  ++at_;
  if (to != nullptr) *to = Value(std::move(found));
  return true;
}

// A number of at most 18 digits, which most atoms are, needs one look at each.
bool EdnReader::short_number(std::int64_t& number) {
  const std::size_t first = text_[at_] == '-' ? at_ + 1 : at_;
  const std::size_t longest = std::min(first + 18, text_.size());
  std::size_t at = first;
  for (number = 0; at < longest && text_[at] >= '0' && text_[at] <= '9'; ++at) {
    number = number * 10 + (text_[at] - '0');
  }
  if (at == first || (at < text_.size() && !ends_atom(text_[at]))) return false;
  if (text_[at_] == '-') number = -number;
  at_ = at;
  return true;
}

bool EdnReader::atom(Value* to) {
  std::int64_t number = 0;
  if (short_number(number)) {
    if (to != nullptr) *to = Value(number);
    return true;
  }
  const bool is_keyword = text_[at_] == ':';
  const std::string_view word = word_at(is_keyword ? at_ + 1 : at_);
  if (word.empty()) return fail("unexpected character");
  if (to == nullptr) return true;
  const char* end = word.data() + word.size();
  if (word == "nil" || word == "null") {
    *to = Value();
  } else if (word == "true" || word == "false") {
    *to = Value(word == "true");
  } else if (const auto [stop, failed] = std::from_chars(word.data(), end, number);
             !is_keyword && failed == std::errc() &&
             (stop == end || (stop + 1 == end && *stop == 'N'))) {
    *to = Value(number);
  } else {
    *to = Value(std::string(word));
  }
  return true;
}

bool EdnReader::form(Value* to, int depth) {
  if (depth > deepest) return fail("lists are nested too deeply");
  const char c = peek();
  switch (c) {
    case 0:
      return fail("the text ends too early");
    case '[':
      return list(']', false, to, depth);
    case '(':
      return list(')', false, to, depth);
    case '{':
      return list('}', true, to, depth);
    case '"':
      return text(to);
    case '#':
      ++at_;
      if (at_ < text_.size() && text_[at_] == '{') return list('}', false, to, depth);
      (void)word();  // a tag
      return form(to, depth + 1);
    case ']':
    case ')':
    case '}':
      return fail("a bracket closes nothing");
    default:
      return atom(to);
  }
}

}  // namespace ordeal::checkers
