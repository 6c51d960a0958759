#include "workloads/pipeline.h"

#include "checkers/pipeline_checker.h"
#include "workloads/final_reads.h"
#include "workloads/source.h"

namespace ordeal::workloads {
namespace {

constexpr std::int64_t most_events = 10;  // of a poll

class OnPartition : public CopiedSource<OnPartition> {
 public:
  explicit OnPartition(Value key) : key_(std::move(key)) {}

  // Who was given events acknowledges the last of them, most of the time: a consumer may die.
  Step next(const Context& context, Rng& rng) override {
    Value& given = given_.of(context);
    if (!given.is_nil()) {
      const Value offset = std::exchange(given, Value());
      if (rng.chance(0.9)) return Next{{Function::ack, key_, offset}, context.now};
    }
    if (rng.chance(0.6)) return Next{{Function::send, key_, Value(++sent_)}, context.now};
    return Next{{Function::poll, key_, Value(most_events)}, context.now};
  }

  void completed(const Context& context, const Request& request,
                 const Completion& completion) override {
    if (request.function != Function::poll || completion.outcome != Outcome::ok) return;
    const Value::List* events = completion.result.as_list();
    if (events == nullptr || events->empty()) return;
    const Value::List* last = events->back().as_list();
    if (last != nullptr && !last->empty()) given_.of(context) = last->front();
  }

 private:
  Value key_;
  std::int64_t sent_ = 0;
  PerWorker<Value> given_;
};

class Pipeline : public Workload {
 public:
  explicit Pipeline(const WorkloadOptions& options) : options_(options) {}

  std::string_view name() const override { return "pipeline"; }
  std::vector<Function> needs() const override {
    return {Function::send, Function::poll, Function::ack};
  }

  Generator main(Rng rng) const override {
    (void)rng;
    const std::size_t operations = options_.operations_per_key;
    Generator all = per_key(options_.group, options_.keys, [operations](const Value& key) {
      return limit(operations, generator_of(OnPartition(key)));
    });
    return options_.rate > 0 ? rate(options_.rate, std::move(all)) : all;
  }

  // Polls without a limit, of which nothing is acknowledged: all that is left.
  Generator final(const std::vector<Value>& touched) const override {
    return final_reads(Function::poll, touched);
  }

  std::vector<CheckReport> check(const History& history,
                                 const checkers::CheckOptions& options) const override {
    return {checkers::check_pipeline(history, options)};
  }

 private:
  WorkloadOptions options_;
};

}  // namespace

std::unique_ptr<Workload> make_pipeline(const WorkloadOptions& options) {
  return std::make_unique<Pipeline>(options);
}

}  // namespace ordeal::workloads
