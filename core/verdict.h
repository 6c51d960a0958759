#pragma once
// Verdicts, and what a PASS is worth.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/finding.h"
#include "core/time.h"
#include "core/value.h"

namespace ordeal {

// PASS: nothing wrong was found, and enough was tested to say so. FAIL: a promise was broken, with
// a witness. INCONCLUSIVE: neither can be said, for the stated reasons. BROKEN: the environment or
// Ordeal itself failed.
enum class Verdict { pass, fail, inconclusive, broken };

[[nodiscard]] std::string_view to_text(Verdict verdict);  // "PASS", ...
[[nodiscard]] std::optional<Verdict> verdict_named(std::string_view name);

// The process exit code that a verdict maps to: 0, 1, 2, 3.
[[nodiscard]] int exit_code(Verdict verdict);
inline constexpr int exit_usage = 64;
inline constexpr int exit_interrupted = 130;

// A verdict that is not PASS or FAIL says why and what to do about it.
struct VerdictReason {
  Verdict verdict = Verdict::inconclusive;
  std::string text;    // "the kill fault never took effect", "key 17 was not decided within 60 s"
  std::string advice;  // "give the checker more time: --check-time 5m"; may be empty
};

// The worst of several, FAIL > BROKEN > INCONCLUSIVE > PASS: what was proven stays proven, whatever
// else broke.
[[nodiscard]] Verdict worst(Verdict a, Verdict b);

// What one checker said of a history.
struct CheckReport {
  enum class Answer { valid, invalid, unknown };
  struct Undecided {
    Value key;
    std::string why;  // and what to change
    // Not a limit, but a mistake of Ordeal's own: the checker and its verifier disagree. The run is
    // BROKEN.
    bool is_defect = false;
  };

  std::string checker;  // "linearizable"
  Answer answer = Answer::unknown;
  std::size_t keys = 0;          // in the history
  std::size_t keys_decided = 0;  // valid or invalid
  std::vector<Undecided> undecided;
  std::vector<Finding> findings;
  Nanoseconds took{};
};

[[nodiscard]] std::string_view to_text(CheckReport::Answer answer);

}  // namespace ordeal
