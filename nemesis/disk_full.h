#pragma once
// The file system below a server's data is filled to the last byte by a file without a name, which
// goes, with what it took, when the process that holds it does (node/fill.cc). Only a file system
// that is not the machine's as well is filled: never that of /, /var, /tmp and the like. No
// parameters. Lab nodes have one for all: there a disk fault with shape=enospc does the same.

#include <memory>

#include "nemesis/fault.h"

namespace ordeal::nemesis {

[[nodiscard]] std::unique_ptr<Fault> make_disk_full();

}  // namespace ordeal::nemesis
