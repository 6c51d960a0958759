#pragma once
// Judging: a run directory in, the record of the run out. Needs no cluster; `run` ends with it and
// `check` does nothing else, so both give the same verdict.

#include <filesystem>

#include "checkers/check.h"
#include "core/run.h"
#include "harness/execution.h"

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
// A history alone, by the checkers of that workload: PASS means that they found nothing and left
// nothing open.
[[nodiscard]] Result<RunRecord> judge_history(const std::filesystem::path& file,
                                              const std::string& workload,
                                              const checkers::CheckOptions& options);

}  // namespace ordeal::harness
