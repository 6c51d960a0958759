#include "harness/workers.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace ordeal::harness {

namespace {

using clusters::Client;
using workloads::Done;
using workloads::Next;
using workloads::Step;
using workloads::Wait;

// Not an answer of the system: the next one would hardly be better at once.
bool is_trouble(const Completion& completion) {
  if (completion.outcome == Outcome::info) return true;
  return completion.outcome == Outcome::fail && !completion.error.empty() &&
         !is_answer(completion.error);
}

EventType event_type(Outcome outcome) {
  switch (outcome) {
    case Outcome::ok:
      return EventType::ok;
    case Outcome::fail:
      return EventType::fail;
    case Outcome::info:
      break;
  }
  return EventType::info;
}

struct Worker {
  std::size_t index = 0;
  NodeIndex node = 0;
  Process process = 0;
  Nanoseconds invoked_at{};       // when its last request was recorded
  Wait told{Nanoseconds::min()};  // the last wait that the generator answered
};

class Engine {
 public:
  Engine(workloads::Generator generator, Rng rng, const OpenClient& open, HistoryWriter& history,
         const RunClock& clock, const WorkersOptions& options, WorkersProgress& progress)
      : open_(open),
        history_(history),
        clock_(clock),
        options_(options),
        start_(clock.now()),
        generator_(std::move(generator)),
        rng_(rng),
        progress_(progress),
        unfinished_(options.workers) {}

  WorkersEnd run(const std::stop_token& stop);

 private:
  using Lock = std::unique_lock<std::mutex>;
  using OpenedClient = Result<std::unique_ptr<Client>>;

  void work(std::size_t index);
  OpenedClient open_client(const Worker& worker) const;
  Completion call(Client& client, const Request& request, Deadline deadline) const;

  // These need the lock.
  std::optional<Request> next_request(Lock& lock, Worker& worker, Nanoseconds now);
  void record(Event event);
  void record_invocation(Worker& worker, const Request& request, Nanoseconds now);
  void record_completion(Worker& worker, const Request& request, Completion completion,
                         Nanoseconds answered_at, Nanoseconds now);
  void wait(Lock& lock, Worker& worker, const Wait& wait);
  void sleep_until(Lock& lock, Nanoseconds since_start);
  void announce();
  void end(std::optional<Error> failure);
  bool ended();

  const OpenClient& open_;
  HistoryWriter& history_;
  const RunClock& clock_;
  const WorkersOptions options_;
  const Nanoseconds start_;

