#include "workloads/steps.h"

#include "checkers/steps_checker.h"
#include "workloads/source.h"

namespace ordeal::workloads {
namespace {

// Without --rate: transactions are kept for their ledgers, so that thousands a second help nobody.
constexpr double usual_rate = 150;
constexpr auto rest = 2500ms;   // longer than the checker's time to settle
constexpr auto again = 1500ms;  // between reads of a ledger that is still open
constexpr auto watch = 13s;     // for longer than the checker wants to see it stuck

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

bool is_open(const Completion& completion) {
  const Value::List* deeds = completion.result.as_list();
  if (completion.outcome != Outcome::ok || deeds == nullptr) return true;
  if (deeds->empty()) return false;
  return std::none_of(deeds->begin(), deeds->end(), [](const Value& deed) {
    return deed.as_list() != nullptr && deed.as_list()->size() == 3 &&
           deed.as_list()->at(1) == Value("-");
  });
}

// Every ledger, the clients sharing them; those that are open again and again, for a while.
class LastLedgers : public CopiedSource<LastLedgers> {
 public:
  explicit LastLedgers(const std::vector<Value>& keys) {
    for (const Value& key : keys) due_.push_back({key, Nanoseconds::zero()});
  }

  Step next(const Context& context, Rng&) override {
    if (!ends_) ends_ = context.now + watch;
    if (due_.empty()) {
      if (running_ > 0) return Wait{};
      return Done{};
    }
    if (due_.front().at > context.now) return Wait{due_.front().at};
    const Value key = due_.front().key;
    due_.pop_front();
    ++running_;
    return Next{{Function::ledger, key, {}}, context.now};
  }

  void completed(const Context& context, const Request& request,
                 const Completion& completion) override {
    --running_;
    if (is_open(completion) && context.now + again < *ends_)
      due_.push_back({request.key, context.now + again});
  }

 private:
  struct Due {
    Value key;
    Nanoseconds at;
  };
  std::deque<Due> due_;  // by time
  std::size_t running_ = 0;
  std::optional<Nanoseconds> ends_;
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

  Generator final(const std::vector<Value>& touched) const override {
    return phases({sleep(rest), generator_of(LastLedgers(touched))});
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
