#pragma once
// Two runs beside each other: what was configured differently, what came out, and whether latencies
// differ by more than chance. Pure but for reading the two directories.

#include <filesystem>
#include <string>

#include "core/json.h"
#include "core/result.h"

namespace ordeal::results {

struct Comparison {
  Json json;          // "schema": 1; everything that is shown
  std::string rates;  // the rates in it as a picture; empty when no history is stored
};

[[nodiscard]] Result<Comparison> compare_runs(const std::filesystem::path& a,
                                              const std::filesystem::path& b);
[[nodiscard]] std::string render_comparison_terminal(const Comparison& comparison);
[[nodiscard]] std::string render_comparison_page(const Comparison& comparison);

// Of two samples: the probability of a difference in rank at least as large if both came from one
// distribution (Mann and Whitney 1947, normal approximation with correction for ties).
[[nodiscard]] double rank_test(std::vector<double> a, std::vector<double> b);

}  // namespace ordeal::results
