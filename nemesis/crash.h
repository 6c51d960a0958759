#pragma once
// A whole node loses its power, as others see it: nothing of it answers, and no connection is
// closed. First all packets but those of SSH are dropped, both ways, and then the server is killed,
// so that not even its end can be noticed. At the end the network comes back, then the server.
// What the server had not synced survives: losing that is what disk faults are for.

#include <memory>

#include "nemesis/fault.h"

namespace ordeal::nemesis {

[[nodiscard]] std::unique_ptr<Fault> make_crash();

}  // namespace ordeal::nemesis
