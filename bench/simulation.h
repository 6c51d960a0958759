#pragma once
// Histories for benchmarks: registers under concurrent clients that tell the truth, or almost.
// The same load and seed give the same history. Pure.

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/history.h"

namespace ordeal::bench {

struct Load {
  std::string name;
  std::size_t operations = 1000;
  int keys = 1;
  std::size_t clients = 10;
  int values = 0;              // 0: each written once
  double unknown = 0;          // share of operations whose answer was lost
  bool has_cas = true;         // a fifth of the operations, expecting what the register holds
  bool has_stale = false;      // one read in the middle answers what was replaced long before
  bool has_revisions = false;  // answers tell how many changes there were
};

[[nodiscard]] History simulate(const Load& load, std::uint64_t seed);

}  // namespace ordeal::bench
