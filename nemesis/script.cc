#include "nemesis/script.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "nemesis/fault.h"
#include "nemesis/trigger.h"
#include "nemesis/turns.h"

namespace ordeal::nemesis {

namespace {

// Words between blanks; quotes keep blanks, and are left out. Nothing when one is not closed.
std::optional<std::vector<std::string>> words_of(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false, begun = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
      begun = true;
    } else if (!quoted && c == '#') {
      break;
    } else if (!quoted && (c == ' ' || c == '\t' || c == '\r')) {
      if (begun) words.push_back(std::move(word));
      word.clear();
      begun = false;
    } else {
      word += c;
      begun = true;
    }
  }
  if (quoted) return std::nullopt;
  if (begun) words.push_back(std::move(word));
  return words;
}

Value value_of(const std::string& text) {
  std::int64_t integer = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, integer);
  return read.ec == std::errc() && read.ptr == end ? Value(integer) : Value(text);
}

Result<FaultSpec> parse_line(const std::vector<std::string>& words, Nanoseconds last_end) {
  if (words.size() < 6 || (words[0] != "at" && words[0] != "after") || words[4] != "for")
    return error(
        "a line must read: at TIME KIND TARGETS for TIME [NAME=VALUE ...], or begin with after");
  const auto begin = parse_duration(words[1]), duration = parse_duration(words[5]);
  if (!begin || !duration || *duration == Nanoseconds::zero())
    return error("\"{}\" is no duration; say 90s, 1.5m or 500ms", begin ? words[5] : words[1]);
  const Fault* fault = fault_named(words[2]);
  if (fault == nullptr) return error("there is no fault named {}", words[2]);
  FaultSpec spec;
  spec.kind = words[2];
  spec.begin = words[0] == "after" ? last_end + *begin : *begin;
  spec.duration = *duration;
  if (spec.kind == "partition") {
    spec.parameters["shape"] = words[3];
  } else {
    spec.targets = words[3];
  }
  for (std::size_t i = 6; i < words.size(); ++i) {
    const std::size_t equals = words[i].find('=');
    if (equals == std::string::npos || equals == 0)
      return error("\"{}\" is no NAME=VALUE", words[i]);
    spec.parameters[words[i].substr(0, equals)] = value_of(words[i].substr(equals + 1));
  }
  for (const auto& checked : {check_mode(spec, *fault), check_trigger(spec)}) {
    if (!checked) return pass_on(checked.error());
  }
  return spec;
}

}  // namespace

Result<std::vector<FaultSpec>> parse_script(std::string_view text, const std::string& file,
                                            const Rng& rng) {
  std::vector<FaultSpec> script;
  Nanoseconds last_end{};
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const auto words = words_of(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (!words) return error("{}, line {}: a quote is not closed", file, number);
    if (words->empty()) continue;
    Result<FaultSpec> spec = parse_line(*words, last_end);
    if (!spec) return pass_on(spec.error(), fmt::format("{}, line {}", file, number));
    spec->id = static_cast<int>(script.size()) + 1;
    spec->draw = rng.fork(fmt::format("line/{}", script.size())).next();
    last_end = spec->begin + spec->duration;
    script.push_back(std::move(*spec));
  }
  // The nemesis takes them by their begins.
  std::stable_sort(script.begin(), script.end(),
                   [](const FaultSpec& a, const FaultSpec& b) { return a.begin < b.begin; });
  for (std::size_t i = 0; i < script.size(); ++i) script[i].id = static_cast<int>(i) + 1;
  return script;
}

}  // namespace ordeal::nemesis
