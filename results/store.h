#pragma once
// The run store: runs/NAME/ directories, one a run. While a run goes on its directory is named without a
// verdict; it gets its final name (…-FAIL-…) at the end, so that the verdict is visible in a listing.

#include <filesystem>
#include <string>
#include <vector>

#include "core/run.h"

namespace ordeal::results {

// Names of the files of a run, relative to its directory.
inline constexpr const char* plan_file = "plan.json";
inline constexpr const char* run_file = "run.json";
inline constexpr const char* history_file = "history.jsonl";
inline constexpr const char* ledger_file = "faults.jsonl";
inline constexpr const char* samples_file = "nodes.jsonl";

// runs/2026-11-23T02-04-31-etcd-register-partition+kill-s42, made with all parents; never an existing one.
[[nodiscard]] Result<std::filesystem::path> create_run_directory(const std::filesystem::path& runs,
                                                                 const RunRecord& run);
// Puts the verdict into the name: ...T02-04-31-FAIL-etcd-... Returns the new path; the old one when the directory
// was not named by create_run_directory.
[[nodiscard]] Result<std::filesystem::path> name_by_verdict(const std::filesystem::path& directory, Verdict verdict);

// Writes run.json and everything rendered from it: summary.md, junit.xml, findings/N/{finding.json,finding.md}.
// run.json comes first; a rendering that cannot be written is a line in the returned list, not a failure.
[[nodiscard]] Result<std::vector<std::string>> write_results(const std::filesystem::path& directory,
                                                             const RunRecord& run);
[[nodiscard]] Result<RunRecord> read_run(const std::filesystem::path& directory);

}  // namespace ordeal::results
