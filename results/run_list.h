#pragma once
// What /api/runs.json says: the index of the finished runs, newest first, and the runs that go on.
// Read again only when the files changed.

#include <filesystem>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "results/index.h"

namespace ordeal::results {

class RunList {
 public:
  explicit RunList(std::filesystem::path runs) : runs_(std::move(runs)) {}
  // Any thread.
  [[nodiscard]] Result<std::string> json();

 private:
  const std::filesystem::path runs_;
  std::mutex mutex_;
  RunIndex index_;
  // The index as it was told last, entry by entry: an entry that did not change is not told anew.
  std::vector<std::pair<IndexEntry, std::string>> told_;
  std::string stamp_;  // of what json_ was made from
  std::string json_;
};

}  // namespace ordeal::results
