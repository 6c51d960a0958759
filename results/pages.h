#pragma once
// Writes the pages of a run: report.html and findings/N/{finding.html,graph.dot}. They are made
// from what the run's directory holds, so they can be made again at any time, byte for byte.

#include <filesystem>
#include <string>
#include <vector>

#include "core/run.h"

namespace ordeal::results {

// Appends to `troubles` what could not be drawn or written; none of it costs more than itself.
void write_pages(const std::filesystem::path& directory, const RunRecord& run,
                 std::vector<std::string>& troubles);

// The samples of nodes.jsonl, by time; damaged lines are left out.
[[nodiscard]] std::vector<NodeSample> read_samples(const std::filesystem::path& directory);

}  // namespace ordeal::results
