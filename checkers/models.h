#pragma once
// The sequential models that the general search knows, each a few lines: a state, where it starts,
// what a call makes of it, and which calls only look. A model of your own is one more struct and
// one line in models.cc. Pure.

#include <algorithm>
#include <concepts>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "checkers/call.h"
#include "checkers/search.h"

namespace ordeal::checkers {

[[nodiscard]] inline std::uint64_t hash_of(const Value& state) { return state.hash(); }
[[nodiscard]] std::uint64_t hash_of(const std::vector<Value>& state);

// About as much memory as one more such state takes.
[[nodiscard]] std::size_t bytes_of(const Value& state);
[[nodiscard]] std::size_t bytes_of(const std::vector<Value>& state);

template <class M>
concept Model = requires(const typename M::State& state, const Call& call) {
  { M::start() } -> std::same_as<typename M::State>;
  // The state afterwards; nullopt when the call cannot have answered so. An unknown call may have
  // answered anything.
  { M::step(state, call) } -> std::same_as<std::optional<typename M::State>>;
  { M::only_looks(call) } -> std::same_as<bool>;
  { hash_of(state) } -> std::same_as<std::uint64_t>;
  { bytes_of(state) } -> std::same_as<std::size_t>;
};

// The states that a search has met, and the transitions between them that it has asked for.
template <Model M>
class ModelSpace : public StateSpace {
 public:
  ModelSpace() { (void)id_of(M::start()); }

  std::uint32_t kind_of(const Call& call) {
    const std::uint64_t hash = (call.argument.hash() * 31 + call.result.hash()) * 31 +
                               call.key.hash() * 7 + static_cast<std::uint64_t>(call.act) * 2 +
                               (call.is_certain() ? 1U : 0U) + owner_of(call) * 101U;
    for (auto [i, end] = kinds_.equal_range(hash); i != end; ++i) {
      const Call& other = calls_[i->second];
      if (other.act == call.act && owner_of(other) == owner_of(call) &&
          other.is_certain() == call.is_certain() && other.argument == call.argument &&
          other.result == call.result && other.key == call.key) {
        return i->second;
      }
    }
    calls_.push_back(call);
    const auto kind = static_cast<std::uint32_t>(calls_.size() - 1);
    kinds_.emplace(hash, kind);
    return kind;
  }
  StateId step(StateId state, std::uint32_t kind) override {
    const std::uint64_t which = std::uint64_t{state} << 32U | kind;
    if (const auto known = steps_.find(which); known != steps_.end()) return known->second;
    const StateId next = after(state, kind);
    steps_.emplace(which, next);
    return next;
  }
  bool only_looks(std::uint32_t kind) const override { return M::only_looks(calls_[kind]); }
  std::size_t bytes() const override { return steps_.size() * 64 + state_bytes_; }

 protected:
  // A step that was not asked for before.
  virtual StateId after(StateId state, std::uint32_t kind) {
    const auto next = M::step(states_[state], calls_[kind]);
    return next ? id_of(*next) : no_state;
  }
  [[nodiscard]] const Call& call_of(std::uint32_t kind) const { return calls_[kind]; }
  [[nodiscard]] const typename M::State& state_of(StateId id) const { return states_[id]; }
  StateId id_of(const typename M::State& state) {
    const std::uint64_t hash = hash_of(state);
    for (auto [i, end] = ids_.equal_range(hash); i != end; ++i) {
      if (states_[i->second] == state) return i->second;
    }
    states_.push_back(state);
    state_bytes_ += 256 + bytes_of(state);
    const auto id = static_cast<StateId>(states_.size() - 1);
    ids_.emplace(hash, id);
    return id;
  }

 private:
  // It matters who acquires and releases; nowhere else.
  static std::uint64_t owner_of(const Call& call) {
    const bool owns = call.act == Act::acquire || call.act == Act::release;
    return owns ? static_cast<std::uint32_t>(call.process) : 0;
  }

  std::vector<Call> calls_;  // one of each kind
  std::unordered_multimap<std::uint64_t, std::uint32_t> kinds_;
  std::vector<typename M::State> states_;
  std::size_t state_bytes_ = 0;
  std::unordered_multimap<std::uint64_t, StateId> ids_;
  std::unordered_map<std::uint64_t, StateId> steps_;
};

// A model by name, for those who choose at run time.
struct ModelKind {
  std::string_view name;
  std::string_view summary;
  bool is_per_key;  // calls on different keys do not touch each other
  std::vector<Act> acts;
  // `calls` by invocation; see decide_by_search. An order is found by search, but for registers
  // whose values are new.
  Decision (*decide)(const std::vector<Call>& calls, const Budget& budget,
                     std::vector<std::uint32_t>* order);
  // Whether the calls in that order, without looking at time, answer as the model does.
  bool (*replay)(const std::vector<Call>& calls, const std::vector<std::uint32_t>& order);
  bool (*only_looks)(const Call& call);
  // Whether leaving out all calls on one element leaves a right order right.
  bool is_elementwise;
};
[[nodiscard]] const std::vector<ModelKind>& model_kinds();
[[nodiscard]] const ModelKind* model_named(std::string_view name);

// The twenty lines that a right order is checked with: every certain call once, none before one
// that it must follow, and every answer what the model gives.
[[nodiscard]] bool is_right_order(const ModelKind& model, const std::vector<Call>& calls,
                                  const std::vector<std::uint32_t>& order);

}  // namespace ordeal::checkers
