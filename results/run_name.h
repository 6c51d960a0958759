#pragma once
// Names of run directories: 2026-11-23T02-04-31[-VERDICT]-etcd-register-partition+kill-s42[-2].
// Everything but the verdict is in lower case, so that a cluster cannot be mistaken for one.

#include <optional>
#include <string>
#include <string_view>

#include "core/run.h"

namespace ordeal::results {

struct RunName {
  std::string moment;              // "2026-11-23T02-04-31"
  std::optional<Verdict> verdict;  // absent while the run goes on
  std::string subject;             // "etcd-register-partition+kill-s42"
  int copy = 1;                    // 2, 3, ... when the rest was taken

  [[nodiscard]] std::string text() const;
};

// Nothing when the run's start is not an ISO 8601 time.
[[nodiscard]] std::optional<RunName> name_of(const RunRecord& run);
// Nothing when it is not such a name.
[[nodiscard]] std::optional<RunName> parse_run_name(std::string_view name);

}  // namespace ordeal::results
