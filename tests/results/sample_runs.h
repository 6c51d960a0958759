#pragma once
// Runs as they end, made by hand: what the golden files are rendered from.

#include "core/run.h"

namespace ordeal::results {

[[nodiscard]] RunRecord passed_run();
[[nodiscard]] RunRecord failed_run();  // three operations, a healed partition, a change of leader
[[nodiscard]] RunRecord
stale_run();  // another shape: an operation that was never answered, a fault still on
[[nodiscard]] RunRecord inconclusive_run();
[[nodiscard]] RunRecord broken_run();
[[nodiscard]] RunRecord interrupted_run();

}  // namespace ordeal::results
