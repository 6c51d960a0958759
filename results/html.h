#pragma once
// HTML that is safe by construction: raw text becomes an Html only through html(), which cleans and
// escapes it, and data for scripts only through script_json(). Pure.

#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace ordeal::results {

// Raw text as it may stand in an element or in a quoted attribute: one line, nothing invisible.
[[nodiscard]] std::string html(std::string_view raw, std::size_t width = 400);
// The same without a limit on its length and with its line breaks, for <pre>.
[[nodiscard]] std::string html_block(std::string_view raw);
// JSON that ends no script element and is text of the page's character set.
[[nodiscard]] std::string script_json(const Json& json);

// Cells are HTML already. A column whose heading begins with '#' holds numbers.
[[nodiscard]] std::string html_table(const std::vector<std::string>& heading,
                                     const std::vector<std::vector<std::string>>& rows,
                                     std::string_view css_class = {});

// A whole page: styles and scripts stand in it, nothing is loaded from anywhere.
struct PageParts {
  std::string title;           // raw
  std::string body;            // HTML
  std::string scripts;         // <script> elements, after the body
  std::string_view css_class;  // of the body
};
[[nodiscard]] std::string html_page(const PageParts& parts);

}  // namespace ordeal::results
