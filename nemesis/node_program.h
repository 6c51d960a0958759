#pragma once
// The static program for nodes (nemesis/node), as it was built into this binary.

#include <string_view>

namespace ordeal::nemesis {

[[nodiscard]] std::string_view node_program();

}  // namespace ordeal::nemesis
