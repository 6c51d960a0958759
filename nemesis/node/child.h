#pragma once
// Runs one shell command as a bounded child of the node program: in a session of its own, with the
// signals and the OOM score that the node program itself was started with, killed with its whole
// process group at the time-out. What it leaves running in sessions of their own (a restarted
// server) lives on.

#include <string>

namespace ordeal::node {

// Milliseconds of a clock that also counts while the machine sleeps.
[[nodiscard]] long long now_ms();

struct ChildResult {
  int status = 0;  // exit status; 128 + signal number; 124 when it was killed at the time-out
  std::string last_line;  // of its output, both streams
};

[[nodiscard]] ChildResult run_shell(const std::string& command, long long timeout_ms);

// Lowers this process' OOM score as far as it may; children get the old one back.
void shield_from_oom();

}  // namespace ordeal::node
