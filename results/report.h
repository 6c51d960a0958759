#pragma once
// report.html: a whole run in one file that opens from the disk and loads nothing, and
// finding.html: one finding likewise. Pure functions of what a run stored; nothing here fails, what
// is absent is said to be absent.

#include <map>
#include <string>
#include <vector>

#include "core/history.h"
#include "core/run.h"

namespace ordeal::results {

struct ReportParts {
  const RunRecord& run;
  const History* history = nullptr;  // null: none could be read; then there is no timeline
  const std::vector<NodeSample>& samples;
  std::string plan;                   // text of plan.json
  std::map<int, std::string> graphs;  // SVG by number of the finding
  std::vector<std::string> files;     // within the run directory
};

[[nodiscard]] std::string render_report(const ReportParts& parts);
// `graph`: SVG, may be empty.
[[nodiscard]] std::string render_finding_page(const RunRecord& run, const Finding& finding,
                                              const std::string& graph);

// A finding as the body of a section, shared by both pages. `root`: relative path to the run's
// directory, "" or "../../".
[[nodiscard]] std::string finding_section(const RunRecord& run, const Finding& finding,
                                          const std::string& graph, const std::string& root);

}  // namespace ordeal::results
