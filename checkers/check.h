#pragma once
// What every checker is given beside the history.

#include <cstddef>

#include "core/time.h"

namespace ordeal::checkers {

struct CheckOptions {
  Deadline deadline = Deadline::after(60s);         // then: unknown, with what was decided
  std::size_t memory_limit = std::size_t{4} << 30;  // bytes for the search; then: unknown likewise
  std::size_t threads = 1;
};

}  // namespace ordeal::checkers
