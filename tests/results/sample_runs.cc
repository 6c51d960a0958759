#include "tests/results/sample_runs.h"

namespace ordeal::results {

namespace {

Nanoseconds ms(std::int64_t milliseconds) { return std::chrono::milliseconds(milliseconds); }

FaultSummary fault(int id, const char* kind, const char* targets, const char* hit,
                   Nanoseconds began, Nanoseconds ended, const char* evidence) {
  FaultSummary summary;
  summary.spec.id = id;
  summary.spec.kind = kind;
  summary.spec.targets = targets;
  summary.spec.begin = began;
  summary.spec.duration = ended - began;
  summary.resolved = hit;
  summary.began = began;
  summary.ended = ended;
  summary.evidence = {evidence};
  summary.took_effect = true;
  summary.healed = true;
  return summary;
}

RunRecord etcd_run() {
  RunRecord run;
  run.name = "2026-11-23T02-04-31-etcd-register-partition+kill-s42";
  run.cluster = "etcd";
  run.workload = "register";
  run.nemeses = {"partition", "kill"};
  run.version = "3.4.23";
  run.seed = 42;
  run.nodes = 5;
  run.clients = 10;
  run.started = "2026-11-23T02:04:31Z";
  run.duration = 60s;
  run.ordeal_version = "0.1.0";
  run.coverage.operations = 131'904;
  run.coverage.functions = {
      {"cas", {20'110, 19'833, 41}}, {"read", {60'102, 12, 0}}, {"write", {31'770, 3, 33}}};
  run.coverage.faults = {{"kill", {2, 2, 2}}, {"partition", {2, 2, 2}}};
  run.coverage.operations_during_faults = 44'206;
  run.coverage.ok_during_faults = 16'799;
  run.coverage.leader_changes = 3;
  run.coverage.leaders_deposed_by_faults = 2;
  run.coverage.keys = 40;
  run.coverage.keys_checked = 40;
  run.health.nodes = 5;
  run.health.nodes_up_at_end = 5;
  run.health.logs_collected = 5;
  run.health.recovery = ms(1'210);
  CheckReport check;
  check.checker = "linearizable";
  check.answer = CheckReport::Answer::valid;
  check.keys = 40;
  check.keys_decided = 40;
  check.took = ms(812);
  run.checks = {check};
  FaultSummary bridge = fault(3, "partition", "", "n1 n2 n3 | n4 n5", ms(55'900), ms(61'570),
                              "n4: 214 packets dropped");
  bridge.spec.parameters = {{"shape", "halves"}};
  FaultSummary cut_leader = fault(1, "partition", "leader", "n2 | n1 n3 n4 n5", ms(6'020),
                                  ms(11'400), "n2: 1,093 packets dropped");
  cut_leader.spec.parameters = {{"one_way", true}, {"shape", "one"}};
  run.faults = {
      cut_leader,
      fault(2, "kill", "minority", "n3 n5", ms(20'310), ms(25'077), "n3: pid 811 is gone"), bridge,
      fault(4, "kill", "one", "n2", ms(72'400), ms(77'950), "n2: pid 734 is gone")};
  run.leaders = {{ms(240), "", "n2", 2},
                 {ms(7'530), "n2", "n1", 6},
                 {ms(63'118), "n1", "n4", 7},
                 {ms(72'950), "n4", "n2", 8}};
  run.kernel = "Linux 6.1.0-18-amd64";
  for (const char* node : {"n1", "n2", "n3", "n4", "n5"}) {
    run.clocks.push_back({node, ms(3), ms(1)});
    run.replicas.push_back({node, true, "", 8, 20'931, 20'931, 20'904, "5d1c09ab"});
  }
  run.recoveries = {
      {1, ms(3), ms(2), ms(1'512), ms(1'490), 4, {{"n1", ms(2)}, {"n2", ms(840)}}},
      {2, ms(2), ms(2), ms(14), 0s, 0, {{"n3", ms(1'720)}, {"n5", ms(1'640)}}},
      {4, ms(1'210), ms(3), ms(1'290), ms(1'180), 1, {{"n1", ms(3)}, {"n2", std::nullopt}}}};
  run.definite_errors = {"not-connected because nothing was sent"};
  run.verdict = Verdict::pass;
  return run;
}

WitnessOperation operation(EventIndex id, Process process, const char* node, Request request,
                           Nanoseconds invoked_at, Nanoseconds completed_at) {
  WitnessOperation op;
  op.id = id;
  op.process = process;
  op.node = node;
  op.request = std::move(request);
  op.outcome = Outcome::ok;
  op.invoked_at = invoked_at;
  op.completed_at = completed_at;
  op.invoked = id;
  op.completed = id + 1;
  return op;
}

Finding lost_write() {
  Finding finding;
  finding.kind = FindingKind::lost_write;
  finding.headline = "cas x 3->7 was answered ok, yet every later read of x saw 3";
  finding.promise = "linearizable reads and writes per key";
  finding.key = "x";
  finding.witness = {
      operation(8810, 4, "n1", {Function::write, "x", 3}, ms(61'204), ms(61'209)),
      operation(8841, 7, "n1", {Function::cas, "x", Value::list({3, 7})}, ms(62'877), ms(62'882)),
      operation(8856, 2, "n4", {Function::read, "x", {}}, ms(63'190), ms(63'194))};
  finding.witness.back().result = 3;
  finding.witness.back().breaks = true;
  finding.reasons = {{"the compare-and-set found x = 3 and made it 7, and its client was told so "
                      "308 ms before the read began",
                      {8841, 8856}},
                     {"so the read must see 7, or something written after it", {8841, 8856}},
                     {"nobody else wrote x after the compare-and-set", {8841}},
                     {"the read saw 3: no order of these operations gives that answer", {8856}}};
  finding.certainty = Certainty::proven;
  finding.certainty_basis = "3 operations, checked by search and by trying all orders";
  finding.diagnosis = "41 later reads through all 5 nodes never saw 7";
  finding.operations_on_key = 214;
  finding.unknown_on_key = 2;
  finding.bad_prefix_events = 8'860;
  finding.at = ms(63'194);
  finding.context.nearest_fault = "1.62 s after partition n1 n2 n3 | n4 n5 healed";
  finding.context.nearest_leader_change = "76 ms after the leader changed n1 -> n4 (term 6 -> 7)";
  finding.promise_source = "etcd documents it under \"KV API guarantees\"";
  finding.not_ruled_out = {"sequential consistency (each client sees its own order)"};
  finding.context.from_fault = ms(1'624);
  finding.context.from_leader_change = ms(76);
  finding.context.answered_by =
      "n4, leader in term 7; it answered at revision 20808, although n1 had answered operation "
      "8841 "
      "at revision 20811 before";
  finding.context.log = {
      {"n4", "nodes/n4/etcd.log", 51'077, ms(63'021), "WARN", "election timeout, term=7"},
      {"n4", "nodes/n4/etcd.log", 51'080, ms(63'118), "INFO", "became leader at term 7"},
      {"n1", "nodes/n1/etcd.log", 48'120, ms(63'199), "WARN", "truncating log from 20811"}};
  finding.context.log_lines = 40;
  finding.context.log_window = 2s;
  for (WitnessOperation& op : finding.witness) {
    op.role = op.breaks ? "leader in term 7" : "leader in term 6";
    op.rule = "ok: the client was given an answer, without an error";
    op.revision = op.breaks ? 20'808 : 20'700 + op.id % 100 + 70;
  }
  finding.signature = "lost-write / after partition";
  finding.seen_before = {
      {{"3.4.22", 140, 0}, {"3.4.23", 31, 6}}, "2026-11-20T02:04:31Z", "2026-11-22T02:04:31Z"};
  return finding;
}

Finding stale_read() {
  Finding finding;
  finding.number = 2;
  finding.kind = FindingKind::stale_read;
  finding.headline = "a read of k17 returned nil although 9 had been read before";
  finding.promise = "linearizable reads and writes per key";
  finding.key = "k17";
  WitnessOperation write =
      operation(120, 11, "n1", {Function::write, "k17", 9}, ms(2'000), ms(7'000));
  write.outcome = Outcome::info;
  write.error = "timeout: DEADLINE_EXCEEDED: context deadline exceeded";
  WitnessOperation lost = operation(131, 12, "n2", {Function::write, "k17", 10}, ms(3'100), 0s);
  lost.outcome = Outcome::info;
  lost.completed_at.reset();
  lost.completed = never;
  finding.witness = {write, lost,
                     operation(140, 3, "n3", {Function::read, "k17", {}}, ms(4'000), ms(4'003)),
                     operation(151, 5, "n5", {Function::read, "k17", {}}, ms(4'600), ms(4'602))};
  finding.witness[2].result = 9;
  finding.witness[3].breaks = true;
  finding.reasons = {{"one read saw 9, so the write had taken effect by then", {140, 120}},
                     {"the next read saw nil, which nothing can restore", {151}}};
  finding.certainty_basis = "the verifier takes at most 12 operations";
  finding.operations_on_key = 18;
  finding.unknown_on_key = 1;
  finding.at = ms(4'602);
  finding.context.nearest_fault = "while partition n5 | n1 n2 n3 n4 was on";
  finding.signature = "stale-read / during partition";
  return finding;
}

}  // namespace

RunRecord passed_run() { return etcd_run(); }

RunRecord failed_run() {
  RunRecord run = etcd_run();
  run.name = "2026-11-23T02-04-31-FAIL-etcd-register-partition+kill-s42";
  run.options = {{"reads", "serializable"}};
  run.verdict = Verdict::fail;
  run.checks.front().answer = CheckReport::Answer::invalid;
  run.checks.front().findings = {lost_write()};
  return run;
}

RunRecord stale_run() {
  RunRecord run = failed_run();
  run.nemeses = {"partition"};
  run.coverage.faults = {{"partition", {1, 1, 0}}};
  FaultSummary cut =
      fault(1, "partition", "one", "n5 | n1 n2 n3 n4", ms(3'400), 0s, "n5: 40 packets dropped");
  cut.ended.reset();
  cut.healed = false;
  cut.trouble = "n5: cannot reach n5 to undo the partition: connection refused";
  run.faults = {cut};
  run.leaders = {{ms(240), "", "n2", 2}};
  run.health.nodes_up_at_end = 4;
  run.health.logs_collected = 4;
  run.health.recovery.reset();
  run.health.holes = {"n5's log was not collected: connection refused"};
  run.reasons = {{Verdict::broken, "the partition of n5 could not be undone",
                  "see whether n5 is up, then run `ordeal heal`"}};
  Finding first = stale_read();
  first.number = 1;
  run.checks.front().findings = {first, lost_write()};
  run.checks.front().findings.back().number = 2;
  return run;
}

RunRecord inconclusive_run() {
  RunRecord run = etcd_run();
  run.verdict = Verdict::inconclusive;
  run.name = "2026-11-23T02-04-31-INCONCLUSIVE-etcd-register-partition+kill-s42";
  run.reasons = {{Verdict::inconclusive, "the kill fault never took effect: 0 of 2",
                  "see what `ordeal doctor` says of the nodes, or leave kill out of --nemesis"},
                 {Verdict::inconclusive,
                  "key 17 was not decided within 60 s: 61 writes of unknown outcome overlap",
                  "give the checker more time: --check-time 5m"}};
  run.coverage.faults["kill"] = {2, 0, 2};
  run.coverage.keys_checked = 39;
  for (FaultSummary& kill : run.faults) {
    if (kill.spec.kind != "kill") continue;
    kill.evidence.clear();
    kill.took_effect = false;
    kill.trouble = "n3: pid 811 is still there after 2 s";
  }
  CheckReport& check = run.checks.front();
  check.answer = CheckReport::Answer::unknown;
  check.keys_decided = 39;
  check.undecided = {
      {17, "61 writes of unknown outcome overlap; a shorter --op-timeout leaves fewer of them"}};
  check.took = 60s;
  return run;
}

RunRecord broken_run() {
  RunRecord run = etcd_run();
  run.verdict = Verdict::broken;
  run.name = "2026-11-23T02-04-31-BROKEN-etcd-register-partition+kill-s42";
  run.version.clear();
  run.duration = 0s;
  run.reasons = {{Verdict::broken, "starting n3: port 2379 is in use by etcd (pid 4121)",
                  "stop it there, or give the nodes other ports with --client-port"}};
  run.coverage = {};
  run.coverage.faults = {{"kill", {2, 0, 0}}, {"partition", {2, 0, 0}}};
  run.health = {};
  run.health.nodes = 5;
  run.health.holes = {"n3's log was not collected: etcd was never started there"};
  run.checks.clear();
  run.leaders.clear();
  for (FaultSummary& fault : run.faults) {
    FaultSummary never;
    never.spec = fault.spec;
    never.healed = true;
    fault = never;
  }
  return run;
}

RunRecord interrupted_run() {
  RunRecord run = etcd_run();
  run.verdict = Verdict::inconclusive;
  run.name = "2026-11-23T02-04-31-INCONCLUSIVE-etcd-register-partition+kill-s42";
  run.interrupted = true;
  run.duration = ms(23'400);
  run.reasons = {{Verdict::inconclusive,
                  "the run was interrupted before every planned fault had its turn",
                  "run the same plan again and let it finish"}};
  run.coverage.faults = {{"kill", {2, 1, 1}}, {"partition", {2, 1, 1}}};
  run.faults.resize(2);
  return run;
}

}  // namespace ordeal::results
