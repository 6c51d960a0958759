#pragma once
// One run: a plan carried out on nodes, judged and stored.
//
// There is one way out, taken on success, error and interruption alike: undo the faults, collect,
// judge what was recorded, report what was cut. Every step has a deadline. Trouble is never thrown
// away: it becomes a reason in the verdict.

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "clusters/remote.h"
#include "core/run.h"
#include "harness/controls.h"
#include "harness/live.h"
#include "harness/plan.h"

namespace ordeal::harness {

struct RunRequest {
  Plan plan;
  clusters::Inventory inventory;  // of the nodes, whose network has been entered
  clusters::Credentials credentials;
  std::filesystem::path runs = "runs";
  Progress progress = Progress::automatic;
  // The main phase ends with the first operation that breaks a register's promise, instead of with
  // its time. Keys whose written values repeat are not watched.
  bool until_failure = false;
  Controls* controls = nullptr;  // what the user asks for meanwhile; null: nobody does
};

struct RunEnd {
  RunRecord record;
  std::filesystem::path directory;
  std::vector<std::string> notes;  // what of the report could not be written
};

// An Error only when not even a run directory could be made; everything later is in the record.
// Blocks; `stop` asks for the way out.
[[nodiscard]] Result<RunEnd> run(const RunRequest& request, std::stop_token stop);

}  // namespace ordeal::harness
