#pragma once
// The run store: runs/NAME/ directories, one a run, and runs/index.jsonl, one line a run. While a
// run goes on its directory is named without a verdict; it gets its final name (…-FAIL-…) at the
// end, so that the verdict is visible in a listing. The order at the end of a run: name_by_verdict,
// write_results (its pages print the final path), append_index. Several processes may use one store
// at once.

#include <filesystem>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/run.h"
#include "results/index.h"

namespace ordeal::results {

// Names of the files of a run, relative to its directory.
inline constexpr const char* plan_file = "plan.json";
inline constexpr const char* run_file = "run.json";
inline constexpr const char* history_file = "history.jsonl";
inline constexpr const char* ledger_file = "faults.jsonl";
inline constexpr const char* samples_file = "nodes.jsonl";
inline constexpr const char* summary_file = "summary.md";
inline constexpr const char* junit_file = "junit.xml";
inline constexpr const char* report_file = "report.html";
inline constexpr const char* reproduction_file = "reproduction.json";
inline constexpr const char* findings_folder = "findings";

// runs/2026-11-23T02-04-31-etcd-register-partition+kill-s42, made with all parents; never an
// existing one. Only started, cluster, workload, nemeses and seed of `run` are looked at.
[[nodiscard]] Result<std::filesystem::path> create_run_directory(const std::filesystem::path& runs,
                                                                 const RunRecord& run);
// Puts the verdict into the name: ...T02-04-31-FAIL-etcd-..., in place of an earlier one. Returns
// the new path; the old one when the directory was not named by create_run_directory.
[[nodiscard]] Result<std::filesystem::path> name_by_verdict(const std::filesystem::path& directory,
                                                            Verdict verdict);

// Writes run.json and everything rendered from it: summary.md, junit.xml, report.html,
// findings/N/{finding.json,finding.md,finding.html}; findings of an earlier judgement are removed.
// run.json comes first; a rendering that cannot be written is a line in the returned list, not a
// failure. `run` gets its commands: they name the directory as it is given.
[[nodiscard]] Result<std::vector<std::string>> write_results(const std::filesystem::path& directory,
                                                             RunRecord& run);
// The directory as the run's stored commands name it, if that still is the same directory: so that
// pages made again are the same, from wherever they are made. Otherwise as given.
[[nodiscard]] std::filesystem::path name_in_commands(const std::filesystem::path& directory);
[[nodiscard]] Result<RunRecord> read_run(const std::filesystem::path& directory);

}  // namespace ordeal::results
