#pragma once
// Damage at rest: the server is killed, files below its data folder are damaged (node/damage.cc),
// and it is started on them. At the end it is killed once more, every byte of ours that still
// stands is put back to what it was, and it is started again. What the server has written since, in
// answer to the damage, is its own and stays: no undo loses what it may have promised.
//
// Parameters: `shape` is
//   "flips"     a bit is wrong in `percent` of the blocks of 4 KiB
//   "truncate"  files end earlier, by `percent` of what they hold
//   "copy"      a chunk of a file stands in the place of another one
//   "rollback"  blocks are again what they were `age_ms` before
// and `files` a text that the path of a file (below the data folder) must hold to be damaged.
//
// Drawn are only flips in every block of every file, on a minority: a server that has any checksum
// notices, and refuses to serve. One that loses the end of its log without noticing breaks the
// promise of most systems even on a single node, so the other shapes are for scripts.

#include <memory>

#include "nemesis/fault.h"

namespace ordeal::nemesis {

[[nodiscard]] std::unique_ptr<Fault> make_corrupt();

}  // namespace ordeal::nemesis
