#include "results/run_name.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include <fmt/format.h>

namespace ordeal::results {

namespace {

constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789._+";
constexpr std::string_view moment_form = "9999-99-99T99-99-99";  // 9 is any digit
constexpr std::uint64_t most_copies = 1'000'000;
constexpr std::size_t longest_nemeses = 48;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool has_form(std::string_view text, std::string_view form) {
  return std::equal(text.begin(), text.end(), form.begin(), form.end(),
                    [](char c, char wanted) { return wanted == '9' ? is_digit(c) : c == wanted; });
}

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Lower case, and nothing that a shell or a file system could mind.
std::string plain(std::string_view text, std::size_t longest) {
  std::string name;
  for (const char c : text.substr(0, longest)) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    name += allowed.find(lower) == std::string_view::npos ? '_' : lower;
  }
  return name.empty() ? "none" : name;
}

// "partition+kill"; of many kinds those that have room, and how many more there are.
std::string nemeses_text(const std::vector<std::string>& nemeses) {
  std::string text;
  for (std::size_t i = 0; i < nemeses.size(); ++i) {
    const std::string next = (i > 0 ? "+" : "") + nemeses[i];
    if (i > 0 && text.size() + next.size() > longest_nemeses)
      return fmt::format("{}+{}_more", text, nemeses.size() - i);
    text += next;
  }
  return text.empty() ? "calm" : text;
}

}  // namespace

std::string RunName::text() const {
  const std::string said = verdict ? fmt::format("-{}", to_text(*verdict)) : "";
  return fmt::format("{}{}-{}{}", moment, said, subject, copy > 1 ? fmt::format("-{}", copy) : "");
}

std::optional<RunName> name_of(const RunRecord& run) {
  if (!has_form(run.started, "9999-99-99T99:99:99Z")) return std::nullopt;
  RunName name;
  name.moment = run.started.substr(0, moment_form.size());
  std::replace(name.moment.begin(), name.moment.end(), ':', '-');
  name.subject = fmt::format("{}-{}-{}-s{}", plain(run.cluster, 40), plain(run.workload, 40),
                             plain(nemeses_text(run.nemeses), 60), run.seed);
  return name;
}

std::optional<RunName> parse_run_name(std::string_view text) {
  if (!has_form(text.substr(0, moment_form.size()), moment_form)) return std::nullopt;
  RunName name;
  name.moment = text.substr(0, moment_form.size());
  std::vector<std::string_view> parts;  // what stands between dashes, after the moment
  for (text.remove_prefix(moment_form.size()); !text.empty() && text.front() == '-';) {
    text.remove_prefix(1);
    parts.push_back(text.substr(0, text.find('-')));
    text.remove_prefix(parts.back().size());
  }
  std::size_t first = 0;
  if (!parts.empty()) name.verdict = verdict_named(parts.front());
  if (name.verdict) first = 1;
  const std::size_t count =
      parts.size() - first;  // cluster, workload, nemeses, seed and perhaps the copy
  if (!text.empty() || count < 4 || count > 5) return std::nullopt;
  for (std::size_t i = first; i < first + 3; ++i) {
    if (parts[i].empty() || parts[i].find_first_not_of(allowed) != std::string_view::npos)
      return std::nullopt;
  }
  const std::string_view seed = parts[first + 3];
  if (seed.substr(0, 1) != "s" || !number_in(seed.substr(1))) return std::nullopt;
  name.subject = fmt::format("{}-{}-{}-{}", parts[first], parts[first + 1], parts[first + 2], seed);
  if (count == 5) {
    const auto copy = number_in(parts.back());
    if (!copy || *copy > most_copies) return std::nullopt;
    name.copy = static_cast<int>(*copy);
  }
  return name;
}

}  // namespace ordeal::results
