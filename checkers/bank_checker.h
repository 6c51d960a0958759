#pragma once
// Banks: money only moves. Each key is a bank; transfers [from, to, amount] move money between its
// accounts if it is there, or bring it in (from nil); `balances` answers what is in all of them.
//
// What must hold of every answer of `balances`, and of none but these:
//   no account is below zero: a transfer that is not covered must fail;
//   the sum over all accounts differs from that of an earlier answer only by money that came in
//   meanwhile, all of what certainly did, and of the rest whole deposits;
//   an account differs from an earlier answer at most by what may have moved meanwhile, and at
//   least by what certainly did.
// `Earlier` is an answer that was there before this one was asked for, or the empty bank. Transfers
// that failed moved nothing, those of unknown outcome may have at any time. Each is implied by
// atomic transfers and reads, so a bank that keeps its promise raises no alarm; not everything that
// breaks it is seen.
//
// O(n log n) and, for each answer, what was under way since the earlier one.

#include "checkers/check.h"
#include "core/history.h"
#include "core/verdict.h"

namespace ordeal::checkers {

[[nodiscard]] CheckReport check_bank(const History& history, const CheckOptions& options);

}  // namespace ordeal::checkers
