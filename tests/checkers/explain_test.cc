// What a finding says, for each shape of contradiction.

#include <catch2/catch.hpp>

#include "checkers/linearizability.h"
#include "tests/checkers/script.h"

namespace ordeal::checkers::test {

namespace {

Finding only_finding(const History& history) {
  const CheckReport report = check_linearizable_register(history, {});
  REQUIRE(report.answer == CheckReport::Answer::invalid);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings.front().certainty == Certainty::proven);
  return report.findings.front();
}

Finding only_finding(std::string_view script) { return only_finding(history_of(script)); }

std::vector<EventIndex> witness_of(const Finding& finding) {
  std::vector<EventIndex> ids;
  for (const WitnessOperation& op : finding.witness) ids.push_back(op.id);
  return ids;
}

using Ids = std::vector<EventIndex>;

}  // namespace

TEST_CASE("a read behind an acknowledged write that others saw is stale") {
  const Finding finding =
      only_finding("0:w3 0:ok 1:w7 1:ok 2:r 2:ok3 3:r 3:ok7 4:r 4:ok7 0:w8 0:info");
  CHECK(finding.kind == FindingKind::stale_read);
  CHECK(finding.headline ==
        "a read of x returned 3 although 7 had been written and acknowledged 1 ms before it began");
  CHECK(finding.diagnosis == "stale, not lost: 2 later operations through n4, n5 found 7");
  CHECK(witness_of(finding) == Ids{0, 2, 4});
  CHECK(finding.promise == "linearizable reads and writes per key");
  CHECK(finding.signature == "stale-read");
  CHECK(finding.key == Value("x"));
  CHECK(finding.operations_on_key == 6);
  CHECK(finding.unknown_on_key == 1);
  CHECK(finding.bad_prefix_events == 6);
  CHECK(finding.at == 5ms);
  CHECK(
      finding.certainty_basis ==
      "3 operations, impossible by the checker's search and, apart from it, by trying all orders");
  REQUIRE(finding.reasons.size() == 5);
  CHECK(finding.reasons[0].text ==
        "op 0 wrote 3 and was answered 1 ms before op 2, which wrote 7, began: so 7 came after.");
  CHECK(finding.reasons[0].evidence == Ids{0, 2});
  CHECK(finding.reasons[1].text ==
        "op 2 wrote 7, and its client was told so 1 ms before op 4 began.");
  CHECK(finding.reasons[1].evidence == Ids{2, 4});
  CHECK(finding.reasons[2].text == "So op 4 must find 7 or something written after it.");
  CHECK(finding.reasons[3].text ==
        "Nobody but op 0 had written 3 (all 6 operations on x are accounted for, 1 write of "
        "unknown outcome).");
  CHECK(finding.reasons[4].text == "op 4 saw 3. Contradiction.");
}

TEST_CASE("a witness operation carries all that a reader needs") {
  const Finding finding = only_finding("0:w3 0:ok 1:c3,7 1:ok 2:r 2:ok3");
  REQUIRE(finding.witness.size() == 3);
  const WitnessOperation& cas = finding.witness[1];
  CHECK(cas.id == 2);
  CHECK(cas.invoked == 2);
  CHECK(cas.completed == 3);
  CHECK(cas.process == 1);
  CHECK(cas.node == "n2");
  CHECK(cas.request == Request{Function::cas, Value("x"), Value::list({3, 7})});
  CHECK(cas.outcome == Outcome::ok);
  CHECK(cas.invoked_at == 2ms);
  CHECK(cas.completed_at == 3ms);
  CHECK_FALSE(cas.breaks);
  const WitnessOperation& read = finding.witness[2];
  CHECK(read.result == Value(3));
  CHECK(read.breaks);
}

