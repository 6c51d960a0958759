#pragma once
// Judging: a run directory in, the record of the run out. Needs no cluster; `run` ends with it and
// `check` does nothing else, so both give the same verdict.

#include <filesystem>

#include "checkers/check.h"
#include "core/run.h"
#include "harness/execution.h"
#include "workloads/workload.h"

namespace ordeal::harness {

// Reads plan, history, ledger and samples, checks, measures coverage, and decides. A directory that
// is not a run is an Error; everything short of that is judged, and what is missing is a reason in
// the verdict. The execution is handed in by the run itself (its disk may be full) and read from
// the directory otherwise.
[[nodiscard]] Result<RunRecord> judge(const std::filesystem::path& directory,
                                      const Execution& execution,
                                      const checkers::CheckOptions& options);
[[nodiscard]] Result<RunRecord> judge(const std::filesystem::path& directory,
                                      const checkers::CheckOptions& options);
// How to judge a file that is no run.
struct FileQuestion {
  std::string as;      // a workload, for a history of ours, or a model; empty: what it looks like
  std::string format;  // of a foreign tool; empty: detected
  bool wants_order = false;  // of a valid history: one right order of each key
};
struct FileAnswer {
  RunRecord record;
  std::vector<std::string> order;  // one operation a line, each key for itself
};
// A history alone, ours or a foreign tool's: PASS means that nothing was found and nothing left
// open.
[[nodiscard]] Result<FileAnswer> judge_file(const std::filesystem::path& file,
                                            const FileQuestion& question,
                                            const checkers::CheckOptions& options);
// What the checks amount to: each reason, each finding and what was left open.
[[nodiscard]] Verdict verdict_of(const RunRecord& run);
// What the workload's checkers say of the history, and what they leave open.
void check(const History& history, const workloads::Workload& workload,
           const checkers::CheckOptions& options, RunRecord& run);
// The same of checks that have been made.
void take_in(std::vector<CheckReport> checks, RunRecord& run);
// Numbers the findings and gathers what surrounds them: faults, leaders, lines of the servers'
// logs. A history without a run has nothing but itself: no directory, no samples.
void place_findings(const std::filesystem::path& directory, const Execution& execution,
                    const History& history, const std::vector<NodeSample>& samples, RunRecord& run);

}  // namespace ordeal::harness
