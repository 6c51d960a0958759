#include "harness/version.h"

#include <fmt/core.h>

#include "harness/commit.generated.h"  // written at every build

namespace ordeal::harness {

std::string version() { return fmt::format("{} ({})", ORDEAL_VERSION, ORDEAL_COMMIT); }

std::string long_version() { return fmt::format("ordeal {}, built by {}", version(), __VERSION__); }

}  // namespace ordeal::harness
