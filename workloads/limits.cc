// Combinators that pass on the requests of others: fewer, later, or of several by weight.

#include <algorithm>
#include <cmath>

#include "workloads/generator.h"
#include "workloads/source.h"

namespace ordeal::workloads {

namespace {

class Limit : public CopiedSource<Limit> {
 public:
  Limit(std::size_t requests, Generator inner) : left_(requests), inner_(std::move(inner)) {}

  Step next(const Context& context, Rng& rng) override {
    if (left_ == 0) return Done{};
    Step step = inner_.next(context, rng);
    if (std::holds_alternative<Next>(step)) --left_;
    return step;
  }

  void completed(const Context& context, const Request& request,
                 const Completion& completion) override {
    inner_.completed(context, request, completion);
  }

 private:
  std::size_t left_;
  Generator inner_;
};

class TimeLimit : public CopiedSource<TimeLimit> {
 public:
  TimeLimit(Nanoseconds limit, Generator inner) : limit_(limit), inner_(std::move(inner)) {}

  Step next(const Context& context, Rng& rng) override {
    if (!end_) end_ = context.now + limit_;
    std::uint8_t& done = done_.of(context);
    if (done != 0 || context.now >= *end_) return Done{};
    Step step = inner_.next(context, rng);
    if (auto* wait = std::get_if<Wait>(&step)) {
      wait->until = std::min(wait->until.value_or(*end_), *end_);
      return step;
    }
    const auto* next = std::get_if<Next>(&step);
    if (next != nullptr && next->due >= *end_) step = Done{};
    done = std::holds_alternative<Done>(step) ? 1 : 0;
    return step;
  }

  void completed(const Context& context, const Request& request,
                 const Completion& completion) override {
    inner_.completed(context, request, completion);
  }

 private:
  Nanoseconds limit_;
  Generator inner_;
  std::optional<Nanoseconds> end_;
  PerWorker<std::uint8_t> done_;  // what was due too late is not asked for again
};

class Rate : public CopiedSource<Rate> {
 public:
  Rate(double per_second, Generator inner)
      : twice_the_mean_(std::llround(2e9 / per_second)), inner_(std::move(inner)) {}

  Step next(const Context& context, Rng& rng) override {
    Step step = inner_.next(context, rng);
    if (auto* next = std::get_if<Next>(&step)) {
      const Nanoseconds slot = std::max(slot_, context.now);
      next->due = std::max(next->due, slot);
      slot_ = slot + rng.between(Nanoseconds::zero(), twice_the_mean_);
    }
    return step;
  }

  void completed(const Context& context, const Request& request,
                 const Completion& completion) override {
    inner_.completed(context, request, completion);
  }

 private:
  Nanoseconds twice_the_mean_;
  Generator inner_;
  Nanoseconds slot_{};
};

class UntilOk : public CopiedSource<UntilOk> {
 public:
  explicit UntilOk(Generator inner) : inner_(std::move(inner)) {}

  Step next(const Context& context, Rng& rng) override {
    if (ok_) return Done{};
    return inner_.next(context, rng);
  }

  void completed(const Context& context, const Request& request,
                 const Completion& completion) override {
    ok_ = ok_ || completion.outcome == Outcome::ok;
    inner_.completed(context, request, completion);
  }

 private:
  Generator inner_;
  bool ok_ = false;
};

class Mix : public CopiedSource<Mix> {
 public:
  explicit Mix(std::vector<Weighted> choices) : choices_(std::move(choices)) {}

  Step next(const Context& context, Rng& rng) override;

  void completed(const Context& context, const Request& request,
                 const Completion& completion) override {
    choices_[state_.of(context).given_by].generator.completed(context, request, completion);
  }

 private:
  struct PerWorkerState {
    std::vector<std::uint8_t> done;  // by choice
    std::size_t given_by = 0;        // the choice that the last request came from
  };

  std::vector<Weighted> choices_;
  PerWorker<PerWorkerState> state_;
};

// One of those not ruled out, by weight; nullopt when all are.
std::optional<std::size_t> draw(const std::vector<Weighted>& choices,
                                const std::vector<std::uint8_t>& ruled_out, Rng& rng) {
  double total = 0;
  std::optional<std::size_t> last;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (ruled_out[i] != 0) continue;
    total += choices[i].weight;
    last = i;
  }
  double point = static_cast<double>(rng.next() >> 11U) * 0x1p-53 * total;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (ruled_out[i] != 0) continue;
    if (point < choices[i].weight) return i;
    point -= choices[i].weight;
  }
  return last;  // rounding ate the last bit
}

// A choice that waits is passed over in favour of one that does not.
Step Mix::next(const Context& context, Rng& rng) {
  PerWorkerState& state = state_.of(context);
  state.done.resize(choices_.size());
  std::vector<std::uint8_t> ruled_out = state.done;
  std::optional<Wait> wait;
  bool one_ended = false;
  while (const auto choice = draw(choices_, ruled_out, rng)) {
    Step step = choices_[*choice].generator.next(context, rng);
    if (std::holds_alternative<Next>(step)) {
      state.given_by = *choice;
      return step;
    }
    ruled_out[*choice] = 1;
    if (const auto* later = std::get_if<Wait>(&step)) {
      if (!wait) wait = *later;
      if (later->until) wait->until = std::min(wait->until.value_or(*later->until), *later->until);
    } else {
      state.done[*choice] = 1;
      one_ended = true;
    }
  }
  if (!wait) return Done{};
  return one_ended ? ask_again(context) : *wait;
}

}  // namespace

Generator limit(std::size_t requests, Generator inner) {
  return generator_of(Limit(requests, std::move(inner)));
}

Generator time_limit(Nanoseconds limit, Generator inner) {
  return generator_of(TimeLimit(limit, std::move(inner)));
}

Generator rate(double per_second, Generator inner) {
  ORDEAL_CHECK(per_second >= 1e-6 && std::isfinite(per_second), "a rate is a number above zero");
  return generator_of(Rate(per_second, std::move(inner)));
}

Generator until_ok(Generator inner) { return generator_of(UntilOk(std::move(inner))); }

Generator mix(std::vector<Weighted> choices) {
  for (const Weighted& choice : choices) {
    ORDEAL_CHECK(choice.weight >= 0 && std::isfinite(choice.weight), "a weight is not negative");
  }
  std::erase_if(choices, [](const Weighted& choice) { return choice.weight == 0; });
  return generator_of(Mix(std::move(choices)));
}

}  // namespace ordeal::workloads
