#include "core/finding.h"

#include <array>

namespace ordeal {

namespace {

constexpr std::array<std::string_view, 15> kind_names = {
    "stale-read",   "lost-write", "phantom-read", "lost-update", "nonlinearizable",
    "lost-element", "duplicate",  "out-of-order", "two-holders", "stale-token",
    "money",        "half-done",  "both-ways",    "divergence",  "no-recovery"};

}  // namespace

std::string_view to_text(Certainty certainty) {
  return certainty == Certainty::proven ? "proven" : "suspected";
}

std::string_view to_text(FindingKind kind) { return kind_names.at(static_cast<std::size_t>(kind)); }

std::optional<FindingKind> finding_kind_named(std::string_view name) {
  for (std::size_t i = 0; i < kind_names.size(); ++i) {
    if (kind_names.at(i) == name) return static_cast<FindingKind>(i);
  }
  return std::nullopt;
}

}  // namespace ordeal
