#include "tests/workloads/simulator.h"

#include <algorithm>

#include <fmt/core.h>

#include "workloads/source.h"

namespace ordeal::workloads {

namespace {

class Lawful : public CopiedSource<Lawful> {
 public:
  Lawful(Generator inner, Breaches breaches)
      : inner_(std::move(inner)), breaches_(std::move(breaches)) {}

  Step next(const Context& context, Rng& rng) override {
    check_call(context);
    Seen& seen = seen_.of(context);
    if (seen.request) breach("worker {} is asked for while its request is under way", context);
    Step step = inner_.next(context, rng);
    const auto* later = std::get_if<Wait>(&step);
    if (seen.done && !std::holds_alternative<Done>(step))
      breach("done was not final for worker {}", context);
    if (seen.wait && seen.changes == changes_ &&
        (!seen.wait->until || context.now < *seen.wait->until)) {
      if (later == nullptr || !(*later == *seen.wait))
        breach("a wait of worker {} changed by itself", context);
    }
    if (later != nullptr && later->until && *later->until <= context.now) {
      breach("worker {} is to wait until a time that has passed", context);
    }
    if (const auto* next = std::get_if<Next>(&step)) {
      if (next->due < context.now)
        breach("a request for worker {} was due before it was asked for", context);
      seen.request = next->request;
    }
    if (later == nullptr || !seen.wait || !(*later == *seen.wait)) ++changes_;
    seen.done = std::holds_alternative<Done>(step);
    seen.wait.reset();
    if (later != nullptr && !(*later == ask_again(context))) seen.wait = *later;
    seen.changes = changes_;
    return step;
  }

  void completed(const Context& context, const Request& request,
                 const Completion& completion) override {
    check_call(context);
    Seen& seen = seen_.of(context);
    if (!seen.request || !(*seen.request == request)) {
      breach("worker {} completed what it was not given here", context);
    }
    seen.request.reset();
    ++changes_;
    inner_.completed(context, request, completion);
  }

 private:
  struct Seen {
    bool done = false;
    std::optional<Wait> wait;
    std::optional<Request> request;
    std::uint64_t changes = 0;
  };

  void breach(const char* what, const Context& context) {
    breaches_->push_back(fmt::format(fmt::runtime(what), context.worker));
  }

  void check_call(const Context& context) {
    if (context.now < now_) breach("time went backwards for worker {}", context);
    if (workers_ != 0 && context.workers != workers_)
      breach("the number of workers changed for {}", context);
    if (context.worker >= context.workers) breach("there is no worker {}", context);
    now_ = context.now;
    workers_ = context.workers;
  }

  Generator inner_;
  Breaches breaches_;
  PerWorker<Seen> seen_;
  Nanoseconds now_{};
  std::size_t workers_ = 0;
  std::uint64_t changes_ = 0;
};

class Simulator {
 public:
  Simulator(Generator generator, const SimulationOptions& options)
      : options_(options),
        breaches_(std::make_shared<std::vector<std::string>>()),
        generator_(lawful(std::move(generator), breaches_)),
        workload_rng_(Rng(options.seed).fork("workload")),
        rng_(Rng(options.seed).fork("simulator")),
        workers_(options.workers) {}

  Simulation run();

 private:
  struct Worker {
    enum class State { free, waits, holds, runs, done };
    State state = State::free;
    std::optional<Nanoseconds> until{Nanoseconds::zero()};  // when it acts by itself
    Wait told{Nanoseconds::min()};
    std::uint64_t seen = 0;  // changes
    std::size_t operation = 0;
  };
  static constexpr std::size_t steps_max = 500'000;

  // Who acts next, fairly drawn among those of the same moment; nullopt when nobody ever will.
  std::optional<std::size_t> draw_worker();
  void act(std::size_t index);
  void ask(std::size_t index);
  void invoke(std::size_t index);
  void complete(std::size_t index);
  Context context(std::size_t index) const { return {now_, index, options_.workers}; }
  std::vector<bool> waiting_in_copies(const Rng& rng) const;

