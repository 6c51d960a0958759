#include "core/verdict.h"

#include <array>

namespace ordeal {

namespace {

constexpr std::array<std::string_view, 4> verdict_names = {"PASS", "FAIL", "INCONCLUSIVE",
                                                           "BROKEN"};

// How much a verdict weighs when several come together.
int weight(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return 0;
    case Verdict::inconclusive:
      return 1;
    case Verdict::broken:
      return 2;
    case Verdict::fail:
      return 3;
  }
  return 3;
}

}  // namespace

std::string_view to_text(Verdict verdict) {
  return verdict_names.at(static_cast<std::size_t>(verdict));
}

std::optional<Verdict> verdict_named(std::string_view name) {
  for (std::size_t i = 0; i < verdict_names.size(); ++i) {
    if (verdict_names.at(i) == name) return static_cast<Verdict>(i);
  }
  return std::nullopt;
}

int exit_code(Verdict verdict) { return static_cast<int>(verdict); }

Verdict worst(Verdict a, Verdict b) { return weight(a) >= weight(b) ? a : b; }

std::string_view to_text(CheckReport::Answer answer) {
  switch (answer) {
    case CheckReport::Answer::valid:
      return "valid";
    case CheckReport::Answer::invalid:
      return "invalid";
    case CheckReport::Answer::unknown:
      return "unknown";
  }
  return "unknown";
}

}  // namespace ordeal
