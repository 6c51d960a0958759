#include "results/axis.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "results/text.h"

namespace ordeal::results {

namespace {

constexpr std::size_t target_width = 64;
constexpr std::size_t most_folds = 4;
// The narrowest segment: two marks and something between them.
constexpr std::size_t least_columns = 2;

}  // namespace

Axis::Axis(std::vector<Nanoseconds> marks) : marks_(std::move(marks)) {
  if (marks_.empty()) marks_.emplace_back(0);
  std::sort(marks_.begin(), marks_.end());
  marks_.erase(std::unique(marks_.begin(), marks_.end()), marks_.end());
  folds_.resize(marks_.size() - 1);
  choose_folds();
  std::size_t folded_width = 0;
  double drawn = 0;
  for (std::size_t i = 0; i < folds_.size(); ++i) {
    if (folds_[i].folded) {
      folded_width += columns(folds_[i].label) + 1;
    } else {
      drawn += length(i);
    }
  }
  const std::size_t room = target_width > folded_width + 8 ? target_width - folded_width : 8;
  columns_.push_back(0);
  for (std::size_t i = 0; i < folds_.size(); ++i) {
    const double share = folds_[i].folded ? 0 : length(i) / drawn * static_cast<double>(room);
    const std::size_t wide =
        folds_[i].folded ? columns(folds_[i].label) + 1
                         : std::max(least_columns, static_cast<std::size_t>(std::lround(share)));
    columns_.push_back(columns_.back() + wide);
  }
}

double Axis::length(std::size_t segment) const {
  return static_cast<double>((marks_[segment + 1] - marks_[segment]).count());
}

// Folds the longest segments, one after the other, until the shortest of the others is wide enough
// to be seen.
void Axis::choose_folds() {
  std::vector<std::size_t> longest_first;
  for (std::size_t i = 0; i < folds_.size(); ++i) longest_first.push_back(i);
  std::stable_sort(longest_first.begin(), longest_first.end(),
                   [&](std::size_t a, std::size_t b) { return length(a) > length(b); });
  double drawn = 0;
  for (const std::size_t i : longest_first) drawn += length(i);
  for (std::size_t k = 0; k < std::min(most_folds, folds_.size()); ++k) {
    const std::size_t longest = longest_first[k];
    const double shortest = length(longest_first.back());
    const bool visible = shortest * static_cast<double>(target_width) >= drawn * least_columns;
    if (visible || length(longest) < 3 * shortest) return;
    drawn -= length(longest);
    folds_[longest] = {true,
                       fmt::format("⋯ {} ⋯", duration_text(marks_[longest + 1] - marks_[longest]))};
  }
}

std::size_t Axis::column(Nanoseconds at) const {
  if (at <= marks_.front()) return 0;
  if (at >= marks_.back()) return columns_.back();
  const auto after = std::upper_bound(marks_.begin(), marks_.end(), at);
  const auto i = static_cast<std::size_t>(after - marks_.begin()) - 1;
  const double share = static_cast<double>((at - marks_[i]).count()) / length(i);
  return columns_[i] +
         static_cast<std::size_t>(share * static_cast<double>(columns_[i + 1] - columns_[i]));
}

bool Axis::has_folds() const {
  return std::any_of(folds_.begin(), folds_.end(), [](const Fold& fold) { return fold.folded; });
}

std::string Axis::ruler() const {
  std::string line = "┬";
  for (std::size_t i = 0; i < folds_.size(); ++i) {
    const std::size_t inner = columns_[i + 1] - columns_[i] - 1;
    if (folds_[i].folded) {
      line += folds_[i].label;
    } else {
      for (std::size_t c = 0; c < inner; ++c) line += "─";
    }
    line += "┬";
  }
  return line;
}

}  // namespace ordeal::results
