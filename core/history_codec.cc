#include "core/history_codec.h"

#include <charconv>
#include <cstring>

namespace ordeal {

namespace {

void append_integer(std::string& to, std::int64_t integer) {
  char digits[24];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), integer);
  to.append(digits, end.ptr);
}

void append_value(std::string& to, const Value& value) {
  if (const auto* integer = value.as_integer()) return append_integer(to, *integer);
  if (const auto* boolean = value.as_boolean()) {
    to.append(*boolean ? "true" : "false");
  } else if (const auto* text = value.as_string()) {
    append_json_string(to, *text);
  } else if (const auto* items = value.as_list()) {
    to += '[';
    for (std::size_t i = 0; i < items->size(); ++i) {
      if (i > 0) to += ',';
      append_value(to, items->at(i));
    }
    to += ']';
  } else {
    to.append("null");
  }
}

// Length of the well-formed UTF-8 sequence at the front of the text, 0 when there is none (Unicode
// 15, table 3-7).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return continues(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const unsigned low = lead == 0xe0 ? 0xa0 : 0x80;
    const unsigned high = lead == 0xed ? 0x9f : 0xbf;
    return continues(1, low, high) && continues(2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const unsigned low = lead == 0xf0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xf4 ? 0x8f : 0xbf;
    return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

void append_json_string(std::string& to, std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  to += '"';
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text.front());
    std::size_t used = 1;
    if (c == '"' || c == '\\') {
      to += '\\';
      to += static_cast<char>(c);
    } else if (c < 0x20 || c == 0x7f) {
      to.append("\\u00");
      to += hex[c >> 4U];
      to += hex[c & 15U];
    } else if (c < 0x80) {
      to += static_cast<char>(c);
    } else if (const std::size_t length = utf8_length(text); length > 0) {
      to.append(text.substr(0, length));
      used = length;
    } else {
      to.append("\xef\xbf\xbd");
    }
    text.remove_prefix(used);
  }
  to += '"';
}

void append_event_line(std::string& to, const Event& event, const std::vector<std::string>& nodes) {
  to.append("{\"index\":");
  append_integer(to, event.index);
  to.append(",\"time_ns\":");
  append_integer(to, event.time.count());
  to.append(",\"process\":");
  append_integer(to, event.process);
  to.append(",\"type\":\"");
  to.append(to_text(event.type));
  to.append("\",\"f\":\"");
  to.append(to_text(event.function));
  to.append("\",\"key\":");
  append_value(to, event.key);
  to.append(",\"value\":");
  append_value(to, event.value);
  if (event.type == EventType::invoke) {
    to.append(",\"node\":");
    append_json_string(to, event.node < nodes.size() ? std::string_view(nodes[event.node]) : "");
  }
  if (!event.error.empty()) {
    to.append(",\"error\":");
    append_json_string(to, event.error);
  }
  if (event.revision != 0) {
    to.append(",\"revision\":");
    append_integer(to, event.revision);
  }
  to += '}';
}

void append_header_line(std::string& to, const std::vector<std::string>& nodes) {
  to.append(R"({"schema":1,"kind":"ordeal-history","nodes":[)");
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (i > 0) to += ',';
    append_json_string(to, nodes[i]);
  }
  to.append("]}");
}

namespace {

// Takes a line apart from its front. Each function passes over what it found; what is not there as
// it would have been written ends the reading.
class WrittenLine {
 public:
  explicit WrittenLine(std::string_view line) : at_(line.data()), end_(at_ + line.size()) {}

  template <std::size_t size>
  bool passes(const char (&literal)[size]) {
    constexpr std::size_t length = size - 1;
    if (left() < length || std::memcmp(at_, literal, length) != 0) return false;
    at_ += length;
    return true;
  }
  [[nodiscard]] bool ended() const { return at_ == end_; }

  bool integer(std::int64_t& to);
  bool text(std::string_view& to);
  bool value(Value& to, int depth);

 private:
  [[nodiscard]] std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

  const char* at_;
  const char* end_;
};

// As JSON has them: no zero in front, no minus zero. Of 18 digits at most, so that none overflows.
bool WrittenLine::integer(std::int64_t& to) {
  const bool negative = passes("-");
  const char* const first = at_;
  std::int64_t number = 0;
  for (; at_ != end_ && *at_ >= '0' && *at_ <= '9'; ++at_) {
    if (at_ - first == 18) return false;
    number = number * 10 + (*at_ - '0');
  }
  if (at_ == first || (*first == '0' && (negative || at_ - first > 1))) return false;
  to = negative ? -number : number;
  return true;
}

bool WrittenLine::text(std::string_view& to) {
  if (!passes("\"")) return false;
  const char* const first = at_;
  while (at_ != end_ && *at_ != '"') {
    const auto c = static_cast<unsigned char>(*at_);
    if (c < 0x20 || c == '\\') return false;
    const std::size_t length = c < 0x80 ? 1 : utf8_length({at_, left()});
    if (length == 0) return false;
    at_ += length;
  }
  to = {first, static_cast<std::size_t>(at_ - first)};
  return passes("\"");
}

bool WrittenLine::value(Value& to, int depth) {
  if (at_ == end_ || depth > value_nesting_limit) return false;
  switch (*at_) {
    case 'n':
      return passes("null");
    case 't':
      to = Value(true);
      return passes("true");
    case 'f':
      to = Value(false);
      return passes("false");
    case '"': {
      std::string_view text;
      if (!this->text(text)) return false;
      to = Value(std::string(text));
      return true;
    }
    case '[': {
      ++at_;
      Value::List items;
      if (!passes("]")) {
        items.reserve(2);
        do {
          if (!value(items.emplace_back(), depth + 1)) return false;
        } while (passes(","));
        if (!passes("]")) return false;
      }
      to = Value(std::move(items));
      return true;
    }
    default: {
      std::int64_t number = 0;
      if (!integer(number)) return false;
      to = Value(number);
      return true;
    }
  }
}

}  // namespace

std::optional<EventFields> read_event_line(std::string_view text) {
  WrittenLine line(text);
  std::optional<EventFields> found(std::in_place);
  EventFields& fields = *found;
  std::int64_t index = 0;
  std::string_view type;
  std::string_view function;
  const bool begins = line.passes("{\"index\":") && line.integer(index) &&
                      line.passes(",\"time_ns\":") && line.integer(fields.time.emplace()) &&
                      line.passes(",\"process\":") && line.integer(fields.process.emplace()) &&
                      line.passes(",\"type\":") && line.text(type) && line.passes(",\"f\":") &&
                      line.text(function) && line.passes(",\"key\":") &&
                      line.value(fields.key.emplace(), 0) && line.passes(",\"value\":") &&
                      line.value(fields.value.emplace(), 0);
  if (!begins || index < 0) return std::nullopt;
  if (line.passes(",\"node\":") && !line.text(fields.node.emplace())) return std::nullopt;
  if (line.passes(",\"error\":") && !line.text(fields.error.emplace())) return std::nullopt;
  if (line.passes(",\"revision\":") && !line.integer(fields.revision.emplace()))
    return std::nullopt;
  fields.index = static_cast<std::uint64_t>(index);
  fields.type = event_type_named(type);
  fields.function = function_named(function);
  if (!fields.type || !fields.function || !line.passes("}") || !line.ended()) return std::nullopt;
  return found;
}

}  // namespace ordeal
