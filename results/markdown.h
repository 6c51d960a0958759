#pragma once
// Markdown (GitHub's dialect) that reads well both rendered and raw: escaped text, tables with
// aligned columns, and a page that never outgrows its limit.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ordeal::results {

// Raw text for a paragraph or a table cell: cleaned, cut, and without any meaning to Markdown but
// one: what is between two backticks stays code.
[[nodiscard]] std::string escaped(std::string_view raw, std::size_t width = 300);

// Cells are Markdown already; pipes in them are escaped when the table is printed.
struct Table {
  std::vector<std::string> heading;
  std::vector<std::vector<std::string>> rows;
};

// Collects lines while they fit; what does not fit is left out whole and said so at the end.
class Page {
 public:
  // `tail` is always printed, after everything else.
  Page(std::size_t limit, std::string tail);

  void line(std::string_view text = {});
  void heading(std::string_view text);                            // "## text" with its blank lines
  void fenced(std::string_view language, std::string_view text);  // all or nothing
  void table(const Table& table, std::size_t max_rows = 100);
  [[nodiscard]] std::string finish() &&;

 private:
  bool add(std::string_view text);

  std::string text_;
  std::string tail_;
  std::size_t room_ = 0;
  bool full_ = false;
};

}  // namespace ordeal::results
