#pragma once
// Faults written down by hand, one a line:
//
//   at 10s partition leader for 8s                    # a partition's targets are its shape
//   after 2s kill followers for 5s                    # 2 s after the one above has ended
//   at 30s disk n1,n2,n3 for 10s shape=lying-fsync
//   at 0s pause one for 4s mode=flapping period_ms=300 when="log became leader"
//
// Text behind # is a comment. Parameters are those of docs/faults.md; whole numbers are numbers.

#include <string>
#include <string_view>
#include <vector>

#include "core/fault.h"
#include "core/random.h"
#include "core/result.h"

namespace ordeal::nemesis {

// In the order of the lines; what is left to chance is drawn from `rng`. Errors name file and line.
[[nodiscard]] Result<std::vector<FaultSpec>> parse_script(std::string_view text,
                                                          const std::string& file, const Rng& rng);

}  // namespace ordeal::nemesis
