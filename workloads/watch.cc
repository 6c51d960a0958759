#include "workloads/watch.h"

#include "checkers/watch_checker.h"
#include "workloads/final_reads.h"
#include "workloads/source.h"

namespace ordeal::workloads {
namespace {

class OnWatched : public CopiedSource<OnWatched> {
 public:
  OnWatched(Value key, double read_share) : key_(std::move(key)), read_share_(read_share) {}

  Step next(const Context& context, Rng& rng) override {
    if (rng.chance(read_share_))
      return Next{{Function::watch, key_, seen_.of(context)}, context.now};
    return Next{{Function::write, key_, Value(++written_)}, context.now};
  }

  void completed(const Context& context, const Request& request,
                 const Completion& completion) override {
    if (request.function != Function::watch || completion.outcome != Outcome::ok) return;
    const Value::List* events = completion.result.as_list();
    if (events == nullptr || events->empty()) return;
    const Value::List* last = events->back().as_list();
    if (last != nullptr && !last->empty()) seen_.of(context) = last->front();
  }

 private:
  Value key_;
  double read_share_;
  std::int64_t written_ = 0;
  PerWorker<Value> seen_;  // the last revision; nil: none yet
};

class Watch : public Workload {
 public:
  explicit Watch(const WorkloadOptions& options) : options_(options) {}

  std::string_view name() const override { return "watch"; }
  std::vector<Function> needs() const override { return {Function::write, Function::watch}; }

  Generator main(Rng rng) const override {
    (void)rng;
    const double reads = options_.read_share;
    const std::size_t operations = options_.operations_per_key;
    Generator all = per_key(options_.group, options_.keys, [reads, operations](const Value& key) {
      return limit(operations, generator_of(OnWatched(key, reads)));
    });
    return options_.rate > 0 ? rate(options_.rate, std::move(all)) : all;
  }

  Generator final(const std::vector<Value>& touched) const override {
    return final_reads(Function::watch, touched);
  }

  std::vector<CheckReport> check(const History& history,
                                 const checkers::CheckOptions& options) const override {
    return {checkers::check_watch(history, options)};
  }

 private:
  WorkloadOptions options_;
};

}  // namespace

std::unique_ptr<Workload> make_watch(const WorkloadOptions& options) {
  return std::make_unique<Watch>(options);
}

}  // namespace ordeal::workloads
