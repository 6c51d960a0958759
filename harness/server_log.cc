#include "harness/server_log.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "core/json.h"

namespace ordeal::harness {

namespace {

constexpr std::size_t looked_at = 160;  // bytes of a line in which its time and level stand

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "dddd-dd-dd?dd:dd:dd" with d for digits and ? for a space or a T.
bool is_moment(std::string_view text) {
  constexpr std::string_view form = "dddd-dd-dd?dd:dd:dd";
  if (text.size() < form.size()) return false;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const bool fits = form[i] == 'd'   ? is_digit(text[i])
                      : form[i] == '?' ? text[i] == ' ' || text[i] == 'T'
                                       : text[i] == form[i];
    if (!fits) return false;
  }
  return true;
}

int number(std::string_view digits) {
  int value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

struct Found {
  Nanoseconds wall{};
  std::size_t begin = 0, end = 0;  // in the line
};

// "Z", "+01:00", "-0530": what is to be taken off to get UTC.
Nanoseconds zone_of(std::string_view text, std::size_t& used) {
  used = 0;
  if (text.empty()) return {};
  if (text[0] == 'Z') used = 1;
  if (text[0] != '+' && text[0] != '-') return {};
  std::string digits;
  std::size_t i = 1;
  for (; i < text.size() && digits.size() < 4 && (is_digit(text[i]) || text[i] == ':'); ++i) {
    if (is_digit(text[i])) digits += text[i];
  }
  if (digits.size() != 4) return {};
  used = i;
  const auto offset = std::chrono::hours(number(digits.substr(0, 2))) +
                      std::chrono::minutes(number(digits.substr(2)));
  return text[0] == '+' ? Nanoseconds(offset) : -Nanoseconds(offset);
}

Found read_moment(std::string_view line, std::size_t at) {
  const std::string_view text = line.substr(at);
  const auto date = std::chrono::year(number(text.substr(0, 4))) /
                    std::chrono::month(static_cast<unsigned>(number(text.substr(5, 2)))) /
                    std::chrono::day(static_cast<unsigned>(number(text.substr(8, 2))));
  Nanoseconds wall = std::chrono::sys_days(date).time_since_epoch();
  wall += std::chrono::hours(number(text.substr(11, 2))) +
          std::chrono::minutes(number(text.substr(14, 2))) +
          std::chrono::seconds(number(text.substr(17, 2)));
  std::size_t end = 19;
  if (end < text.size() && (text[end] == '.' || text[end] == ',')) {
    std::int64_t unit = 100'000'000;
    for (++end; end < text.size() && is_digit(text[end]); ++end, unit /= 10)
      wall += Nanoseconds(unit * (text[end] - '0'));
  }
  std::size_t used = 0;
  wall -= zone_of(text.substr(end), used);
  return {wall, at, at + end + used};
}

std::optional<Found> find_time(std::string_view line) {
  const std::string_view head = line.substr(0, looked_at);
  for (std::size_t i = 0; i + 19 <= head.size(); ++i) {
    if (is_digit(head[i]) && is_moment(head.substr(i))) return read_moment(line, i);
  }
  constexpr std::string_view key = "\"ts\":";
  const std::size_t at = head.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  double seconds = 0;
  const char* begin = line.data() + at + key.size();
  const auto read = std::from_chars(begin, line.data() + line.size(), seconds);
  if (read.ec != std::errc() || seconds < 1e8 || seconds > 9e9) return std::nullopt;
  return Found{Nanoseconds(static_cast<std::int64_t>(seconds * 1e9)), at,
               static_cast<std::size_t>(read.ptr - line.data())};
}

std::string upper(std::string_view text) {
  std::string out;
  for (const char c : text) out += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

// The level that a word names, empty when it names none.
std::string level_named(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 12> names = {
      {{"DEBUG", "DEBUG"},
       {"TRACE", "DEBUG"},
       {"INFO", "INFO"},
       {"NOTICE", "INFO"},
       {"WARN", "WARN"},
       {"WARNING", "WARN"},
       {"ERROR", "ERROR"},
       {"ERR", "ERROR"},
       {"FATAL", "FATAL"},
       {"PANIC", "FATAL"},
       {"CRITICAL", "FATAL"},
       {"CRIT", "FATAL"}}};
  const std::string given = upper(word);
  for (const auto& [name, level] : names) {
    if (given == name) return std::string(level);
  }
  return {};
}

std::string level_in(std::string_view line) {
  const std::string_view head = line.substr(0, looked_at);
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= head.size(); ++i) {
    if (i < head.size() && std::isalpha(static_cast<unsigned char>(head[i])) != 0) continue;
    if (i > begin) {
      if (std::string level = level_named(head.substr(begin, i - begin)); !level.empty())
        return level;
    }
    begin = i + 1;
  }
  return {};
}

// {"level":"warn","ts":...,"msg":"lost leader","term":7} as "lost leader  term=7".
std::optional<ParsedLine> parse_json_line(std::string_view line) {
  const Result<Json> json = parse_json(line);
  if (!json || !json->is_object()) return std::nullopt;
  ParsedLine parsed;
  std::string fields;
  for (const auto& [name, value] : json->items()) {
    const std::string text = value.is_string() ? value.get<std::string>() : to_line(value);
    if (name == "level" || name == "lvl" || name == "severity") {
      parsed.level = level_named(text);
    } else if (name == "msg" || name == "message") {
      parsed.text = text;
    } else if (name != "ts" && name != "time" && name != "timestamp" && name != "caller") {
      fields += fmt::format("{}{}={}", fields.empty() ? "" : " ", name, text);
    }
  }
  if (!fields.empty()) parsed.text += (parsed.text.empty() ? "" : "  ") + fields;
  return parsed;
}

}  // namespace

std::optional<Nanoseconds> time_of(std::string_view line) {
  const auto found = find_time(line);
  if (!found) return std::nullopt;
  return found->wall;
}

std::optional<ParsedLine> parse_log_line(std::string_view line) {
  const auto found = find_time(line);
  if (!found) return std::nullopt;
  if (!line.empty() && line.front() == '{') {
    if (auto parsed = parse_json_line(line)) {
      parsed->wall = found->wall;
      return parsed;
    }
  }
  ParsedLine parsed;
  parsed.wall = found->wall;
  parsed.level = level_in(line);
  parsed.text = std::string(line.substr(0, found->begin)) + std::string(line.substr(found->end));
  const std::size_t first = parsed.text.find_first_not_of(" \t");
  parsed.text.erase(0, std::min(first, parsed.text.size()));
  return parsed;
}

int rank_of(const ParsedLine& line) {
  constexpr std::array<std::string_view, 14> telling = {
      "ELECT",   "LEADER",     "CANDIDATE", "FOLLOWER", "TERM",  "TRUNCAT",     "SNAPSHOT",
      "CORRUPT", "INCONSISTE", "PRIMARY",   "REPLICA",  "SPLIT", "STARTING AN", "RECOVER"};
  // What servers do all the time says nothing of any moment.
  constexpr std::array<std::string_view, 3> routine = {"TRIGGERING SNAPSHOT", "SAVED SNAPSHOT",
                                                       "COMPACTED RAFT LOG"};
  const std::string text = upper(std::string_view(line.text).substr(0, 300));
  if (line.level == "INFO" &&
      std::any_of(routine.begin(), routine.end(),
                  [&](std::string_view words) { return text.find(words) != std::string::npos; }))
    return 3;
  if (std::any_of(telling.begin(), telling.end(),
                  [&](std::string_view word) { return text.find(word) != std::string::npos; }))
    return 0;
  return line.level == "WARN" || line.level == "ERROR" || line.level == "FATAL" ? 1 : 2;
}

}  // namespace ordeal::harness
