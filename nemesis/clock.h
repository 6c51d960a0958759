#pragma once
// Faults of time for one server process, by patching its vDSO (node/vdso.h). The clocks of the host
// and of all other processes are never touched.
//
// Parameters: `shape` is
//   "jump"       CLOCK_REALTIME off by `offset_ms`, forward or back
//   "strobe"     the same, on and off every `period_ms`
//   "drift"      both clocks run fast or slow by `ppm`
//   "monotonic"  CLOCK_MONOTONIC ahead by `offset_ms`, as if the process had slept
// A process whose monotonic clock ran ahead cannot be brought back, as that clock must not step
// back: the last two end with a restart of the server.

#include <memory>

#include "nemesis/fault.h"

namespace ordeal::nemesis {

[[nodiscard]] std::unique_ptr<Fault> make_clock();

}  // namespace ordeal::nemesis
