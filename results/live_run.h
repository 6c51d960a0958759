#pragma once
// What /api/live/NAME.json says of a run that goes on, or that was killed: from the files that it
// writes, of the history the tail only. Reads a few hundred kilobytes; any thread.

#include <filesystem>
#include <string>

#include "core/result.h"

namespace ordeal::results {

// {"name", "phase", "plan": {"cluster", "workload", "nemeses", "seed", "time_s"}, "main_s",
//  "at_s", "idle_s", "events", "rates": {"ok", "fail", "info"}, "over_s",
//  "nodes": [NodeSample], "faults_on": [{"fault", "kind", "hit", "since_s"}], "faults_planned",
//  "faults_done", "lately": [{"at_s", "what", "text"}]}. Times are on the run's clock; `idle_s` is
// how long nothing was written.
[[nodiscard]] Result<std::string> live_json(const std::filesystem::path& directory);

}  // namespace ordeal::results
