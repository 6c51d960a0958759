#pragma once
// The sentences that several renderers share, so that a terminal, a page and a CI server say the
// same thing in the same words. Plain text, already cleaned.

#include <string>
#include <vector>

#include "core/run.h"

namespace ordeal::results {

[[nodiscard]] std::string system_name(const RunRecord& run);    // "etcd 3.4.23"
[[nodiscard]] std::string nemesis_names(const RunRecord& run);  // "partition + kill", "no faults"
[[nodiscard]] std::vector<std::string> option_words(
    const RunRecord& run);  // "reads serializable", ...
[[nodiscard]] std::vector<const Finding*> findings_of(const RunRecord& run);

// A finding that only counts what others explain: it happened at no moment and has no operations.
[[nodiscard]] bool is_remark(const Finding& finding);

// What the system did, by kind: "returned stale data". Gloss: the kind in one sentence for those
// who are new to it.
[[nodiscard]] std::string deed(FindingKind kind);
[[nodiscard]] std::string gloss(FindingKind kind);
// "All 310 operations on key 1 are accounted for, ...": that nothing was left out; empty when the
// finding is about no key.
[[nodiscard]] std::string completeness(const Finding& finding);
// Where the promise is documented: "etcd documents it under ..."; empty when nobody said.
[[nodiscard]] std::string source_words(const RunRecord& run, const Finding& finding);
// The promise in words for those who are new to it; empty when it speaks for itself.
[[nodiscard]] std::string gloss(const std::string& promise);
// "etcd 3.4.23 returned stale data: a read of x ..."
[[nodiscard]] std::string headline(const RunRecord& run, const Finding& finding);
// The verdict in one sentence, for whatever verdict it is.
[[nodiscard]] std::string headline(const RunRecord& run);
// "1.31 s after partition {...} healed; 0.24 s before ..."
[[nodiscard]] std::string surroundings(const Finding& finding);
// "proven: 2 operations, checked by ..."
[[nodiscard]] std::string certainty(const Finding& finding);

[[nodiscard]] std::string asked(const WitnessOperation& op);  // "cas x 3->7"
[[nodiscard]] std::string answered(
    const WitnessOperation& op);  // "ok", "7", "unknown: timeout: ..."
[[nodiscard]] std::string answered_in_short(
    const WitnessOperation& op);  // without the words of the error

// The raw answer: "answered 3, at revision 41", "answered: timeout: DEADLINE_EXCEEDED".
[[nodiscard]] std::string answer_in_full(const WitnessOperation& op);

[[nodiscard]] std::string fault_aim(const FaultSummary& fault);  // "leader, one_way true"
[[nodiscard]] std::string fault_hit(
    const FaultSummary& fault);  // "n1 n2 | n3 n4 n5", "never began"
// Faults that began and are not known to be undone: somebody must clean up.
[[nodiscard]] std::size_t faults_left_on(const RunRecord& run);

[[nodiscard]] std::string fault_words(
    const RunRecord& run);  // "kill 3/3, partition 4/4 took effect"
[[nodiscard]] std::vector<std::string> function_words(
    const RunRecord& run);  // "read 60,102 ok", ...
[[nodiscard]] std::vector<std::string> health_words(const RunRecord& run);
// "n3, 1.21 s": the node that took longest to serve again after the fault; "n3 never did".
[[nodiscard]] std::string slowest_node(const Recovery& recovery);
// "Sequential consistency is broken too. ... is not ruled out by these operations alone."; may be
// empty.
[[nodiscard]] std::string weaker_words(const Finding& finding);
// "seen in 7 of 20 runs of the same plan, after 41 s in the median"; empty when nobody measured it.
[[nodiscard]] std::string reproduction_words(const RunRecord& run);
// "in 14 of 140 earlier runs, first 2026-11-02, last 2026-11-28; version 3.4.22 did not show it in
// 30 runs"; empty when nobody looked or there were none.
[[nodiscard]] std::string seen_before_words(const Finding& finding);
// "etcd 3.4.23 · 5 nodes · Linux 6.1 · partition + kill · seed 42 · reads serializable · Ordeal 1".
[[nodiscard]] std::string tested_words(const RunRecord& run);
// A line of a server's log: "62.879  n1  INFO   became leader".
[[nodiscard]] std::string log_line_words(const LogLine& line, std::size_t width);
// What the log lines are, and where they come from: "12 of 40 lines within 2 s; ...".
[[nodiscard]] std::string log_words(const RunRecord& run, const Finding& finding);
[[nodiscard]] std::string check_answer(CheckReport::Answer answer);  // "pass", "FAIL", "unknown"

}  // namespace ordeal::results
