#pragma once
// Business transactions in steps: sagas (do, and undo in reverse order) and TCC (try, then confirm
// or cancel, on every branch). Each key is a transaction; its ledger, as clients read it, lists its
// deeds [id, place, deed] in order, and how it ended as [id, "-", end]. O(n) in the deeds read.
//
// What must hold of every ledger that is read:
//   a deed happens once at a place; an undo, confirm or cancel comes after the do or try; a try
//   does not come after the cancel of its place; undos come in reverse order of the dos;
//   a transaction is not confirmed at one place and cancelled at another;
//   one that says that it has ended, or was answered before the read began, is done at every place,
//   or undone at every place where it was begun, and ended as was answered.
// What was read once is there in every later read.
//
// That one never ends is said when nothing more is to be expected: reads that began `settle` after
// the last transaction was asked for show the same open ledger over `stuck`. One that is open and
// was not watched for that long, or still grew, is undecided: it may only be slow.

#include "checkers/check.h"
#include "core/history.h"
#include "core/verdict.h"

namespace ordeal::checkers {

struct StepsOptions {
  Function function = Function::saga;  // or tcc
  Nanoseconds settle = 2s;
  Nanoseconds stuck = 8s;
};

[[nodiscard]] CheckReport check_steps(const History& history, const CheckOptions& options,
                                      const StepsOptions& steps);

}  // namespace ordeal::checkers
