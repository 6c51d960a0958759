#pragma once
// What every checker is given beside the history.

#include <cstddef>
#include <cstdint>

#include "core/time.h"

namespace ordeal::checkers {

// What a compare-and-set that answered "the value differed" is worth. Jepsen and Knossos take it
// for an operation that did not happen; Porcupine's etcd model takes it for evidence that the
// register held another value at some time while it ran.
enum class FailedCas : std::uint8_t { ignored, evidence };

struct CheckOptions {
  Deadline deadline = Deadline::after(60s);         // then: unknown, with what was decided
  std::size_t memory_limit = std::size_t{4} << 30;  // bytes for the search; then: unknown likewise
  std::size_t threads = 1;
  FailedCas failed_cas = FailedCas::ignored;
};

}  // namespace ordeal::checkers
