#include "core/history_codec.h"

#include <charconv>

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

}  // namespace ordeal
