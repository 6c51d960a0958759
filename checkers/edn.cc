#include "checkers/edn.h"

#include <algorithm>
#include <charconv>

namespace ordeal::checkers {

namespace {

constexpr int deepest = 64;

bool is_blank(char c) { return c == ' ' || c == ',' || c == '\n' || c == '\t' || c == '\r'; }
bool ends_atom(char c) {
  return is_blank(c) || c == '(' || c == ')' || c == '[' || c == ']' || c == '{' || c == '}' ||
         c == '"' || c == ';';
}

}  // namespace

char EdnReader::peek() {
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

std::string_view EdnReader::word() {
  const char first = peek();
  if (first == 0) return {};
  std::size_t begin = at_;
  std::size_t end = at_;
  if (first == '"') {
    end = text_.find('"', ++begin);
    if (end == text_.npos) return {};
    at_ = end + 1;
    return text_.substr(begin, end - begin);
  }
  while (end < text_.size() && !ends_atom(text_[end])) ++end;
  if (first == ':') ++begin;
  at_ = end;
  return text_.substr(begin, end - begin);
}

std::size_t EdnReader::line() const {
  return 1 + static_cast<std::size_t>(
                 std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at_), '\n'));
}

tl::unexpected<Error> EdnReader::bad(std::string_view what) const {
  return error("line {}: {}", line(), what);
}

Result<Value> EdnReader::list(char close, bool is_map, int depth) {
  ++at_;
  Value::List items;
  for (;;) {
    const char c = peek();
    if (c == 0) return bad("a list is not closed");
    if (c == close) break;
    auto item = next(depth + 1);
    if (!item) return item;
    items.push_back(std::move(*item));
  }
  ++at_;
  if (!is_map) return Value(std::move(items));
  if (items.size() % 2 != 0) return bad("a map has a key without a value");
  Value::List pairs;
  for (std::size_t i = 0; i < items.size(); i += 2) {
    pairs.push_back(Value::list({items[i], items[i + 1]}));
  }
  return Value(std::move(pairs));
}

Result<Value> EdnReader::text() {
  std::string found;
  for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
    if (text_[at_] != '\\') {
      found += text_[at_];
      continue;
    }
    if (++at_ == text_.size()) break;
    const char c = text_[at_];
    found += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
  }
  if (at_ >= text_.size()) return bad("a text is not closed");
  ++at_;
  return Value(std::move(found));
}

Result<Value> EdnReader::atom() {
  const bool is_keyword = text_[at_] == ':';
  const std::string_view word = this->word();
  if (word.empty()) return bad("unexpected character");
  if (word == "nil" || word == "null") return Value();
  if (word == "true" || word == "false") return Value(word == "true");
  std::int64_t number = 0;
  const char* end = word.data() + word.size();
  const auto [stop, failed] = std::from_chars(word.data(), end, number);
  if (!is_keyword && failed == std::errc() && (stop == end || (stop + 1 == end && *stop == 'N'))) {
    return Value(number);
  }
  return Value(std::string(word));
}

Result<Value> EdnReader::next(int depth) {
  if (depth > deepest) return bad("lists are nested too deeply");
  const char c = peek();
  switch (c) {
    case 0:
      return bad("the text ends too early");
    case '[':
      return list(']', false, depth);
    case '(':
      return list(')', false, depth);
    case '{':
      return list('}', true, depth);
    case '"':
      return text();
    case '#':
      ++at_;
      if (at_ < text_.size() && text_[at_] == '{') return list('}', false, depth);
      (void)word();  // a tag
      return next(depth + 1);
    case ']':
    case ')':
    case '}':
      return bad("a bracket closes nothing");
    default:
      return atom();
  }
}

}  // namespace ordeal::checkers
