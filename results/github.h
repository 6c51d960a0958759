#pragma once
// What a job on GitHub shows of a run: annotations, and a page appended to the job's summary. Both
// within GitHub's limits: ten annotations a step, a summary of a megabyte for all that a step says.

#include <filesystem>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/run.h"

namespace ordeal::results {

// Workflow commands, a line each, at most ten: findings as errors, other reasons as warnings.
[[nodiscard]] std::vector<std::string> render_annotations(const RunRecord& run);
// Appends the run's summary to the file that GITHUB_STEP_SUMMARY names; a line when it is full.
[[nodiscard]] Result<void> append_job_summary(const std::filesystem::path& file,
                                              const RunRecord& run);

}  // namespace ordeal::results
