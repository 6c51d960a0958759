#include "workloads/lock.h"

#include "checkers/lock_checker.h"
#include "workloads/source.h"

namespace ordeal::workloads {
namespace {

class OnLock : public CopiedSource<OnLock> {
 public:
  explicit OnLock(Value key) : key_(std::move(key)) {}

  Step next(const Context& context, Rng& rng) override {
    Hand& hand = hands_.of(context);
    if (hand.holds) {
      // Some are held through an election.
      const Nanoseconds hold = rng.chance(0.4)
                                   ? rng.between(Nanoseconds(500ms), Nanoseconds(1900ms))
                                   : rng.between(Nanoseconds(10ms), Nanoseconds(100ms));
      return Next{{Function::release, key_, hand.token}, context.now + hold};
    }
    const Nanoseconds think = rng.between(Nanoseconds(1ms), Nanoseconds(30ms));
    return Next{{Function::acquire, key_, {}}, context.now + think};
  }

  void completed(const Context& context, const Request& request,
                 const Completion& completion) override {
    Hand& hand = hands_.of(context);
    hand.holds = request.function == Function::acquire && completion.outcome == Outcome::ok;
    hand.token = completion.result;
  }

 private:
  struct Hand {
    bool holds = false;
    Value token;
  };
  Value key_;
  PerWorker<Hand> hands_;
};

class Lock : public Workload {
 public:
  explicit Lock(const WorkloadOptions& options) : options_(options) {}

  std::string_view name() const override { return "lock"; }
  std::vector<Function> needs() const override { return {Function::acquire, Function::release}; }

  Generator main(Rng rng) const override {
    (void)rng;
    const std::size_t operations = options_.operations_per_key;
    return per_key(options_.group, options_.keys, [operations](const Value& key) {
      return limit(operations, generator_of(OnLock(key)));
    });
  }

  Generator final(const std::vector<Value>&) const override { return {}; }

  std::vector<CheckReport> check(const History& history,
                                 const checkers::CheckOptions& options) const override {
    return {checkers::check_lock(history, options)};
  }

 private:
  WorkloadOptions options_;
};

}  // namespace

std::unique_ptr<Workload> make_lock(const WorkloadOptions& options) {
  return std::make_unique<Lock>(options);
}

}  // namespace ordeal::workloads
