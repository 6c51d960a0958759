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
// What was read once is there in every later read. And in the reads at the end of the run, which
// begin at least SettleTime after the last transaction was asked for, every one has ended.

#include "checkers/check.h"
#include "core/history.h"
#include "core/verdict.h"

namespace ordeal::checkers {

struct StepsOptions {
  Function function = Function::saga;  // or tcc
  Nanoseconds settle = 2s;
};

[[nodiscard]] CheckReport check_steps(const History& history, const CheckOptions& options,
                                      const StepsOptions& steps);

}  // namespace ordeal::checkers
