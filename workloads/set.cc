#include "workloads/set.h"

#include "checkers/set_checker.h"
#include "workloads/final_reads.h"
#include "workloads/source.h"

namespace ordeal::workloads {
namespace {

class OnSet : public CopiedSource<OnSet> {
 public:
  OnSet(Value key, double read_share) : key_(std::move(key)), read_share_(read_share) {}

  Step next(const Context& context, Rng& rng) override {
    if (rng.chance(read_share_)) return Next{{Function::members, key_, {}}, context.now};
    return Next{{Function::add, key_, Value(++added_)}, context.now};
  }

 private:
  Value key_;
  double read_share_;
  std::int64_t added_ = 0;
};

class Set : public Workload {
 public:
  explicit Set(const WorkloadOptions& options) : options_(options) {}

  std::string_view name() const override { return "set"; }
  std::vector<Function> needs() const override { return {Function::add, Function::members}; }

  Generator main(Rng rng) const override {
    (void)rng;
    const double reads = options_.read_share;
    const std::size_t operations = options_.operations_per_key;
    Generator all = per_key(options_.group, options_.keys, [reads, operations](const Value& key) {
      return limit(operations, generator_of(OnSet(key, reads)));
    });
    return options_.rate > 0 ? rate(options_.rate, std::move(all)) : all;
  }

  Generator final(const std::vector<Value>& touched) const override {
    return final_reads(Function::members, touched);
  }

  std::vector<CheckReport> check(const History& history,
                                 const checkers::CheckOptions& options) const override {
    return {checkers::check_set(history, options)};
  }

 private:
  WorkloadOptions options_;
};

}  // namespace

std::unique_ptr<Workload> make_set(const WorkloadOptions& options) {
  return std::make_unique<Set>(options);
}

}  // namespace ordeal::workloads
