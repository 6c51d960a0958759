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

// What they share; `act` fills in the commands for one node.
class ServerFault : public Fault {
 public:
  [[nodiscard]] Touches touches() const override { return Touches::server; }
  [[nodiscard]] bool can_flap() const override { return true; }
  [[nodiscard]] bool can_roll() const override { return true; }
  // A cluster that is deployed is a server that can be harmed.
  [[nodiscard]] std::string probe(const Arena&, std::size_t) const override { return "true"; }
  // Deploying a cluster brings its servers to a known state.
  [[nodiscard]] std::string sweep(const std::string&) const override { return "true"; }
  [[nodiscard]] FaultSpec draw(Rng& rng, std::size_t nodes) const override;
  [[nodiscard]] Result<Injection> plan(const FaultSpec& spec, const Arena& arena) const override;

 protected:
  virtual Result<void> act(const FaultSpec& spec, const Arena& arena, NodeAction& action) const = 0;
};

// Shell: sets $pid, or ends with status 1 and a sentence.
[[nodiscard]] std::string need_server(const Arena& arena, std::size_t node);
// Shell: a line of evidence that the server runs, or status 1.
[[nodiscard]] std::string prove_running(const Arena& arena, std::size_t node);
// Shell: a line of evidence that the server does not run, or status 1.
[[nodiscard]] std::string prove_gone(const Arena& arena, std::size_t node);
// Shell: a line of evidence that it is not stopped, or status 1; it may have ended meanwhile.
[[nodiscard]] std::string prove_going(const Arena& arena, std::size_t node);

}  // namespace ordeal::nemesis
