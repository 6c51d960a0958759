#pragma once
// Kills servers with SIGKILL and starts them again when the fault ends.

#include <memory>

#include "nemesis/fault.h"

namespace ordeal::nemesis {

[[nodiscard]] std::unique_ptr<Fault> make_kill();

}  // namespace ordeal::nemesis
