#pragma once
// A program run as a filter: text in, text out, within a time and a size, found on the PATH. It is
// ended, and waited for, when it takes longer. Blocks; any thread.

#include <cstddef>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/time.h"

namespace ordeal::results {

// Its standard output. An Error when it is not there, fails, or exceeds a limit.
[[nodiscard]] Result<std::string> run_child(const std::vector<std::string>& command,
                                            const std::string& input, Nanoseconds within,
                                            std::size_t output_limit);

}  // namespace ordeal::results
