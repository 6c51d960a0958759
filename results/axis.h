#pragma once
// The time axis of a text timeline: which column shows which moment. Between neighbouring marks
// time runs to scale, except in folds, which stand for a long stretch without marks.

#include <cstddef>
#include <string>
#include <vector>

#include "core/time.h"

namespace ordeal::results {

class Axis {
 public:
  // `marks` are the moments at which something begins or ends, in any order.
  explicit Axis(std::vector<Nanoseconds> marks);

  // The column of a moment; those before the first mark and after the last one are at the edges.
  [[nodiscard]] std::size_t column(Nanoseconds at) const;
  [[nodiscard]] std::size_t width() const { return columns_.back() + 1; }
  [[nodiscard]] bool has_folds() const;
  // A line of marks, with the length of each fold written into it.
  [[nodiscard]] std::string ruler() const;

 private:
  struct Fold {
    bool folded = false;
    std::string label;
  };
  void choose_folds();
  [[nodiscard]] double length(std::size_t segment) const;

  std::vector<Nanoseconds> marks_;    // ascending, different
  std::vector<Fold> folds_;           // of the segment after each mark but the last
  std::vector<std::size_t> columns_;  // of each mark, ascending
};

}  // namespace ordeal::results
