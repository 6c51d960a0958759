#pragma once
// Faults of servers by control groups: they stand still, run out of memory, or wait for their disk.

#include <memory>

#include "nemesis/fault.h"

namespace ordeal::nemesis {

// Every process of the server stands still, children and whatever else it started included, and
// nobody is told: no signal, no state that its parent or it could see. To peers and clients the
// node hangs: the kernel accepts connections, and nothing answers. What is not the server goes on:
// sshd, the guard, other services of the machine.
[[nodiscard]] std::unique_ptr<Fault> make_freeze();
// The server may take `kbytes` more memory than it has (none); then the kernel kills it. It is
// started again at the end.
[[nodiscard]] std::unique_ptr<Fault> make_memory();
// The server may read and write `kbytes` a second each (256) on the disk of its data.
[[nodiscard]] std::unique_ptr<Fault> make_io();

}  // namespace ordeal::nemesis
