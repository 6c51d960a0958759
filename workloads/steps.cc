#include "workloads/steps.h"

#include "checkers/steps_checker.h"
#include "workloads/source.h"

namespace ordeal::workloads {
namespace {

// Without --rate: transactions are kept for their ledgers, so that thousands a second help nobody.
constexpr double usual_rate = 150;
constexpr auto rest = 2500ms;  // longer than the checker's time to settle

class Transactions : public CopiedSource<Transactions> {
 public:
  Transactions(Function function, double read_share)
      : function_(function), read_share_(read_share) {}

  Step next(const Context& context, Rng& rng) override {
    if (begun_ > 0 && rng.chance(read_share_)) {
      const auto back = static_cast<std::int64_t>(rng.below(20));
      return Next{{Function::ledger, Value(std::max<std::int64_t>(1, begun_ - back)), {}},
                  context.now};
    }
    Value::List steps;
    const std::uint64_t count = 3 + rng.below(3);
    const std::uint64_t fails = rng.chance(0.4) ? rng.below(count) : count;
    for (std::uint64_t i = 0; i < count; ++i)
      steps.emplace_back((i == fails ? "!" : "") + std::string(1, static_cast<char>('a' + i)));
    return Next{{function_, Value(++begun_), Value(std::move(steps))}, context.now};
  }

 private:
  Function function_;
  double read_share_;
  std::int64_t begun_ = 0;
};

class Steps : public Workload {
 public:
  Steps(Function function, const WorkloadOptions& options)
      : function_(function), options_(options) {}

  std::string_view name() const override { return to_text(function_); }
  std::vector<Function> needs() const override { return {function_, Function::ledger}; }

  Generator main(Rng rng) const override {
    (void)rng;
    return rate(options_.rate > 0 ? options_.rate : usual_rate,
                generator_of(Transactions(function_, options_.read_share)));
  }

  // Each ledger once, the clients sharing them.
  Generator final(const std::vector<Value>& touched) const override {
    std::vector<Request> reads;
    for (const Value& key : touched) reads.push_back({Function::ledger, key, {}});
    return phases({sleep(rest), each(std::move(reads))});
  }

  std::vector<CheckReport> check(const History& history,
                                 const checkers::CheckOptions& options) const override {
    checkers::StepsOptions steps;
    steps.function = function_;
    return {checkers::check_steps(history, options, steps)};
  }

 private:
  Function function_;
  WorkloadOptions options_;
};

}  // namespace

std::unique_ptr<Workload> make_saga(const WorkloadOptions& options) {
  return std::make_unique<Steps>(Function::saga, options);
}

std::unique_ptr<Workload> make_tcc(const WorkloadOptions& options) {
  return std::make_unique<Steps>(Function::tcc, options);
}

}  // namespace ordeal::workloads
