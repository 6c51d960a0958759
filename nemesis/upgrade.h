#pragma once
// Servers go on with another version of the program, on the same data, and come back to the first
// one at the end: a rolling upgrade that is taken back. The user gives the other version; without
// one, the kind is refused.

#include <memory>

#include "nemesis/fault.h"

namespace ordeal::nemesis {

[[nodiscard]] std::unique_ptr<Fault> make_upgrade();

}  // namespace ordeal::nemesis
