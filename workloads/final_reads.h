#pragma once
// The end of a run: each of the first workers reads every key that was touched, or an even spread
// of 500 of them, so that a key is read through every node they are pinned to. They begin at
// different keys: a node that answers slowly holds up no key.

#include "workloads/generator.h"

namespace ordeal::workloads {

[[nodiscard]] Generator final_reads(Function function, const std::vector<Value>& touched);

}  // namespace ordeal::workloads
