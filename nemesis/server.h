#pragma once
// Faults of the server's process: it is killed, stopped, restarted, paused or slowed, and runs as
// before afterwards. Each is one class; what they share is how they name the process.

#include <memory>

#include "nemesis/fault.h"

namespace ordeal::nemesis {

[[nodiscard]] std::unique_ptr<Fault> make_kill();     // SIGKILL, started again when it is undone
[[nodiscard]] std::unique_ptr<Fault> make_stop();     // the gentle way
[[nodiscard]] std::unique_ptr<Fault> make_restart();  // stopped and started at once
[[nodiscard]] std::unique_ptr<Fault> make_pause();    // SIGSTOP, SIGCONT
[[nodiscard]] std::unique_ptr<Fault> make_slow();     // a share of the processor

// Shell: sets $pid, or ends with status 1 and a sentence.
[[nodiscard]] std::string need_server(const Arena& arena, std::size_t node);
// Shell: a line of evidence that the server runs, or status 1.
[[nodiscard]] std::string prove_running(const Arena& arena, std::size_t node);

}  // namespace ordeal::nemesis
