#pragma once
// Renderers: pure functions from the stored record of a run to bytes. None computes anything that
// is not in the record, and none fails: what is absent is said to be absent.

#include <filesystem>
#include <string>

#include "core/run.h"

namespace ordeal::results {

struct TerminalStyle {
  bool colour = false;
  bool unicode = true;
};

// The block at the end of a run, at most 20 lines, the most important last. `directory` is printed
// in commands.
[[nodiscard]] std::string render_terminal(const RunRecord& run,
                                          const std::filesystem::path& directory,
                                          const TerminalStyle& style);
// summary.md: the whole run, for a person or a job summary; at most 60 KiB.
[[nodiscard]] std::string render_summary(const RunRecord& run);
// findings/N/finding.md: one finding, to paste into an issue.
[[nodiscard]] std::string render_finding(const RunRecord& run, const Finding& finding);
// junit.xml: suite = workload x cluster, case = fault mix and seed. FAIL is a failure, the rest
// errors.
[[nodiscard]] std::string render_junit(const RunRecord& run,
                                       const std::filesystem::path& directory);

}  // namespace ordeal::results