TEST_CASE("an acknowledged compare-and-set that nobody ever sees is a lost write") {
  const Finding finding = only_finding("0:w3 0:ok 1:c3,7 1:ok 2:r 2:ok3 3:r 3:ok3");
  CHECK(finding.kind == FindingKind::lost_write);
  CHECK(finding.headline ==
        "an acknowledged compare-and-set of x from 3 to 7 was lost: it was answered 1 ms before a "
        "read that "
        "returned 3 began");
  CHECK(finding.diagnosis ==
        "nobody ever saw 7, and nothing replaced it; 2 later operations through n3, n4 should "
        "have, up to the end "
        "of the run");
  CHECK(finding.reasons.front().text ==
        "op 2 found x = 3 and made it 7, and its client was told so 1 ms before op 4 began.");
}

TEST_CASE("a write that a later compare-and-set ignored is lost") {
  const Finding finding = only_finding("0:w3 0:ok 1:w7 1:ok 2:c3,9 2:ok 2:r 2:ok9");
  CHECK(finding.kind == FindingKind::lost_write);
  CHECK(finding.diagnosis ==
        "nobody ever saw 7, and op 4 took effect as if it had never been there");
}

TEST_CASE("a write that was replaced before anybody can have seen it is not called lost") {
  const Finding later = only_finding("0:w3 0:ok 1:w7 1:ok 2:r 2:ok3 4:w8 4:ok 2:r 2:ok8");
  CHECK(later.kind == FindingKind::stale_read);
  const Finding concurrent = only_finding("0:w3 0:ok 4:w8 1:w7 1:ok 4:ok 2:r 2:ok3 2:r 2:ok8");
  CHECK(concurrent.kind == FindingKind::stale_read);
}

TEST_CASE(
    "a value seen again after a later one was seen is stale, though nobody acknowledged either") {
  const Finding finding = only_finding("0:w3 1:w7 2:r 2:ok3 2:r 2:ok7 2:r 2:ok3");
  CHECK(finding.kind == FindingKind::stale_read);
  CHECK(finding.headline ==
        "a read of x returned 3 although 7 had already been seen 1 ms before it began");
  CHECK(witness_of(finding) == Ids{0, 1, 2, 4, 6});
}

TEST_CASE("nil after a write is stale or lost") {
  const Finding finding = only_finding("0:w7 0:ok 1:r 1:ok7 2:r 2:oknil");
  CHECK(finding.kind == FindingKind::stale_read);
  CHECK(
      finding.headline ==
      "a read of x returned nil although 7 had been written and acknowledged 3 ms before it began");
  CHECK(witness_of(finding) == Ids{0, 4});
}

TEST_CASE("a value from nowhere is a phantom") {
  const Finding never_written = only_finding("0:r 0:ok9");
  CHECK(never_written.kind == FindingKind::phantom_read);
  CHECK(never_written.headline == "a read of x returned 9, which nobody had written");
  CHECK(never_written.diagnosis == "no operation of the whole run set x to 9");

  const Finding later = only_finding("0:r 0:ok9 1:w9 1:ok");
  CHECK(later.headline == "a read of x returned 9, which was written only later");
  CHECK(later.diagnosis == "9 was written only later, by op 2");

  const Finding failed = only_finding("0:w9 0:fail 1:r 1:ok9");
  CHECK(failed.headline == "a read of x returned 9, whose only write had been reported as failed");
  CHECK(failed.diagnosis ==
        "op 0 tried to set 9 and was answered \"refused\": either a refused operation took effect, "
        "or the client "
        "reports as failed what it cannot know");

  const Finding swapped = only_finding("0:c5,9 0:ok");
  CHECK(swapped.headline == "a compare-and-set of x found 5, which nobody had written");

  const Finding made = only_finding("0:c5,9 0:info 1:r 1:ok9");
  CHECK(made.kind == FindingKind::phantom_read);
  CHECK(made.headline == "a read of x returned 9, which nobody can have written");
  CHECK(witness_of(made) == Ids{0, 2});
}

