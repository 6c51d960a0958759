#pragma once
// "0.1.0 (a1b2c3d)": version and commit of this build.

#include <string>

namespace ordeal::harness {

[[nodiscard]] std::string version();
// For --version: also the compiler.
[[nodiscard]] std::string long_version();

}  // namespace ordeal::harness
