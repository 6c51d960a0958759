#pragma once
// The layer of a lab that lies between the host's system directories and what a node writes:
// accounts without passwords, names of the nodes, the SSH server's files, and whiteouts over what
// the host does not show to everybody. For the supervisor; failures end it, by must().

#include <string>

#include "clusters/lab/ground.h"

namespace ordeal::clusters::lab {

// Writes BASE/layer/DIRECTORY. The host's directory must be reachable by its path.
void write_layer(const LabSpec& spec, const std::string& base, const SystemDirectory& directory);

}  // namespace ordeal::clusters::lab
