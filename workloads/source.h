#pragma once
// What implementations of generators share; not for their users.

#include <algorithm>
#include <deque>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "workloads/generator.h"

namespace ordeal::workloads {

// A Source whose clone is its copy constructor.
template <class Self>
struct CopiedSource : Generator::Source {
  [[nodiscard]] std::unique_ptr<Source> clone() const final {
    return std::make_unique<Self>(static_cast<const Self&>(*this));
  }
};

template <class Self>
[[nodiscard]] Generator generator_of(Self source) {
  return Generator(std::make_unique<Self>(std::move(source)));
}

// One entry for each worker, made on first use: the number of workers comes with the first context.
template <class T>
class PerWorker {
 public:
  [[nodiscard]] T& of(const Context& context) {
    if (items_.size() < context.workers) items_.resize(context.workers);
    return items_[context.worker];
  }
  [[nodiscard]] std::vector<T>& all() { return items_; }
  void clear() { items_.clear(); }

 private:
  std::vector<T> items_;
};

// Generators one after the other, made when the first worker needs them and dropped when the last
// has passed. What sequence, cycle and per_key are made of.
class Chain {
 public:
  // `supply` makes the next part, or answers nullopt: no more, for this worker.
  template <class Supply>
  [[nodiscard]] Step next(const Context& context, Rng& rng, Supply&& supply) {
    bool moved = false;
    for (;;) {
      const std::size_t at = at_.of(context);
      if (at == ended) return Done{};
      if (at == dropped_ + parts_.size()) {
        std::optional<Generator> part = supply();
        if (!part) {
          move_to(context, ended);
          return Done{};
        }
        parts_.push_back(std::move(*part));
      }
      Step step = parts_[at - dropped_].next(context, rng);
      if (std::holds_alternative<Done>(step)) {
        move_to(context, at + 1);
        moved = true;
        continue;
      }
      if (moved && std::holds_alternative<Wait>(step)) return ask_again(context);
      return step;
    }
  }

  void completed(const Context& context, const Request& request, const Completion& completion) {
    const std::size_t at = at_.of(context);
    if (at != ended) parts_[at - dropped_].completed(context, request, completion);
  }

 private:
  static constexpr std::size_t ended = std::numeric_limits<std::size_t>::max();

  void move_to(const Context& context, std::size_t position) {
    at_.of(context) = position;
    std::size_t first = dropped_ + parts_.size();
    for (const std::size_t at : at_.all()) first = std::min(first, at);
    for (; dropped_ < first; ++dropped_) parts_.pop_front();
  }

  std::deque<Generator> parts_;
  std::size_t dropped_ = 0;  // parts before parts_[0]
  PerWorker<std::size_t> at_;
};

}  // namespace ordeal::workloads
