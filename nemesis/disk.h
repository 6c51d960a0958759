#pragma once
// Faults of the disk below a server's data: for the time of the fault its data folder has a file
// system of ours over it (node/disk.cc). The server is stopped and started again when it comes;
// when it goes, the server is killed, which is when power is cut, and started on the folder as it
// is then.
//
// Parameters: `shape` is
//   "power-cut"        what was not synced is lost at the end
//   "torn"             of that, some writes survive, some of them in part
//   "lying-fsync"      fsync says yes and does nothing; all is lost at the end
//   "eio"              `call` (fsync, write, read) fails for `percent` of the calls
//   "enospc"           nothing more can be written
//   "slow-fsync"       each fsync takes `delay_ms` longer
//   "read-corruption"  bits are wrong in `percent` of the blocks that are read
//   "misdirected-write" `percent` of the writes arrive in a wrong place of their file
// Lying, corruption and misdirection break what servers build on: nothing draws them, plans may ask
// for them. What was misdirected is in its right place when the file system of ours is gone.

#include <memory>

#include "nemesis/fault.h"

namespace ordeal::nemesis {

[[nodiscard]] std::unique_ptr<Fault> make_disk();

}  // namespace ordeal::nemesis
