#pragma once
// Locks: nobody is granted a lock while somebody else certainly holds it, and fencing tokens grow
// from hold to hold. O(n log n).
//
// A hold is certain from the moment its acquire was answered until its release is asked for (by its
// process, or with its token by one that holds nothing), but
// no longer than the lock is promised to last when nobody releases it (LockOptions::lasts), counted
// from the moment the acquire was asked for: so a lease that expires in its time is no violation. A
// hold whose acquire was never answered is not certain at any time, and it can only delay others.
// So two certain holds at one moment are impossible for a correct lock, whatever else happened.
//
// Tokens are compared between acquires of which one was over before the other began. Acquires
// answered with nil have none.

#include "checkers/check.h"
#include "core/history.h"
#include "core/verdict.h"

namespace ordeal::checkers {

struct LockOptions {
  Nanoseconds lasts = 2s;
};

[[nodiscard]] CheckReport check_lock(const History& history, const CheckOptions& options,
                                     const LockOptions& lock = {});

}  // namespace ordeal::checkers