  std::mutex mutex_;  // guards all that follows
  workloads::Generator generator_;
  Rng rng_;
  WorkersProgress& progress_;
  std::condition_variable changed_;  // the generator may answer otherwise now, or the end has come
  std::condition_variable ended_;
  bool has_ended_ = false;
  std::uint64_t changes_ = 0;
  std::size_t waiting_ = 0;     // workers told to wait
  std::size_t idle_ = 0;        // those of them without a time, and asked since the last change
  std::size_t unfinished_ = 0;  // workers not told that they are done
  Process highest_process_ = 0;
  WorkersEnd result_;
};

void Engine::end(std::optional<Error> failure) {
  if (failure && !result_.failure) result_.failure = std::move(failure);
  has_ended_ = true;
  changed_.notify_all();
  ended_.notify_all();
}

bool Engine::ended() {
  if (!has_ended_) {
    if (auto failure = history_.failure()) end(std::move(failure));
  }
  return has_ended_;
}

void Engine::announce() {
  ++changes_;
  idle_ = 0;
  if (waiting_ > 0) changed_.notify_all();
}

void Engine::sleep_until(Lock& lock, Nanoseconds since_start) {
  ended_.wait_until(lock, clock_.at(since_start), [this] { return has_ended_; });
}

// Returns when the generator is to be asked again.
void Engine::wait(Lock& lock, Worker& worker, const Wait& wait) {
  if (!(wait == worker.told)) announce();
  worker.told = wait;
  const auto over = [this, seen = changes_] { return has_ended_ || changes_ != seen; };
  ++waiting_;
  if (wait.until) {
    changed_.wait_until(lock, clock_.at(start_ + *wait.until), over);
  } else if (++idle_ < unfinished_) {
    changed_.wait(lock, over);
  } else {
    end(
        Error{"the workload's generator makes all clients wait and names no time: nothing would "
              "happen any more"});
  }
  --waiting_;
}

void Engine::record(Event event) {
  if (!options_.on_event) {
    history_.append(std::move(event));
    return;
  }
  event.index = history_.append(event);
  if (!options_.on_event(event)) end(std::nullopt);
}

void Engine::record_invocation(Worker& worker, const Request& request, Nanoseconds now) {
  worker.invoked_at = now;
  if (worker.index < progress_.workers.size()) {
    WorkerNow& shown = progress_.workers.at(worker.index);
    shown.process = worker.process;
    shown.function = request.function;
    shown.since = now.count();
  }
  Event event;
  event.time = now;
  event.process = worker.process;
  event.node = worker.node;
  event.type = EventType::invoke;
  event.function = request.function;
  event.key = request.key;
  event.value = request.argument;
  record(std::move(event));
}

std::optional<Request> Engine::next_request(Lock& lock, Worker& worker, Nanoseconds now) {
  for (; !ended(); now = clock_.now()) {
    Step step = generator_.next({now - start_, worker.index, options_.workers}, rng_);
    if (const auto* later = std::get_if<Wait>(&step)) {
      wait(lock, worker, *later);
      continue;
    }
    if (std::holds_alternative<Done>(step)) --unfinished_;
    announce();
    auto* next = std::get_if<Next>(&step);
    if (next == nullptr) break;
    if (start_ + next->due > now) {
      sleep_until(lock, start_ + next->due);
      if (ended()) break;
      now = clock_.now();
    }
    record_invocation(worker, next->request, now);
    return std::move(next->request);
  }
  return std::nullopt;
}

// Retires the process after an `info`.
void Engine::record_completion(Worker& worker, const Request& request, Completion completion,
                               Nanoseconds answered_at, Nanoseconds now) {
  generator_.completed({now - start_, worker.index, options_.workers}, request, completion);
  Event event;
  event.time = answered_at;
  event.process = worker.process;
  event.node = worker.node;
  event.type = event_type(completion.outcome);
  event.function = request.function;
  event.key = request.key;
  event.value = std::move(completion.result);
  event.error = std::move(completion.error);
  event.revision = completion.revision;
  record(std::move(event));
  announce();
  if (worker.index < progress_.workers.size()) progress_.workers.at(worker.index).since = -1;
  switch (completion.outcome) {
    case Outcome::ok:
      ++progress_.ok;
      ++progress_.ok_by_function.at(static_cast<std::size_t>(request.function));
      ++progress_.latencies.at(LatencyCounts::bucket(answered_at - worker.invoked_at));
      break;
    case Outcome::fail:
      ++progress_.fail;
      break;
    case Outcome::info:
      ++progress_.info;
      worker.process += static_cast<Process>(options_.workers);
      highest_process_ = std::max(highest_process_, worker.process);
      break;
  }
}

Engine::OpenedClient Engine::open_client(const Worker& worker) const {
  const auto no_client = [](std::string_view why) { return error("no-client: {}", why); };
  try {
    OpenedClient client = open_(worker.node);
    if (!client) return no_client(client.error().message);
    if (*client == nullptr) return no_client("none was made");
    return client;
  } catch (const std::exception& thrown) {
    return no_client(thrown.what());
  } catch (...) {
    return no_client("an unknown exception");
  }
}

// Clients do not throw; if one does all the same, nobody knows how far its request got.
Completion Engine::call(Client& client, const Request& request, Deadline deadline) const {
  try {
    return client.invoke(request, deadline);
  } catch (const std::exception& thrown) {
    return {Outcome::info, {}, fmt::format("exception: {}", thrown.what())};
  } catch (...) {
    return {Outcome::info, {}, "exception: of an unknown type"};
  }
}

void Engine::work(std::size_t index) {
  Worker worker;
  worker.index = index;
  worker.node = static_cast<NodeIndex>((options_.first_node + index) % options_.nodes);
  worker.process = options_.first_process + static_cast<Process>(index);
  OpenedClient client = open_client(worker);

  Lock lock(mutex_);
  if (!client) ++result_.clients_not_opened;
  Nanoseconds now = clock_.now();
  while (const std::optional<Request> request = next_request(lock, worker, now)) {
    lock.unlock();
    const Deadline deadline =
        Deadline::at(clock_.at(worker.invoked_at + options_.operation_timeout));
    Completion completion = client ? call(**client, *request, deadline)
                                   : Completion{Outcome::fail, {}, client.error().message};
    const Nanoseconds answered_at = clock_.now();
    const bool trouble = is_trouble(completion);
    const bool renew = !client || completion.outcome == Outcome::info;
    lock.lock();
    now = clock_.now();
    record_completion(worker, *request, std::move(completion), answered_at, now);
    if (!trouble) continue;
    sleep_until(lock, answered_at + options_.pause_after_error);
    if (renew && !ended()) {
      lock.unlock();
      if (client) client->reset();
      client = open_client(worker);
      lock.lock();
      if (!client) ++result_.clients_not_opened;
    }
    now = clock_.now();
  }
}

WorkersEnd Engine::run(const std::stop_token& stop) {
  highest_process_ = options_.first_process + static_cast<Process>(options_.workers) - 1;
  {
    const std::stop_callback on_stop(stop, [this] {
      const std::lock_guard lock(mutex_);
      end(std::nullopt);
    });
    std::vector<std::jthread> threads;
    try {
      for (std::size_t i = 0; i < options_.workers; ++i) {
        threads.emplace_back([this, i] { work(i); });
      }
    } catch (const std::system_error& thrown) {
      const std::lock_guard lock(mutex_);
      end(Error{fmt::format("cannot start client thread {} of {}: {}; ask for fewer clients",
                            threads.size() + 1, options_.workers, thrown.what())});
    }
  }
  result_.next_process = highest_process_ + 1;
  return std::move(result_);
}

}  // namespace

WorkersEnd run_workers(workloads::Generator generator, Rng rng, const OpenClient& open,
                       HistoryWriter& history, const RunClock& clock, const WorkersOptions& options,
                       WorkersProgress& progress, const std::stop_token& stop) {
  ORDEAL_CHECK(options.workers > 0 && options.nodes > 0, "a phase needs workers and nodes");
  return Engine(std::move(generator), rng, open, history, clock, options, progress).run(stop);
}

}  // namespace ordeal::harness
