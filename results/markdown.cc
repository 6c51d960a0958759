#include "results/markdown.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "results/text.h"

namespace ordeal::results {

namespace {

constexpr std::string_view cut_note =
    "\n*The page ends here to stay small enough for a comment; the rest is in `run.json` and "
    "`findings/`.*\n";
// Cells beyond this do not widen their column for all the other rows.
constexpr std::size_t widest_padding = 44;

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

std::string cell_text(const std::string& markdown) {
  std::string text;
  for (const char c : markdown) text += c == '|' ? std::string("\\|") : std::string(1, c);
  return text;
}

std::string row_text(const std::vector<std::string>& cells,
                     const std::vector<std::size_t>& widths) {
  std::string text = "|";
  for (std::size_t i = 0; i < widths.size(); ++i) {
    text += ' ' + pad(i < cells.size() ? cells[i] : "", widths[i]) + " |";
  }
  return text + '\n';
}

// Length of a code span that begins here, 0 if none does. Backslashes mean different things in and
// out of tables, so spans that have one are taken for plain text.
std::size_t code_span(std::string_view text) {
  if (text.front() != '`') return 0;
  const std::size_t end = text.find('`', 1);
  if (end == std::string_view::npos || end == 1) return 0;
  const std::string_view span = text.substr(0, end + 1);
  const bool joined = end + 1 < text.size() && text[end + 1] == '`';
  return joined || span.find('\\') != std::string_view::npos ? 0 : span.size();
}

}  // namespace

std::string escaped(std::string_view raw, std::size_t width) {
  const std::string text = clean(raw, width);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t code = code_span(std::string_view(text).substr(i));
    if (code > 0) {
      out += text.substr(i, code);
      i += code - 1;
      continue;
    }
    const char c = text[i];
    const bool inside_word =
        i > 0 && i + 1 < text.size() && is_word(text[i - 1]) && is_word(text[i + 1]);
    const bool always = std::string_view("\\`*[<&~$").find(c) != std::string_view::npos;
    const bool first = i == 0 && std::string_view("#-+>=").find(c) != std::string_view::npos;
    if (always || first || (c == '_' && !inside_word)) out += '\\';
    out += c;
  }
  return out;
}

Page::Page(std::size_t limit, std::string tail) : tail_(std::move(tail)) {
  const std::size_t reserved = tail_.size() + cut_note.size();
  room_ = limit > reserved ? limit - reserved : 0;
}

// Once something was left out nothing more is added, so that a page has a beginning and no holes.
bool Page::add(std::string_view text) {
  full_ = full_ || text_.size() + text.size() > room_;
  if (!full_) text_ += text;
  return !full_;
}

void Page::line(std::string_view text) { add(std::string(text) + '\n'); }

void Page::heading(std::string_view text) { add(fmt::format("\n## {}\n\n", text)); }

void Page::fenced(std::string_view language, std::string_view text) {
  std::string fence = "```";
  while (text.find(fence) != std::string_view::npos) fence += '`';
  add(fmt::format("{}{}\n{}{}{}\n", fence, language, text,
                  text.empty() || text.back() == '\n' ? "" : "\n", fence));
}

void Page::table(const Table& table, std::size_t max_rows) {
  std::vector<std::vector<std::string>> rows = {table.heading};
  for (std::size_t r = 0; r < std::min(max_rows, table.rows.size()); ++r)
    rows.push_back(table.rows[r]);
  std::vector<std::size_t> widths(table.heading.size(), 3);
  for (std::vector<std::string>& row : rows) {
    row.resize(widths.size());
    for (std::size_t i = 0; i < widths.size(); ++i) {
      row[i] = cell_text(row[i]);
      widths[i] = std::max(widths[i], std::min(columns(row[i]), widest_padding));
    }
  }
  std::vector<std::string> rule;
  for (const std::size_t width : widths) rule.emplace_back(width, '-');
  add(row_text(rows.front(), widths) + row_text(rule, widths));
  for (std::size_t r = 1; r < rows.size(); ++r) add(row_text(rows[r], widths));
  if (table.rows.size() > max_rows) {
    line();
    line(fmt::format("{} more in `run.json`.", grouped(table.rows.size() - max_rows)));
  }
}

std::string Page::finish() && {
  if (full_) text_ += cut_note;
  return std::move(text_) + tail_;
}

}  // namespace ordeal::results
