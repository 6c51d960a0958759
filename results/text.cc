#include "results/text.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include <fmt/format.h>

namespace ordeal::results {

namespace {

struct Decoded {
  char32_t code = 0;
  std::size_t bytes = 0;  // 0: no UTF-8 begins here
};

// Strict: no overlong forms, no surrogates, nothing beyond U+10FFFF (Unicode 15, table 3-7).
Decoded decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t length = first < 0xc2   ? 0
                             : first < 0xe0 ? 2
                             : first < 0xf0 ? 3
                             : first < 0xf5 ? 4
                                            : 0;
  if (length == 0 || text.size() < length) return {};
  char32_t code = first & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U) return {};
    code = (code << 6U) | (byte(i) & 0x3fU);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  return overlong || surrogate || code > 0x10ffff ? Decoded{} : Decoded{code, length};
}

bool between(char32_t code, char32_t low, char32_t high) { return code >= low && code <= high; }

// Controls, and what is there without being seen: it could hide or reorder the text around it.
bool is_unprintable(char32_t code) {
  return code < 0x20 || between(code, 0x7f, 0x9f) || code == 0xad || code == 0x61c ||
         code == 0x180e || between(code, 0x200b, 0x200f) || between(code, 0x2028, 0x202e) ||
         between(code, 0x2060, 0x206f) || code == 0xfeff || between(code, 0xfff9, 0xfffb) ||
         between(code, 0xfdd0, 0xfdef) || (code & 0xfffeU) == 0xfffe ||
         between(code, 0xe0000, 0xe0fff);
}

bool is_wide(char32_t code) {
  return between(code, 0x1100, 0x115f) || between(code, 0x2e80, 0xa4cf) ||
         between(code, 0xac00, 0xd7a3) || between(code, 0xf900, 0xfaff) ||
         between(code, 0xfe30, 0xfe6f) || between(code, 0xff00, 0xff60) ||
         between(code, 0xffe0, 0xffe6) || between(code, 0x1f300, 0x1faff) ||
         between(code, 0x20000, 0x3fffd);
}

std::size_t width_of(char32_t code) { return is_wide(code) ? 2 : 1; }

std::string escape(char32_t code) {
  switch (code) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      break;
  }
  const auto number = static_cast<unsigned>(code);
  return number < 0x80 ? fmt::format("\\x{:02x}", number) : fmt::format("\\u{{{:x}}}", number);
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> likenesses = {{
    {"·", "-"},
    {"…", "..."},
    {"×", "x"},
    {"→", "->"},
    {"–", "-"},
    {"’", "'"},
}};

}  // namespace

std::string clean(std::string_view raw, std::size_t width) {
  std::string text;
  std::size_t used = 0;
  std::size_t cut = 0;  // where an ellipsis would still fit
  for (std::size_t at = 0; at < raw.size();) {
    const Decoded next = decode(raw.substr(at));
    std::string shown;
    std::size_t wide = 1;
    if (next.bytes == 0) {
      shown = fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(raw[at])));
      wide = shown.size();
    } else if (is_unprintable(next.code)) {
      shown = escape(next.code);
      wide = shown.size();
    } else {
      shown = raw.substr(at, next.bytes);
      wide = width_of(next.code);
    }
    if (used + wide > width) return text.substr(0, cut) + "…";
    text += shown;
    used += wide;
    if (used < width) cut = text.size();
    at += std::max<std::size_t>(next.bytes, 1);
  }
  return text;
}

std::vector<std::string> characters(std::string_view text) {
  std::vector<std::string> found;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t bytes = std::max<std::size_t>(decode(text.substr(at)).bytes, 1);
    found.emplace_back(text.substr(at, bytes));
    at += bytes;
  }
  return found;
}

std::size_t columns(std::string_view text) {
  std::size_t total = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Decoded next = decode(text.substr(at));
    total += width_of(next.code);
    at += std::max<std::size_t>(next.bytes, 1);
  }
  return total;
}

std::string pad(std::string_view text, std::size_t width) {
  const std::size_t used = columns(text);
  return std::string(text) + std::string(used < width ? width - used : 0, ' ');
}

std::vector<std::string> wrap(std::string_view text, std::size_t width, std::size_t max_lines) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    if (columns(text) <= width || lines.size() + 1 == max_lines) {
      lines.push_back(clean(text, width));
      break;
    }
    std::size_t end = 0;    // of what fits
    std::size_t space = 0;  // the last one that fits
    for (std::size_t used = 0; end < text.size();) {
      const Decoded next = decode(text.substr(end));
      used += width_of(next.code);
      if (used > width && text[end] != ' ') break;
      if (text[end] == ' ') space = end;
      end += std::max<std::size_t>(next.bytes, 1);
    }
    const std::size_t cut = space > 0 ? space : end;
    lines.emplace_back(text.substr(0, text.find_last_not_of(' ', cut - 1) + 1));
    text.remove_prefix(cut);
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  }
  return lines;
}

std::string to_ascii(std::string_view text) {
  std::string ascii;
  for (const std::string& character : characters(text)) {
    const auto* const likeness =
        std::find_if(likenesses.begin(), likenesses.end(),
                     [&](const auto& pair) { return pair.first == character; });
    if (character.size() == 1) {
      ascii += character;
    } else if (likeness != likenesses.end()) {
      ascii += likeness->second;
    } else {
      ascii += escape(decode(character).code);
    }
  }
  return ascii;
}

std::string shell_word(std::string_view raw, bool ascii_only) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+,-";
  // A leading dash would be read as an option.
  const std::string word = (raw.substr(0, 1) == "-" ? "./" : "") + std::string(raw);
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  const bool ascii =
      std::all_of(word.begin(), word.end(), [](char c) { return c >= ' ' && c < 0x7f; });
  const bool printable = ascii || (!ascii_only && clean(word, 2 * word.size()) == word);
  std::string quoted = printable ? "'" : "$'";
  for (const char c : word) {
    if (printable) {
      quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    } else if (c == '\'' || c == '\\') {
      quoted += std::string("\\") + c;
    } else if (c >= ' ' && c < 0x7f) {
      quoted += c;
    } else {
      quoted += fmt::format("\\{:03o}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  return quoted + "'";
}

std::string grouped(std::size_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

std::string count(std::size_t number, std::string_view thing) {
  return fmt::format("{} {}{}", grouped(number), thing, number == 1 ? "" : "s");
}

std::string share(std::size_t part, std::size_t whole) {
  if (whole == 0) return "0 %";
  return fmt::format("{:.0f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string sentence(std::string text) {
  const bool ended =
      text.empty() || std::string_view(".!?:").find(text.back()) != std::string_view::npos;
  return ended ? text : text + ".";
}

std::string capitalised(std::string text) {
  if (!text.empty() && text.front() >= 'a' && text.front() <= 'z') {
    text.front() = static_cast<char>(text.front() - 'a' + 'A');
  }
  return text;
}

std::string join(const std::vector<std::string>& parts, std::string_view between) {
  return fmt::format("{}", fmt::join(parts, between));
}

Nanoseconds within_reason(Nanoseconds time) {
  constexpr Nanoseconds most = std::chrono::hours(24 * 365);
  return std::clamp(time, -most, most);
}

std::string duration_text(Nanoseconds duration) { return to_text(within_reason(duration)); }

std::string seconds_text(Nanoseconds time) { return to_seconds(within_reason(time)); }

}  // namespace ordeal::results
