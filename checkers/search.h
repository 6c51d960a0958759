#pragma once
// Linearizability by search, for any deterministic model: any values, any mix, exact, exponential
// in the worst case.
//
// After Wing and Gong (1993) and Lowe, "Testing for linearizability" (2017): depth-first, just in
// time (an operation takes effect only when one must return), with a memory of the configurations
// already tried. The search stands at a completion, so a configuration needs only the operations
// pending there, not the whole history: at a quiescent point it is the state alone. States are
// small numbers, each met once: the model is asked for a transition only the first time.
//
// What is not tried, and why nothing is lost: see search.cc. Several threads share a search that
// turns out to be hard (checkers/frontier). Pure; any thread.

#include <vector>

#include "checkers/decide.h"
#include "checkers/split.h"

namespace ordeal::checkers {

using StateId = std::uint32_t;
inline constexpr StateId first_state = 0;
inline constexpr StateId no_state = ~StateId{0};

// What a search needs to know of a model. A kind is all operations that do and answer the same.
class StateSpace {
 public:
  virtual ~StateSpace() = default;
  // The state that an operation of that kind leaves behind; no_state when it cannot have answered
  // so.
  [[nodiscard]] virtual StateId step(StateId state, std::uint32_t kind) = 0;
  // Whether operations of that kind leave every state as it was.
  [[nodiscard]] virtual bool only_looks(std::uint32_t kind) const = 0;
  // Whether operations of that kind, pending in that state, may as well happen there: they leave
  // it as it was, and nothing that can follow needs them later.
  [[nodiscard]] virtual bool is_spent(StateId /*state*/, std::uint32_t /*kind*/) const {
    return false;
  }
  [[nodiscard]] virtual std::size_t bytes() const = 0;
};

struct SearchOp {
  EventIndex invoked = 0;
  EventIndex completed = never;  // never: unknown, it may have no effect at all
  std::uint32_t kind = 0;
  [[nodiscard]] bool is_certain() const { return completed != never; }
};

// `ops` by invocation. When valid and an `order` is given, it becomes the positions of operations
// in one right order, without the unknown ones that need not have happened; it is found by one
// thread, so that it is the same each time.
[[nodiscard]] Decision decide_by_search(const std::vector<SearchOp>& ops, StateSpace& space,
                                        const Budget& budget,
                                        std::vector<std::uint32_t>* order = nullptr);

// A register. `ops` should have been through drop_unobservable; the answer does not depend on it,
// the time does.
[[nodiscard]] Decision decide_by_search(const std::vector<RegisterOp>& ops, const Budget& budget,
                                        std::vector<std::uint32_t>* order = nullptr);

}  // namespace ordeal::checkers
