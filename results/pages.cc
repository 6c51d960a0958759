#include "results/pages.h"

#include <algorithm>
#include <set>

#include "core/file.h"
#include "core/json.h"
#include "results/graph.h"
#include "results/report.h"
#include "results/store.h"
#include "results/words.h"

namespace ordeal::results {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_files = 400;
constexpr std::size_t most_graphs = 10;

// What there is in the directory, and what this judgement puts there: the same list whether it is
// there already or not.
std::vector<std::string> files_of(const fs::path& directory, const RunRecord& run) {
  std::set<std::string> files = {run_file, summary_file, junit_file, report_file};
  for (const Finding* finding : findings_of(run)) {
    const std::string folder = fmt::format("{}/{}/", findings_folder, finding->number);
    for (const char* name : {"finding.json", "finding.md", "finding.html"})
      files.insert(folder + name);
    if (!graph_of(*finding).empty()) files.insert(folder + "graph.dot");
  }
  std::error_code failure;
  for (auto entry = fs::recursive_directory_iterator(directory, failure);
       !failure && entry != fs::recursive_directory_iterator(); entry.increment(failure)) {
    std::error_code ignored;
    if (!entry->is_regular_file(ignored) || files.size() >= most_files) continue;
    const std::string file = entry->path().lexically_relative(directory).string();
    if (!file.starts_with(findings_folder)) files.insert(file);
  }
  return {files.begin(), files.end()};
}

}  // namespace

std::vector<NodeSample> read_samples(const fs::path& directory) {
  std::vector<NodeSample> samples;
  std::error_code failure;
  if (!fs::exists(directory / samples_file, failure)) return samples;
  const auto lines = read_lines(directory / samples_file);
  if (!lines) return samples;
  for (const std::string& line : *lines) {
    const Result<Json> json = parse_json(line);
    Result<NodeSample> sample = json ? node_sample_from_json(*json) : pass_on(json.error());
    if (sample) samples.push_back(std::move(*sample));
  }
  std::stable_sort(samples.begin(), samples.end(),
                   [](const NodeSample& a, const NodeSample& b) { return a.at < b.at; });
  return samples;
}

void write_pages(const fs::path& directory, const RunRecord& run,
                 std::vector<std::string>& troubles) {
  const auto note = [&](const Result<void>& result) {
    if (!result) troubles.push_back(result.error().message);
  };
  const std::vector<NodeSample> samples = read_samples(directory);
  ReportParts parts{run, nullptr, samples, "", {}, files_of(directory, run)};
  bool draws = true;  // if it does not draw one, it draws none
  for (const Finding* finding : findings_of(run)) {
    const fs::path folder = directory / findings_folder / std::to_string(finding->number);
    const std::string graph = graph_of(*finding);
    if (!graph.empty()) note(write_file(folder / "graph.dot", graph));
    if (!graph.empty() && draws && parts.graphs.size() < most_graphs) {
      Result<std::string> drawn = draw_graph(graph);
      draws = drawn.has_value();
      if (drawn) parts.graphs.emplace(finding->number, std::move(*drawn));
      if (!drawn) troubles.push_back(drawn.error().message);
    }
    const auto picture = parts.graphs.find(finding->number);
    note(write_file(
        folder / "finding.html",
        render_finding_page(run, *finding, picture == parts.graphs.end() ? "" : picture->second)));
  }
  if (const auto plan = read_file(directory / plan_file)) parts.plan = *plan;
  std::error_code failure;
  Result<History> history = error("no history");
  if (fs::exists(directory / history_file, failure)) {
    history = read_history(directory / history_file);
    if (history) {
      parts.history = &*history;
    } else {
      troubles.push_back(history.error().message);
    }
  }
  note(write_file(directory / report_file, render_report(parts)));
}

}  // namespace ordeal::results
