#pragma once
// Sets that only grow: is there one order of the adds and of the reads of all members, in agreement
// with real time, in which every read has exactly what was added before it? Exact, O(n log n)
// beside the size of the reads.
//
// Why it is exact. In an order that fits, reads see ever larger sets, so their answers must form a
// chain S1 < S2 < ...; an element that some read has was added between the last read without it and
// the first with it, one that no read has after all reads. That fixes groups of operations, in this
// sequence: adds of S1, reads of S1, adds of S2 \ S1, reads of S2, ..., adds that nobody saw;
// within a group every order is as good. So the history is right if and only if no operation of a
// later group was over before one of an earlier group began.
//
// `fail` did not happen. An add of unknown outcome that nobody saw may be left out. A read without
// an answer saw nothing. Elements are added once each; an element that was asked for twice makes
// its key undecided.

#include <string_view>

#include "checkers/check.h"
#include "core/history.h"
#include "core/verdict.h"

namespace ordeal::checkers {

[[nodiscard]] CheckReport check_set(const History& history, const CheckOptions& options);

}  // namespace ordeal::checkers
