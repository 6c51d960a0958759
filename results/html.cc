#include "results/html.h"

#include <fmt/format.h>

#include "results/assets.h"
#include "results/text.h"

namespace ordeal::results {

namespace {

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace

std::string html(std::string_view raw, std::size_t width) { return escape(clean(raw, width)); }

std::string html_block(std::string_view raw) {
  std::string out;
  while (!raw.empty()) {
    const std::size_t end = std::min(raw.find('\n'), raw.size());
    out += escape(clean(raw.substr(0, end), raw.size() + 1)) + '\n';
    raw.remove_prefix(std::min(end + 1, raw.size()));
  }
  return out;
}

std::string script_json(const Json& json) {
  std::string out;
  for (const char c : to_line(json)) {
    if (c == '<') {
      out += "\\u003c";
    } else if (c == '&') {
      out += "\\u0026";
    } else {
      out += c;
    }
  }
  return out;
}

std::string html_table(const std::vector<std::string>& heading,
                       const std::vector<std::vector<std::string>>& rows,
                       std::string_view css_class) {
  const auto is_number = [&](std::size_t i) {
    return i < heading.size() && heading[i].substr(0, 1) == "#";
  };
  std::string out = fmt::format("<div class=\"scroll\"><table class=\"{}\"><thead><tr>", css_class);
  for (std::size_t i = 0; i < heading.size(); ++i) {
    out += fmt::format("<th{}>{}</th>", is_number(i) ? " class=\"n\"" : "",
                       is_number(i) ? heading[i].substr(1) : heading[i]);
  }
  out += "</tr></thead><tbody>\n";
  for (const auto& row : rows) {
    out += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i)
      out += fmt::format("<td{}>{}</td>", is_number(i) ? " class=\"n\"" : "", row[i]);
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string html_page(const PageParts& parts) {
  std::string page = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  page += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  // Even if something slipped through: nothing may be loaded or sent.
  page +=
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; connect-src 'self'\">\n";
  page += "<meta name=\"color-scheme\" content=\"light dark\">\n";
  page += fmt::format("<title>{}</title>\n<style>\n", html(parts.title, 160));
  page += asset_style();
  page += asset_dygraphs_style();
  page += fmt::format("</style>\n</head>\n<body class=\"{}\">\n", parts.css_class);
  page += parts.body;
  page += parts.scripts;
  return page + "</body>\n</html>\n";
}

}  // namespace ordeal::results
