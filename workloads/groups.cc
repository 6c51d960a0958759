// Combinators that give groups of workers generators of their own.

#include "workloads/generator.h"
#include "workloads/source.h"

namespace ordeal::workloads {

namespace {

// The context as a group of workers sees it.
Context within(const Context& context, std::size_t first, std::size_t size) {
  return {context.now, context.worker - first, size};
}

class EachWorker : public CopiedSource<EachWorker> {
 public:
  explicit EachWorker(std::function<Generator(std::size_t)> make) : make_(std::move(make)) {}

  Step next(const Context& context, Rng& rng) override {
    std::optional<Generator>& own = generators_.of(context);
    if (!own) own = make_(context.worker);
    return own->next(within(context, context.worker, 1), rng);
  }

  void completed(const Context& context, const Request& request,
                 const Completion& completion) override {
    generators_.of(context)->completed(within(context, context.worker, 1), request, completion);
  }

 private:
  std::function<Generator(std::size_t)> make_;
  PerWorker<std::optional<Generator>> generators_;
};

class Reserve : public CopiedSource<Reserve> {
 public:
  Reserve(std::vector<Reserved> reserved, Generator rest)
      : reserved_(std::move(reserved)), rest_(std::move(rest)) {}

  Step next(const Context& context, Rng& rng) override {
    const Share share = share_of(context);
    return share.generator.next(share.context, rng);
  }

  void completed(const Context& context, const Request& request,
                 const Completion& completion) override {
    const Share share = share_of(context);
    share.generator.completed(share.context, request, completion);
  }

 private:
  struct Share {
    Generator& generator;
    Context context;
  };

  Share share_of(const Context& context) {
    std::size_t first = 0;
    for (Reserved& reserved : reserved_) {
      if (context.worker - first < reserved.workers) {
        const std::size_t size = std::min(reserved.workers, context.workers - first);
        return {reserved.generator, within(context, first, size)};
      }
      first += reserved.workers;
    }
    return {rest_, within(context, first, context.workers - first)};
  }

  std::vector<Reserved> reserved_;
  Generator rest_;
};

class PerKey : public CopiedSource<PerKey> {
 public:
  PerKey(std::size_t group, std::size_t keys, std::function<Generator(const Value&)> make)
      : group_(group), keys_(keys), make_(std::move(make)) {}

  Step next(const Context& context, Rng& rng) override {
    std::size_t taken = 0;
    return chain_of(context).next(in_group(context), rng, [&]() -> std::optional<Generator> {
      const bool bounded = keys_ > 0;
      if (bounded ? next_key_ == keys_ : taken == empty_keys_max) return std::nullopt;
      ++taken;
      return make_(Value(static_cast<std::int64_t>(next_key_++)));
    });
  }

  void completed(const Context& context, const Request& request,
                 const Completion& completion) override {
    chain_of(context).completed(in_group(context), request, completion);
  }

 private:
  // A worker for which that many new keys in a row have nothing will not be helped by one more.
  static constexpr std::size_t empty_keys_max = 1000;

  Chain& chain_of(const Context& context) {
    const std::size_t group = context.worker / group_;
    if (chains_.size() <= group) chains_.resize(group + 1);
    return chains_[group];
  }

  Context in_group(const Context& context) const {
    const std::size_t first = context.worker / group_ * group_;
    return within(context, first, std::min(group_, context.workers - first));
  }

  std::size_t group_;
  std::size_t keys_;
  std::function<Generator(const Value&)> make_;
  std::size_t next_key_ = 0;
  std::vector<Chain> chains_;  // by group
};

}  // namespace

Generator per_worker(std::function<Generator(std::size_t worker)> make) {
  ORDEAL_CHECK(make != nullptr, "per_worker() needs a function");
  return generator_of(EachWorker(std::move(make)));
}

Generator reserve(std::vector<Reserved> reserved, Generator rest) {
  return generator_of(Reserve(std::move(reserved), std::move(rest)));
}

Generator per_key(std::size_t group, std::size_t keys,
                  std::function<Generator(const Value& key)> make) {
  ORDEAL_CHECK(group > 0, "a group has at least one worker");
  ORDEAL_CHECK(make != nullptr, "per_key() needs a function");
  return generator_of(PerKey(group, keys, std::move(make)));
}

}  // namespace ordeal::workloads
