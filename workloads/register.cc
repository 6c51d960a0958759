#include "workloads/register.h"

#include "checkers/linearizability.h"
#include "workloads/final_reads.h"
#include "workloads/source.h"

namespace ordeal::workloads {

namespace {

struct Shares {
  double read = 0, write = 0;  // the rest is cas
};

// Requests on one key, for ever.
class OnKey : public CopiedSource<OnKey> {
 public:
  OnKey(Value key, Shares shares) : key_(std::move(key)), shares_(shares) {}

  Step next(const Context& context, Rng& rng) override {
    if (rng.chance(shares_.read)) return ask(context, Function::read, Value());
    const double writes = 1 - shares_.read;
    // Before any value is known there is nothing to compare with.
    const bool write = rng.chance(writes > 0 ? shares_.write / writes : 1) || known_.is_nil();
    const Value fresh(++written_);
    if (write) return ask(context, Function::write, fresh);
    return ask(context, Function::cas, Value::list({known_, fresh}));
  }

  // A compare-and-set expects what an ok operation showed last: with five clients on a key, one in
  // four succeeds.
  void completed(const Context&, const Request& request, const Completion& completion) override {
    if (completion.outcome != Outcome::ok) return;
    switch (request.function) {
      case Function::read:
        if (!completion.result.is_nil()) known_ = completion.result;
        break;
      case Function::write:
        known_ = request.argument;
        break;
      case Function::cas:
        known_ = request.argument.as_list()->at(1);
        break;
      default:
        break;
    }
  }

 private:
  Step ask(const Context& context, Function function, Value argument) const {
    return Next{Request{function, key_, std::move(argument)}, context.now};
  }

  Value key_;
  Shares shares_;
  std::int64_t written_ = 0;
  Value known_;
};

class Register : public Workload {
 public:
  explicit Register(const WorkloadOptions& options) : options_(options) {}

  std::string_view name() const override { return "register"; }
  std::vector<Function> needs() const override;
  Generator main(Rng rng) const override;
  Generator final(const std::vector<Value>& touched) const override;
  std::vector<CheckReport> check(const History& history,
                                 const checkers::CheckOptions& options) const override {
    return {checkers::check_linearizable_register(history, options)};
  }

 private:
  WorkloadOptions options_;
};

// A compare-and-set needs a value to expect, which somebody has to write.
std::vector<Function> Register::needs() const {
  std::vector<Function> needed;
  if (options_.read_share > 0) needed.push_back(Function::read);
  if (options_.read_share < 1) needed.push_back(Function::write);
  if (options_.read_share + options_.write_share < 1) needed.push_back(Function::cas);
  return needed;
}

Generator Register::main(Rng rng) const {
  (void)rng;  // draws are made when asked, nothing is drawn ahead
  const Shares shares{options_.read_share, options_.write_share};
  const std::size_t operations = options_.operations_per_key;
  Generator all = per_key(options_.group, options_.keys, [shares, operations](const Value& key) {
    return limit(operations, generator_of(OnKey(key, shares)));
  });
  return options_.rate > 0 ? rate(options_.rate, std::move(all)) : all;
}

Generator Register::final(const std::vector<Value>& touched) const {
  return final_reads(Function::read, touched);
}

}  // namespace

std::unique_ptr<Workload> make_register(const WorkloadOptions& options) {
  ORDEAL_CHECK(options.group > 0 && options.operations_per_key > 0,
               "a register workload needs clients and operations on a key");
  return std::make_unique<Register>(options);
}

}  // namespace ordeal::workloads
