// Combinators that put generators one after the other.

#include <iterator>

#include "workloads/generator.h"
#include "workloads/source.h"

namespace ordeal::workloads {

namespace {

class Sequence : public CopiedSource<Sequence> {
 public:
  explicit Sequence(std::vector<Generator> parts)
      : parts_(std::make_move_iterator(parts.begin()), std::make_move_iterator(parts.end())) {}

  Step next(const Context& context, Rng& rng) override {
    return chain_.next(context, rng, [this]() -> std::optional<Generator> {
      if (parts_.empty()) return std::nullopt;
      Generator part = std::move(parts_.front());
      parts_.pop_front();
      return part;
    });
  }

  void completed(const Context& context, const Request& request,
                 const Completion& completion) override {
    chain_.completed(context, request, completion);
  }

 private:
  std::deque<Generator> parts_;  // not begun
  Chain chain_;
};

class Cycle : public CopiedSource<Cycle> {
 public:
  explicit Cycle(Generator inner) : inner_(std::move(inner)) {}

  Step next(const Context& context, Rng& rng) override {
    bool supplied = false;
    return chain_.next(context, rng, [&]() -> std::optional<Generator> {
      // Needing two in one ask means that the first, untouched by others, had nothing for this
      // worker.
      if (supplied) return std::nullopt;
      supplied = true;
      return inner_;
    });
  }

  void completed(const Context& context, const Request& request,
                 const Completion& completion) override {
    chain_.completed(context, request, completion);
  }

 private:
  Generator inner_;
  Chain chain_;
};

class Phases : public CopiedSource<Phases> {
 public:
  explicit Phases(std::vector<Generator> parts) : parts_(std::move(parts)) {}

  Step next(const Context& context, Rng& rng) override;

  void completed(const Context& context, const Request& request,
                 const Completion& completion) override {
    parts_[at_].completed(context, request, completion);
  }

 private:
  std::vector<Generator> parts_;
  std::size_t at_ = 0;
  PerWorker<std::uint8_t> arrived_;  // done with parts_[at_]
  std::size_t arrivals_ = 0;
};

// Who has arrived is free and stays so, thus a part that all are done with has nothing under way.
Step Phases::next(const Context& context, Rng& rng) {
  bool changed = false;
  while (at_ < parts_.size()) {
    if (arrived_.of(context) == 0) {
      Step step = parts_[at_].next(context, rng);
      if (!std::holds_alternative<Done>(step)) {
        return changed && std::holds_alternative<Wait>(step) ? ask_again(context) : step;
      }
      arrived_.of(context) = 1;
      ++arrivals_;
      changed = true;
    }
    if (arrivals_ < context.workers) return changed ? ask_again(context) : Wait{};
    ++at_;
    arrived_.clear();
    arrivals_ = 0;
    changed = true;
  }
  return Done{};
}

}  // namespace

Generator sequence(std::vector<Generator> parts) {
  return generator_of(Sequence(std::move(parts)));
}

Generator cycle(Generator inner) { return generator_of(Cycle(std::move(inner))); }

Generator phases(std::vector<Generator> parts) { return generator_of(Phases(std::move(parts))); }

}  // namespace ordeal::workloads
