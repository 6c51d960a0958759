#pragma once
// Styles and scripts of the pages, built into the program. The sources are in results/web/; the
// charts are drawn by dygraphs, from its Debian package.

#include <string_view>

namespace ordeal::results {

[[nodiscard]] std::string_view asset_style();     // style.css
[[nodiscard]] std::string_view asset_report();    // report.js: charts, links, keys
[[nodiscard]] std::string_view asset_timeline();  // timeline.js: the canvas
[[nodiscard]] std::string_view asset_trace();     // trace.js: unpacks the operations
[[nodiscard]] std::string_view asset_index();     // index.js: lists of runs, in ordeal serve
[[nodiscard]] std::string_view asset_dygraphs();  // the library
[[nodiscard]] std::string_view asset_dygraphs_style();

}  // namespace ordeal::results
