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
  Value result;               // ok reads
  std::string error;          // raw words of the answer, fail and info only
  std::int64_t revision = 0;  // of the answer, 0: not told
  std::string rule;           // by which rule the answer counts as ok, fail or info
  std::string role;           // what its node said of itself then: "leader in term 6"
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

// One operation before another, and why it must be so. Drawn as an arrow; a cycle of them is a
// contradiction.
struct Edge {
  EventIndex from = 0, to = 0;
  std::string kind;                  // "real-time", "ww", "wr", "rw", "process"
  std::string text;                  // "answered 308 ms before the other began"
  std::vector<EventIndex> evidence;  // beside the two, what proves it
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
  money,            // a sum that only moves changed, or what was not there was spent
  half_done,        // a business transaction ended neither done nor undone
  both_ways,        // a business transaction was confirmed and cancelled
  divergence,       // replicas that stopped changing hold different states
  no_recovery,      // nothing succeeds through a node although every fault is undone
};

[[nodiscard]] std::string_view to_text(Certainty certainty);
[[nodiscard]] std::string_view to_text(FindingKind kind);  // "stale-read", ...
[[nodiscard]] std::optional<FindingKind> finding_kind_named(std::string_view name);

// A line of a server's log, placed on the clock of the run.
struct LogLine {
  std::string node;
  std::string file;      // within the run directory: "nodes/n1/etcd.log"
  std::size_t line = 0;  // from 1
  Nanoseconds at{};      // since the start of the run, the node's clock offset taken off
  std::string level;     // as the server names it, upper case: "WARN"; empty when it has none
  std::string text;
};

// The nearest events around the violation, with signed distance: negative before it.
struct FindingContext {
  std::optional<std::string> nearest_fault;  // "1.31 s after partition {n1 n2 n3 | n4 n5} healed"
  std::optional<std::string>
      nearest_leader_change;  // "0.24 s before the leader changed n1 -> n4 (term 6 -> 7)"
  std::optional<Nanoseconds> from_fault, from_leader_change;  // negative: the violation came first
  std::vector<int> faults_on;                                 // FaultSpec::id
  std::string answered_by;  // "n4, follower of n1 in term 6; it was at revision 41, and op 7 at 44"
  std::vector<LogLine> log;   // the telling lines within log_window of it, by time
  std::size_t log_lines = 0;  // all lines within log_window, the told ones included
  Nanoseconds log_window{};   // zero: no log was looked at
};

// What earlier runs of the same workload on the same system say of a finding's signature.
struct SeenBefore {
  struct PerVersion {
    std::string version;  // of the tested system
    std::size_t runs = 0, seen = 0;
  };
  std::vector<PerVersion> versions;  // in the order in which they were first run
  std::string first, last;           // when the runs that showed it started; empty: none did
};

// A command line for the reader to copy, and what it is for.
struct Command {
  std::string purpose;  // "judge the recorded history again; needs no cluster"
  std::vector<std::string> words;
};

struct Finding {
  int number = 1;  // within the run
  FindingKind kind = FindingKind::nonlinearizable;
  std::string
      headline;  // "a read of x returned 3 although 7 had been written and acknowledged before"
  std::string promise;         // "linearizable reads and writes per key"
  std::string promise_source;  // where the tested system documents it, or says that it does not
  std::vector<std::string> also_ruled_out;  // weaker guarantees that the witness breaks as well
  std::vector<std::string> not_ruled_out;   // weaker ones that the witness alone leaves possible
  Value key;
  std::vector<WitnessOperation> witness;  // by invocation; impossible by itself
  std::vector<Reason> reasons;
  std::vector<Edge> edges;  // of a cycle, where the argument is one
  Certainty certainty = Certainty::suspected;
  std::string certainty_basis;  // "2 operations, checked by search and by trying all orders"
  std::string diagnosis;        // why this kind and not another: "12 later reads saw 7"
  std::size_t operations_on_key = 0;
  std::size_t unknown_on_key = 0;
  std::size_t bad_prefix_events =
      0;             // length of the shortest prefix of the history that is already impossible
  Nanoseconds at{};  // when the breaking operation completed
  FindingContext context;
  std::string signature;  // equal for the same trouble in different runs: kind / fault context;
                          // empty: a remark that is no trouble of its own
  std::optional<SeenBefore> seen_before;  // absent: nobody looked
  std::vector<Command> commands;
};

}  // namespace ordeal
