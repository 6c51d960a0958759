#include "workloads/generator.h"

#include "workloads/source.h"

namespace ordeal::workloads {

namespace {

struct Nothing : CopiedSource<Nothing> {
  Step next(const Context&, Rng&) override { return Done{}; }
};

class Each : public CopiedSource<Each> {
 public:
  explicit Each(std::vector<Request> requests) : requests_(std::move(requests)) {}

  Step next(const Context& context, Rng&) override {
    if (given_ == requests_.size()) return Done{};
    return Next{requests_[given_++], context.now};
  }

 private:
  std::vector<Request> requests_;
  std::size_t given_ = 0;
};

class Repeat : public CopiedSource<Repeat> {
 public:
  explicit Repeat(Request request) : request_(std::move(request)) {}

  Step next(const Context& context, Rng&) override { return Next{request_, context.now}; }

 private:
  Request request_;
};

class From : public CopiedSource<From> {
 public:
  explicit From(std::function<Request(Rng&)> draw) : draw_(std::move(draw)) {}

  Step next(const Context& context, Rng& rng) override { return Next{draw_(rng), context.now}; }

 private:
  std::function<Request(Rng&)> draw_;
};

class Sleep : public CopiedSource<Sleep> {
 public:
  explicit Sleep(Nanoseconds duration) : duration_(duration) {}

  Step next(const Context& context, Rng&) override {
    if (!until_) until_ = context.now + duration_;
    if (context.now >= *until_) return Done{};
    return Wait{until_};
  }

 private:
  Nanoseconds duration_;
  std::optional<Nanoseconds> until_;
};

}  // namespace

Generator::Generator() : source_(std::make_unique<Nothing>()) {}

Generator::Generator(std::unique_ptr<Source> source) : source_(std::move(source)) {
  ORDEAL_CHECK(source_ != nullptr, "a generator needs a source");
}

Generator::Generator(const Generator& other) : source_(other.source_->clone()) {}

Generator& Generator::operator=(const Generator& other) {
  source_ = other.source_->clone();
  return *this;
}

Generator once(Request request) { return each({std::move(request)}); }

Generator each(std::vector<Request> requests) { return generator_of(Each(std::move(requests))); }

Generator repeat(Request request) { return generator_of(Repeat(std::move(request))); }

Generator from(std::function<Request(Rng&)> draw) {
  ORDEAL_CHECK(draw != nullptr, "from() needs a function");
  return generator_of(From(std::move(draw)));
}

Generator sleep(Nanoseconds duration) { return generator_of(Sleep(duration)); }

}  // namespace ordeal::workloads
