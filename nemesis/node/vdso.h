#pragma once
// The clock of one running process: its vDSO is patched to jump into a page of ours (clock_stub.h).
// The host's clock, and all other processes, are never touched. All threads are stopped with ptrace
// for the patch alone, later changes write a few words. The original bytes are kept in the page, so
// that any later call, of any process, can put them back. What avoids the vDSO (direct system
// calls) sees the truth.

#include <string>

#include <sys/types.h>

#include "nemesis/node/clock_stub.h"

namespace ordeal::node {

class SkewedClock {
 public:
  // Empty trouble means that the process now has our page, whether it was there before or not.
  explicit SkewedClock(pid_t pid) : pid_(pid) {}

  // False with a sentence. Idempotent.
  [[nodiscard]] bool patch(std::string& trouble);
  // Takes effect at once, without a stop. `lies` and `original` are left as they are.
  [[nodiscard]] bool set(const ClockParameters& parameters);
  [[nodiscard]] bool get(ClockParameters& parameters);
  // The original bytes are back; the page stays, 4 KB that nothing leads to any more, as a thread
  // may still be on its way out of it. True when the process is gone.
  [[nodiscard]] bool restore(std::string& trouble);

  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
  std::uint64_t page_ = 0;
};

}  // namespace ordeal::node
