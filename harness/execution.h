#pragma once
// What the harness itself knows of a run and the history does not: which phases were reached, what
// broke, what was collected. execution.json, rewritten at every step, so that after a SIGKILL the
// run can still be judged.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/run.h"
#include "harness/liveness.h"

namespace ordeal::harness {

inline constexpr const char* execution_file = "execution.json";
inline constexpr const char* inventory_file = "inventory.json";

// In the order of a run; `done` after teardown.
enum class Phase { prepare, deploy, start, main, heal, recover, final, collect, check, done };
[[nodiscard]] std::string_view name_of(Phase phase);

struct Execution {
  Phase phase = Phase::prepare;  // reached
  std::string started;           // ISO 8601
  std::string version;           // of the tested system
  std::vector<std::string>
      definite_errors;  // the rules by which an answer counted as `fail`, for the report
  std::optional<Nanoseconds> main_began, main_ended;
  std::optional<Phase> interrupted_in;  // the phase that a signal cut short
  std::vector<VerdictReason> troubles;  // what broke or was cut, in order
  Health health;
  std::int64_t wall_origin_ns = 0;  // of the run's clock, since 1970; 0: not known
  std::string promise_source;       // where the system documents what it promises
  std::string kernel;
  std::vector<ClockOffset> clocks;
  std::vector<Replica> replicas;  // at the end, at rest
  Liveness liveness;              // after healing
};

[[nodiscard]] Json to_json(const Execution& execution);
[[nodiscard]] Result<Execution> execution_from_json(const Json& json);

}  // namespace ordeal::harness
