#pragma once
// runs/index.jsonl: one line a run, appended when it was judged; what lists and trends need to know
// of a run without opening its directory. Several processes may append to one index at once.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/result.h"
#include "core/run.h"

namespace ordeal::results {

// Relative to the folder of all runs.
inline constexpr const char* index_file = "index.jsonl";

struct IndexEntry {
  std::string name;
  Verdict verdict = Verdict::broken;
  std::string started;
  std::string cluster, version, workload;
  std::vector<std::string> nemeses;
  std::map<std::string, std::string> options;  // as in RunRecord
  std::uint64_t seed = 0;
  std::size_t operations = 0;
  std::string headline;                 // of the first finding, or the first reason; empty for PASS
  std::vector<std::string> signatures;  // of the findings, each once
  std::size_t faults_planned = 0, faults_took_effect = 0;
  Nanoseconds duration{};
  bool canary = false;  // it had to end FAIL
  friend bool operator==(const IndexEntry&, const IndexEntry&) = default;
};

[[nodiscard]] IndexEntry entry_of(const RunRecord& run);
[[nodiscard]] Json to_json(const IndexEntry& entry);

// Appends the run's line. Judging a run again appends another one, which then counts.
[[nodiscard]] Result<void> append_index(const std::filesystem::path& runs, const RunRecord& run);

// An index as far as it was read: reading again costs what was appended since.
class RunIndex {
 public:
  // Reads what is new; all of it when the file was replaced. No index at all is an empty one.
  [[nodiscard]] Result<void> read(const std::filesystem::path& runs);
  // One entry a run, in the order of their first lines; the last line of a run counts, whatever its
  // verdict says in the name. Damaged lines are skipped.
  [[nodiscard]] const std::vector<IndexEntry>& entries() const { return entries_; }

 private:
  void take(const std::string& line);

  std::vector<IndexEntry> entries_;
  std::map<std::string, std::size_t> positions_;  // by the name without its verdict
  std::uint64_t inode_ = 0;
  std::uint64_t consumed_ = 0;  // bytes
};

[[nodiscard]] Result<std::vector<IndexEntry>> read_index(const std::filesystem::path& runs);

// Fills in Finding::seen_before: from runs that started before this one, of the same workload on
// the same system; a canary is compared with canaries. An index that cannot be read leaves it
// absent.
void tell_seen_before(RunRecord& run, const std::filesystem::path& runs);

}  // namespace ordeal::results
