#pragma once
// Sequential consistency of a register (Lamport 1979): is there one order of its operations that
// gives every answer and in which each client's own operations keep their order? Real time between
// clients does not count, so it may hold where linearizability is broken: then somebody saw the
// past, but nobody saw it go backwards. Linear, for keys whose written values differ. Pure; any
// thread.

#include <optional>

#include "checkers/split.h"

namespace ordeal::checkers {

// An operation of unknown outcome comes behind those that its client had completed, and nothing
// need come behind it. nullopt: a value was written twice, or nil; or values are denied. `history`
// is where the clients stand.
[[nodiscard]] std::optional<bool> is_sequential(const Register& reg, const History& history);

}  // namespace ordeal::checkers
