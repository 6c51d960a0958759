#pragma once
// What a custom workload may be judged by: which functions the checker reads, and how a key is read
// to the end of a run.

#include <string_view>
#include <vector>

#include "checkers/check.h"
#include "core/history.h"
#include "core/verdict.h"

namespace ordeal::workloads {

struct Judge {
  std::string_view name;
  std::string_view summary;
  std::vector<Function> takes;  // the last one reads at the end of the run
  bool drains;                  // that one takes out, and is asked until nothing is left
  CheckReport (*check)(const History& history, const checkers::CheckOptions& options);
};

[[nodiscard]] const std::vector<Judge>& judges();
[[nodiscard]] const Judge* judge_named(std::string_view name);

}  // namespace ordeal::workloads