TEST_CASE("two compare-and-sets from one version are a lost update") {
  const Finding acknowledged = only_finding("0:w3 0:ok 1:c3,7 2:c3,9 1:ok 2:ok 3:r 3:ok9");
  CHECK(acknowledged.kind == FindingKind::lost_update);
  CHECK(acknowledged.headline == "two compare-and-sets of x both succeeded from the same 3");
  CHECK(acknowledged.diagnosis == "both replaced 3: 0 reads of the whole run saw 7, 1 saw 9");
  CHECK(witness_of(acknowledged) == Ids{0, 2, 3});

  const Finding observed =
      only_finding("0:w3 0:ok 1:c3,7 1:info 2:c3,9 2:info 3:r 3:ok7 4:r 4:ok9");
  CHECK(observed.kind == FindingKind::lost_update);
  CHECK(observed.reasons[0].text ==
        "op 2 found x = 3 and made it 7; its client never learned that, but op 6 found 7.");
  CHECK(observed.reasons[0].evidence == Ids{2, 6});
}

TEST_CASE("a value between the two ends of a compare-and-set") {
  const Finding finding = only_finding("0:w1 0:ok 1:c1,2 3:w5 2:r 2:ok1 2:r 2:ok5 2:r 2:ok2");
  CHECK(finding.kind == FindingKind::nonlinearizable);
  CHECK(finding.headline ==
        "x was 5 between 1 and 2, although a compare-and-set led from one to the other");
  CHECK(finding.reasons.size() == 4);
}

TEST_CASE("a read that was merely behind a compare-and-set and a write beside it is stale") {
  const std::string script = "0:w1 0:ok 1:c1,2 3:w5 3:ok 1:ok 2:r 2:ok2";
  const Finding open = only_finding(script);
  CHECK(open.kind == FindingKind::nonlinearizable);

  const Finding seen = only_finding(script + " 4:r 4:ok5");
  CHECK(seen.kind == FindingKind::stale_read);
  CHECK(seen.headline ==
        "a read of x returned 2 although 5 had been written and acknowledged 2 ms before it began");
  CHECK(seen.diagnosis == "stale, not lost: op 8 found 5 afterwards");

  History told = history_of(script);
  for (Operation& op : told.operations)
    op.revision = op.function == Function::write ? 10 : 9;  // the compare-and-set and the read
  const Finding behind = only_finding(told);
  CHECK(behind.kind == FindingKind::stale_read);
  CHECK(behind.diagnosis ==
        "stale, not lost: by the system's own order op 6 was answered at revision 9, before op 3 "
        "at 10");
  for (Operation& op : told.operations)
    if (op.function == Function::read) op.revision = 11;
  CHECK(only_finding(told).kind == FindingKind::nonlinearizable);
}

TEST_CASE("repeated values are explained by how far the orders get") {
  const Finding finding = only_finding("0:w1 0:ok 1:w2 1:ok 2:w1 2:ok 3:w2 3:ok 4:r 4:ok1");
  CHECK(witness_of(finding) == Ids{4, 6, 8});
  REQUIRE(finding.reasons.size() == 4);
  CHECK(finding.reasons[0].text == "No order gets further than this: op 4 wrote 1, op 6 wrote 2.");
  CHECK(finding.reasons[1].text ==
        "There x is 2, and what would have to come next does not fit: op 8 saw 1.");
  CHECK(finding.reasons[2].text ==
        "1 further write of the same values not shown cannot be what these operations found: each "
        "had been replaced "
        "for certain before they began, or began after they were answered.");
}

TEST_CASE("a witness too long for the verifier is suspected, not proven") {
  std::string script = "0:w1 0:ok";
  for (int i = 1; i < 17; ++i) {
    script += " 0:c" + std::to_string(i) + "," + std::to_string(i + 1) + " 0:ok";
  }
  const CheckReport report = check_linearizable_register(history_of(script + " 1:r 1:ok16"), {});
  REQUIRE(report.findings.size() == 1);
  const Finding& finding = report.findings.front();
  CHECK(finding.witness.size() == 18);
  CHECK(finding.certainty == Certainty::suspected);
  CHECK(finding.certainty_basis ==
        "18 operations, impossible by the checker's search; too many to try all orders");
}

}  // namespace ordeal::checkers::test