  const SimulationOptions& options_;
  Breaches breaches_;
  Generator generator_;
  Rng workload_rng_;
  Rng rng_;
  std::vector<Worker> workers_;
  std::vector<Request> held_ = std::vector<Request>(options_.workers);
  Nanoseconds now_{};
  std::uint64_t changes_ = 0;
  Simulation result_;
};

std::optional<std::size_t> Simulator::draw_worker() {
  std::vector<std::size_t> first;
  Nanoseconds when = Nanoseconds::max();
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    const Worker& worker = workers_[i];
    if (worker.state == Worker::State::done) continue;
    const bool woken = worker.state == Worker::State::waits && worker.seen != changes_;
    if (!woken && !worker.until) continue;
    const Nanoseconds at = woken ? now_ : std::max(*worker.until, now_);
    if (at < when) first.clear();
    when = std::min(when, at);
    if (at == when) first.push_back(i);
  }
  if (first.empty()) return std::nullopt;
  now_ = when;
  return rng_.pick(first);
}

void Simulator::act(std::size_t index) {
  switch (workers_[index].state) {
    case Worker::State::free:
    case Worker::State::waits:
      return ask(index);
    case Worker::State::holds:
      return invoke(index);
    case Worker::State::runs:
      return complete(index);
    case Worker::State::done:
      break;
  }
}

// For each worker that waits and has heard of all changes: would it be told to wait if it asked
// now?
std::vector<bool> Simulator::waiting_in_copies(const Rng& rng) const {
  std::vector<bool> waiting;
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    if (workers_[i].state != Worker::State::waits || workers_[i].seen != changes_) {
      waiting.push_back(false);
      continue;
    }
    Generator copy = generator_;
    Rng rng_of_copy = rng;
    waiting.push_back(std::holds_alternative<Wait>(copy.next(context(i), rng_of_copy)));
  }
  return waiting;
}

void Simulator::ask(std::size_t index) {
  Worker& worker = workers_[index];
  const Rng rng = workload_rng_;
  const std::vector<bool> before = options_.probe ? waiting_in_copies(rng) : std::vector<bool>();
  Step step = generator_.next(context(index), workload_rng_);
  if (const auto* later = std::get_if<Wait>(&step)) {
    if (options_.probe && !(*later == ask_again(context(index)))) {
      const std::vector<bool> after = waiting_in_copies(rng);
      for (std::size_t i = 0; i < before.size(); ++i) {
        if (i != index && before[i] && !after[i]) {
          breaches_->push_back(fmt::format("a wait of worker {} hid a change for {}", index, i));
        }
      }
    }
    if (!(*later == worker.told)) ++changes_;
    worker.state = Worker::State::waits;
    worker.told = *later;
    worker.until = later->until;
    worker.seen = changes_;
    return;
  }
  ++changes_;
  if (auto* next = std::get_if<Next>(&step)) {
    worker.state = Worker::State::holds;
    worker.until = next->due;
    held_[index] = std::move(next->request);
    return;
  }
  worker.state = Worker::State::done;
  result_.ended_at = now_;
}

void Simulator::invoke(std::size_t index) {
  Worker& worker = workers_[index];
  worker.state = Worker::State::runs;
  worker.until = now_ + rng_.between(options_.latency_min, options_.latency_max);
  worker.operation = result_.operations.size();
  result_.operations.push_back({now_, *worker.until, index, held_[index], {}});
}

void Simulator::complete(std::size_t index) {
  Worker& worker = workers_[index];
  SimulatedOperation& operation = result_.operations[worker.operation];
  operation.completion = options_.answer(operation.request, rng_);
  generator_.completed(context(index), operation.request, operation.completion);
  ++changes_;
  worker.state = Worker::State::free;
}

Simulation Simulator::run() {
  const auto is_done = [](const Worker& worker) { return worker.state == Worker::State::done; };
  std::size_t steps = 0;
  while (!std::all_of(workers_.begin(), workers_.end(), is_done)) {
    const auto index = draw_worker();
    if (!index) {
      breaches_->push_back("everybody waits for nothing");
      break;
    }
    if (result_.operations.size() >= options_.operations_max) break;
    if (++steps > steps_max) {
      breaches_->push_back("workers ask without end");
      break;
    }
    act(*index);
  }
  result_.ended = std::all_of(workers_.begin(), workers_.end(), is_done);
  for (std::size_t i = 0; result_.ended && i < workers_.size(); ++i) {
    now_ += Nanoseconds(1);
    (void)generator_.next(context(i), workload_rng_);  // done is final
  }
  result_.breaches = *breaches_;
  return std::move(result_);
}

}  // namespace

Generator lawful(Generator inner, Breaches breaches) {
  return generator_of(Lawful(std::move(inner), std::move(breaches)));
}

Simulation simulate(Generator generator, const SimulationOptions& options) {
  return Simulator(std::move(generator), options).run();
}

}  // namespace ordeal::workloads
