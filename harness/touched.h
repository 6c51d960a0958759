#pragma once
// Remembers the keys that a generator hands out, in the order of their first use: what the final
// reads look at.

#include <memory>
#include <unordered_set>
#include <vector>

#include "workloads/generator.h"

namespace ordeal::harness {

struct TouchedKeys {
  std::vector<Value> keys;
  std::unordered_set<Value, ValueHash> seen;
};

// `touched` is written while the generator is asked (under the lock of the workers) and may be read
// afterwards.
[[nodiscard]] workloads::Generator remember_keys(workloads::Generator inner,
                                                 std::shared_ptr<TouchedKeys> touched);

}  // namespace ordeal::harness
