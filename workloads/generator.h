#pragma once
// Generators: what clients do next, as values.
//
// A generator is asked on behalf of one worker that is free, at a time that is handed in, and draws
// from a stream that is handed in; it has no clock, no thread and no randomness of its own, so that
// it is tested under a virtual clock and replayed. It answers with a request, with "ask again" or
// with "never again". Asking consumes: a request that was handed out will be invoked, at its due
// time. Copying a generator copies its state. The vocabulary is that of jepsen.generator
// (Kingsbury), reduced to what one pull per worker needs.
//
// Laws, held by every generator and checked in the tests:
//   `done` is final for the worker that was told so;
//   requests are due now or later, never before, and a wait is until later than now;
//   asked before its time while nothing has happened, the same wait is answered (but for
//   ask_again()); an ask that changes what other workers would be told is not answered by a plain
//   wait, but by a request, by `done`, or by ask_again(): so whoever waits without a time is woken,
//   and a run cannot get stuck.

#include <functional>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "core/op.h"
#include "core/random.h"

namespace ordeal::workloads {

// On whose behalf and when a generator is asked.
struct Context {
  Nanoseconds now{};        // since the start of the phase
  std::size_t worker = 0;   // in [0, workers)
  std::size_t workers = 1;  // the same at every call
};

// Invoke this, no earlier than `due`.
struct Next {
  Request request;
  Nanoseconds due{};
};
// Nothing for this worker now; ask again at `until`, and whenever another worker was given anything
// but the wait that it was given before, or has completed an operation.
struct Wait {
  std::optional<Nanoseconds> until;
  friend bool operator==(const Wait&, const Wait&) = default;
};
// Nothing for this worker, ever.
struct Done {};

using Step = std::variant<Next, Wait, Done>;

// Nothing for this worker at this moment, but things have changed: ask everybody who waits.
[[nodiscard]] inline Wait ask_again(const Context& context) {
  return {context.now + Nanoseconds(1)};
}

class Generator {
 public:
  // What a combinator or a source implements. `clone` copies the state.
  struct Source {
    Source() = default;
    Source(const Source&) = default;
    Source& operator=(const Source&) = default;
    virtual ~Source() = default;
    // Asked only for a worker whose last request from here has completed.
    [[nodiscard]] virtual Step next(const Context& context, Rng& rng) = 0;
    // A request that this generator handed to context.worker has completed.
    virtual void completed(const Context& context, const Request& request,
                           const Completion& completion) {
      (void)context, (void)request, (void)completion;
    }
    [[nodiscard]] virtual std::unique_ptr<Source> clone() const = 0;
  };

  Generator();  // done at once
  explicit Generator(std::unique_ptr<Source> source);
  Generator(const Generator& other);
  Generator(Generator&&) noexcept = default;
  Generator& operator=(const Generator& other);
  Generator& operator=(Generator&&) noexcept = default;
  ~Generator() = default;

  [[nodiscard]] Step next(const Context& context, Rng& rng) { return source_->next(context, rng); }
  void completed(const Context& context, const Request& request, const Completion& completion) {
    source_->completed(context, request, completion);
  }

 private:
  std::unique_ptr<Source> source_;
};

// Sources. What one worker is given, no other is.
[[nodiscard]] Generator once(Request request);
[[nodiscard]] Generator each(std::vector<Request> requests);  // once each, in this order
[[nodiscard]] Generator repeat(Request request);              // for ever
[[nodiscard]] Generator from(
    std::function<Request(Rng&)> draw);  // for ever; state it captures is copied along
[[nodiscard]] Generator sleep(
    Nanoseconds duration);  // nothing, and done that long after it was first asked

// Combinators. Where one counts time, it counts from the moment it was first asked.
struct Weighted {
  double weight = 1;
  Generator generator;
};
[[nodiscard]] Generator mix(std::vector<Weighted> choices);  // each request from one, by weight
[[nodiscard]] Generator limit(std::size_t requests, Generator inner);
[[nodiscard]] Generator time_limit(Nanoseconds limit,
                                   Generator inner);  // no request due at or after it
// On average `per_second` requests from all workers together, at intervals drawn uniformly from [0,
// twice the mean]: an open schedule, so a slow answer does not lower the rate while workers are
// free. What was missed while none was free is not made up for.
[[nodiscard]] Generator rate(double per_second, Generator inner);
[[nodiscard]] Generator until_ok(Generator inner);  // done once one request of it was ok

// The next begins, for a worker, when the one before is done for that worker.
[[nodiscard]] Generator sequence(std::vector<Generator> parts);
// Copies of it one after the other, like sequence, for ever; ends for a worker that a fresh copy
// has nothing for.
[[nodiscard]] Generator cycle(Generator inner);
// The next begins, for all, when the one before is done for all: then no operation of it is under
// way.
[[nodiscard]] Generator phases(std::vector<Generator> parts);

// Those below give groups of workers generators of their own, which see the group as workers 0, 1,
// 2, ...
[[nodiscard]] Generator per_worker(std::function<Generator(std::size_t worker)> make);
struct Reserved {
  std::size_t workers = 1;
  Generator generator;
};
// The first workers for the first, the next for the second, and so on; `rest` for those left over.
[[nodiscard]] Generator reserve(std::vector<Reserved> reserved, Generator rest);
// Workers in groups of `group` (the last one may be smaller) work on the keys of one common
// sequence 0, 1, 2, ... A worker whose key is done for it goes on to the next key of its group, and
// the first to need one takes it from the sequence. Nobody waits for an operation that hangs: it is
// the last of its key, and at most `group` are under way on a key. `keys` bounds the sequence: 0 is
// no bound.
[[nodiscard]] Generator per_key(std::size_t group, std::size_t keys,
                                std::function<Generator(const Value& key)> make);

}  // namespace ordeal::workloads
