#include "workloads/custom.h"

#include <algorithm>
#include <cmath>

#include "workloads/final_reads.h"
#include "workloads/judges.h"
#include "workloads/source.h"

namespace ordeal::workloads {
namespace {

using Shared = std::shared_ptr<const Definition>;

// Which phase it is: they come in turn, again and again.
const Phase& phase_at(const Definition& definition, Nanoseconds now) {
  Nanoseconds turn{};
  for (const Phase& phase : definition.phases) turn += phase.time;
  const bool ends = definition.phases.back().time > Nanoseconds::zero();
  Nanoseconds at = ends ? now % turn : now;
  for (const Phase& phase : definition.phases) {
    if (at < phase.time) return phase;
    at -= phase.time;
  }
  return definition.phases.back();
}

class OnCustomKey : public CopiedSource<OnCustomKey> {
 public:
  OnCustomKey(Shared definition, Value key)
      : definition_(std::move(definition)), key_(std::move(key)) {}

  Step next(const Context& context, Rng& rng) override {
    const Phase& phase = phase_at(*definition_, context.now);
    double all = 0;
    for (const Choice& choice : phase.mix) all += is_possible(choice.value) ? choice.weight : 0;
    double drawn = all * static_cast<double>(rng.below(1U << 30U)) / (1U << 30U);
    const Choice* chosen = nullptr;
    for (const Choice& choice : phase.mix) {
      if (!is_possible(choice.value)) continue;
      chosen = &choice;
      if ((drawn -= choice.weight) < 0) break;
    }
    return Next{{chosen->function, key_, fill(chosen->value, rng)}, context.now};
  }

  void completed(const Context&, const Request& request, const Completion& completion) override {
    if (completion.outcome != Outcome::ok) return;
    if (request.function == Function::cas)
      last_ = request.argument.as_list()->at(1);
    else if (request.function == Function::write)
      last_ = request.argument;
    else if (!completion.result.is_nil())
      last_ = completion.result;
  }

 private:
  [[nodiscard]] bool is_possible(const Template& value) const {
    if (value.kind == Template::Kind::last) return !last_.is_nil();
    return std::all_of(value.items.begin(), value.items.end(),
                       [this](const Template& item) { return is_possible(item); });
  }

  Value fill(const Template& value, Rng& rng) {
    switch (value.kind) {
      case Template::Kind::literal:
        break;
      case Template::Kind::unique:
        return {++made_};
      case Template::Kind::last:
        return last_;
      case Template::Kind::between:
        return {value.low + static_cast<std::int64_t>(
                                rng.below(static_cast<std::uint64_t>(value.high - value.low) + 1))};
      case Template::Kind::list: {
        Value::List items;
        for (const Template& item : value.items) items.push_back(fill(item, rng));
        return {std::move(items)};
      }
    }
    return value.literal;
  }

  Shared definition_;
  Value key_;
  std::int64_t made_ = 0;
  Value last_;
};

// Requests at the rate of the phase that it is.
class PhasedRate : public CopiedSource<PhasedRate> {
 public:
  PhasedRate(Shared definition, Generator inner)
      : definition_(std::move(definition)), inner_(std::move(inner)) {}

  Step next(const Context& context, Rng& rng) override {
    Step step = inner_.next(context, rng);
    auto* next = std::get_if<Next>(&step);
    const Nanoseconds slot = std::max(slot_, context.now);
    const double wanted = phase_at(*definition_, slot).rate;
    if (next == nullptr || wanted <= 0) return step;
    next->due = std::max(next->due, slot);
    slot_ = slot + rng.between(Nanoseconds::zero(), Nanoseconds(std::llround(2e9 / wanted)));
    return step;
  }

  void completed(const Context& context, const Request& request,
                 const Completion& completion) override {
    inner_.completed(context, request, completion);
  }

 private:
  Shared definition_;
  Generator inner_;
  Nanoseconds slot_{};
};

// Takes from each of these keys until there is nothing, or it is no use.
class Drain : public CopiedSource<Drain> {
 public:
  Drain(Function function, std::vector<Value> keys) : function_(function), keys_(std::move(keys)) {}

  Step next(const Context& context, Rng&) override {
    if (at_ == keys_.size()) return Done{};
    return Next{{function_, keys_[at_], {}}, context.now};
  }

  void completed(const Context&, const Request&, const Completion& completion) override {
    const bool more = completion.outcome == Outcome::ok && !completion.result.is_nil();
    missed_ = completion.outcome == Outcome::ok ? 0 : missed_ + 1;
    if (more || (missed_ > 0 && missed_ < patience)) return;
    missed_ = 0;
    ++at_;
  }

 private:
  static constexpr int patience = 3;
  Function function_;
  std::vector<Value> keys_;
  std::size_t at_ = 0;
  int missed_ = 0;
};

class Custom : public Workload {
 public:
  Custom(Definition definition, const WorkloadOptions& options)
      : definition_(std::make_shared<const Definition>(std::move(definition))),
        judge_(*judge_named(definition_->check)),
        options_(options) {}

  std::string_view name() const override { return definition_->name; }

  std::vector<Function> needs() const override {
    std::vector<Function> needed = {judge_.takes.back()};
    for (const Phase& phase : definition_->phases)
      for (const Choice& choice : phase.mix)
        if (std::find(needed.begin(), needed.end(), choice.function) == needed.end())
          needed.push_back(choice.function);
    return needed;
  }

  Generator main(Rng rng) const override {
    (void)rng;
    const std::size_t operations = options_.operations_per_key;
    Generator all = per_key(options_.group, options_.keys,
                            [operations, definition = definition_](const Value& key) {
                              return limit(operations, generator_of(OnCustomKey(definition, key)));
                            });
    if (options_.rate > 0) return rate(options_.rate, std::move(all));
    return generator_of(PhasedRate(definition_, std::move(all)));
  }

  Generator final(const std::vector<Value>& touched) const override {
    const Function last = judge_.takes.back();
    if (!judge_.drains) return final_reads(last, touched);
    return per_worker([last, touched, workers = options_.clients](std::size_t worker) {
      std::vector<Value> own;
      for (std::size_t i = worker; i < touched.size(); i += workers) own.push_back(touched[i]);
      return generator_of(Drain(last, std::move(own)));
    });
  }

  std::vector<CheckReport> check(const History& history,
                                 const checkers::CheckOptions& options) const override {
    return {judge_.check(history, options)};
  }

 private:
  Shared definition_;
  const Judge& judge_;
  WorkloadOptions options_;
};

}  // namespace

std::unique_ptr<Workload> make_custom(Definition definition, const WorkloadOptions& options) {
  return std::make_unique<Custom>(std::move(definition), options);
}

}  // namespace ordeal::workloads
