#pragma once
// A finding: one violated promise, as data that renderers only print. The proof (witness and
// reasons) is kept apart from the diagnosis (what the rest of the history makes of it) and the
// context (faults and leaders around it). Schema 1 of finding.json; additions only.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/op.h"

namespace ordeal {

// An operation copied out of the history with all that a reader needs to see of it.
struct WitnessOperation {
  EventIndex id = 0;  // index of the invocation event: the operation's name in this run
  Process process = 0;
  std::string node;
  Request request;
  Outcome outcome = Outcome::info;
  Value result;       // ok reads
  std::string error;  // raw words of the answer, fail and info only
  Nanoseconds invoked_at{};
  std::optional<Nanoseconds> completed_at;  // absent: no answer was ever recorded
  EventIndex invoked = 0;                   // == id
  EventIndex completed = never;
  bool breaks = false;  // the operation at which no order is left
};

// One step of the argument: prose, and the operations that it rests on.
struct Reason {
  std::string text;
  std::vector<EventIndex> evidence;
};

enum class Certainty {
  proven,     // an independent verifier, sharing no code with the checker, agrees
  suspected,  // it could not be asked (the witness is too large for it)
};

// What kind of harm it is, told from the rest of the history. A diagnosis, not a proof.
enum class FindingKind {
  stale_read,    // saw a value that an operation acknowledged before had replaced; later reads saw
                 // the newer one
  lost_write,    // no read ever saw an acknowledged write that nothing replaced
  phantom_read,  // saw a value that nobody wrote, or that was written only later
  lost_update,   // two compare-and-sets succeeded on the same version
  nonlinearizable,  // no order exists, and none of the above names it
  lost_element,     // an acknowledged element or event is gone
  duplicate,        // an element, event or step is there more often than was asked for
  out_of_order,     // things came in another order than was promised
  two_holders,      // a lock was held twice at a time
  stale_token,      // a later hold of a lock got no greater fencing token
  money,            // a sum that only moves changed
  half_done,        // a business transaction ended neither done nor undone
  both_ways,        // a business transaction was confirmed and cancelled
};

[[nodiscard]] std::string_view to_text(Certainty certainty);
[[nodiscard]] std::string_view to_text(FindingKind kind);  // "stale-read", ...
[[nodiscard]] std::optional<FindingKind> finding_kind_named(std::string_view name);

// The nearest events around the violation, with signed distance: negative before it.
struct FindingContext {
  std::optional<std::string> nearest_fault;  // "1.31 s after partition {n1 n2 n3 | n4 n5} healed"
  std::optional<std::string>
      nearest_leader_change;  // "0.24 s before the leader changed n1 -> n4 (term 6 -> 7)"
};

struct Finding {
  int number = 1;  // within the run
  FindingKind kind = FindingKind::nonlinearizable;
  std::string
      headline;  // "a read of x returned 3 although 7 had been written and acknowledged before"
  std::string promise;  // "linearizable reads and writes per key"
  Value key;
  std::vector<WitnessOperation> witness;  // by invocation; impossible by itself
  std::vector<Reason> reasons;
  Certainty certainty = Certainty::suspected;
  std::string certainty_basis;  // "2 operations, checked by search and by trying all orders"
  std::string diagnosis;        // why this kind and not another: "12 later reads saw 7"
  std::size_t operations_on_key = 0;
  std::size_t unknown_on_key = 0;
  std::size_t bad_prefix_events =
      0;             // length of the shortest prefix of the history that is already impossible
  Nanoseconds at{};  // when the breaking operation completed
  FindingContext context;
  std::string signature;  // equal for the same trouble in different runs: kind / fault context
};

}  // namespace ordeal
