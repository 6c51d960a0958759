#pragma once
// The plug-in border of workloads: what clients do, which functions they need, and which checkers
// judge.

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "checkers/check.h"
#include "core/history.h"
#include "core/result.h"
#include "core/verdict.h"
#include "workloads/generator.h"

namespace ordeal::workloads {

struct WorkloadOptions {
  std::size_t clients = 10;
  double rate = 0;        // requests a second over all clients; 0: as fast as they answer
  std::size_t keys = 0;   // in total; 0: as many as time allows
  std::size_t group = 5;  // clients that work on one key together
  std::size_t operations_per_key = 300;
  double read_share = 0.5, write_share = 0.25;  // the rest is cas
  // A workload of the user's: its TOML, and where that was read from.
  std::string definition;
  std::filesystem::path definition_file;
};

class Workload {
 public:
  virtual ~Workload() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] virtual std::vector<Function> needs() const = 0;
  // For the main phase; endless, the harness limits its time.
  [[nodiscard]] virtual Generator main(Rng rng) const = 0;
  // After healing and recovery: reads that tell lost from stale. `touched` are the keys that the
  // history names.
  [[nodiscard]] virtual Generator final(const std::vector<Value>& touched) const = 0;
  [[nodiscard]] virtual std::vector<CheckReport> check(
      const History& history, const checkers::CheckOptions& options) const = 0;
};

struct WorkloadKind {
  std::string_view name;
  std::string_view summary;
  std::unique_ptr<Workload> (*make)(const WorkloadOptions& options);
};

// The list of workloads that Ordeal comes with: one line each.
[[nodiscard]] const std::vector<WorkloadKind>& workload_kinds();

// That of the options' definition when they have one, else the named one; an Error says what there
// is, or what of the TOML to mend.
[[nodiscard]] Result<std::unique_ptr<Workload>> make_workload(std::string_view name,
                                                              const WorkloadOptions& options);

}  // namespace ordeal::workloads
