#pragma once
// The clock of a whole machine, set wrong and right again. Only by name, and only where the node
// has a clock of its own: refused on the machine that Ordeal runs on, on all that share its kernel
// (labs, containers), and in any other container. Services that set the clock are stopped before,
// and started again at the end. What sets it right counts since boot, so that it needs no Internet.
//
// Parameters: `shape` is
//   "jump"    off by `offset_ms`, forward or back
//   "strobe"  the same, on and off every `period_ms`
//   "drift"   runs fast or slow by `ppm`, at most a tenth

#include <memory>

#include "nemesis/fault.h"

namespace ordeal::nemesis {

[[nodiscard]] std::unique_ptr<Fault> make_host_clock();

}  // namespace ordeal::nemesis
