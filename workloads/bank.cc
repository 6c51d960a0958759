#include "workloads/bank.h"

#include "checkers/bank_checker.h"
#include "workloads/final_reads.h"
#include "workloads/source.h"

namespace ordeal::workloads {
namespace {

constexpr std::int64_t accounts = 4, deposit = 100, most_moved = 80;

class OnBank : public CopiedSource<OnBank> {
 public:
  OnBank(Value key, double read_share) : key_(std::move(key)), read_share_(read_share) {}

  Step next(const Context& context, Rng& rng) override {
    if (deposits_ < accounts) return transfer(context, {}, Value(deposits_++), deposit);
    if (rng.chance(read_share_)) return Next{{Function::balances, key_, {}}, context.now};
    const auto from = static_cast<std::int64_t>(rng.below(accounts));
    const auto further = 1 + static_cast<std::int64_t>(rng.below(accounts - 1));
    return transfer(context, Value(from), Value((from + further) % accounts),
                    1 + static_cast<std::int64_t>(rng.below(most_moved)));
  }

 private:
  Step transfer(const Context& context, Value from, Value to, std::int64_t amount) const {
    return Next{{Function::transfer, key_, Value::list({std::move(from), std::move(to), amount})},
                context.now};
  }

  Value key_;
  double read_share_;
  std::int64_t deposits_ = 0;
};

class Bank : public Workload {
 public:
  explicit Bank(const WorkloadOptions& options) : options_(options) {}

  std::string_view name() const override { return "bank"; }
  std::vector<Function> needs() const override { return {Function::transfer, Function::balances}; }

  Generator main(Rng rng) const override {
    (void)rng;
    const double reads = options_.read_share;
    const std::size_t operations = options_.operations_per_key;
    Generator all = per_key(options_.group, options_.keys, [reads, operations](const Value& key) {
      return limit(operations, generator_of(OnBank(key, reads)));
    });
    return options_.rate > 0 ? rate(options_.rate, std::move(all)) : all;
  }

  Generator final(const std::vector<Value>& touched) const override {
    return final_reads(Function::balances, touched);
  }

  std::vector<CheckReport> check(const History& history,
                                 const checkers::CheckOptions& options) const override {
    return {checkers::check_bank(history, options)};
  }

 private:
  WorkloadOptions options_;
};

}  // namespace

std::unique_ptr<Workload> make_bank(const WorkloadOptions& options) {
  return std::make_unique<Bank>(options);
}

}  // namespace ordeal::workloads
