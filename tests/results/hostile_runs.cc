#include "tests/results/hostile_runs.h"

namespace ordeal::results {

namespace {

WitnessOperation hostile_operation(Draw& draw) {
  WitnessOperation op;
  op.id = static_cast<EventIndex>(draw.below(1'000'000));
  op.process = static_cast<Process>(draw.below(1'000'000)) - 500;
  op.node = draw.text();
  op.request = {all_functions()[draw.below(all_functions().size())], draw.value(), draw.value()};
  op.outcome = static_cast<Outcome>(draw.below(3));
  op.result = draw.value();
  op.error = draw.text();
  op.invoked_at = draw.time();
  op.completed_at = draw.maybe_time();
  op.breaks = draw.below(4) == 0;
  op.rule = draw.text();
  op.role = draw.text();
  op.revision = static_cast<std::int64_t>(draw.below(3));
  return op;
}

Finding hostile_finding(Draw& draw, int number) {
  Finding finding;
  finding.number = number;
  finding.kind = static_cast<FindingKind>(draw.below(15));
  finding.headline = draw.text();
  finding.promise = draw.text();
  finding.key = draw.value();
  for (std::size_t i = draw.below(30); i > 0; --i)
    finding.witness.push_back(hostile_operation(draw));
  for (std::size_t i = draw.below(30); i > 0; --i) {
    finding.reasons.push_back({draw.text(), std::vector<EventIndex>(draw.below(20), 7)});
  }
  finding.certainty_basis = draw.text();
  finding.diagnosis = draw.text();
  finding.at = draw.time();
  if (draw.below(2) == 0) finding.context.nearest_fault = draw.text();
  if (draw.below(2) == 0) finding.context.nearest_leader_change = draw.text();
  finding.signature = draw.text();
  if (draw.below(8) == 0) finding.signature.clear();
  if (draw.below(2) == 0)
    finding.seen_before = {{{draw.text(), draw.below(9), draw.below(2)}}, draw.text(), draw.text()};
  finding.promise_source = draw.text();
  finding.also_ruled_out = {draw.text()};
  finding.not_ruled_out = {draw.text(), draw.text()};
  finding.context.answered_by = draw.text();
  finding.context.log_window = draw.time();
  for (std::size_t i = draw.below(12); i > 0; --i) {
    finding.context.log.push_back(
        {draw.text(), draw.text(), draw.below(9), draw.time(), draw.text(), draw.text()});
    ++finding.context.log_lines;
  }
  for (std::size_t i = draw.below(4); i > 0; --i) {
    finding.edges.push_back({static_cast<EventIndex>(draw.below(9)),
                             static_cast<EventIndex>(draw.below(9)),
                             draw.text(),
                             draw.text(),
                             {}});
  }
  return finding;
}

FaultSummary hostile_fault(Draw& draw) {
  FaultSummary fault;
  fault.spec.kind = draw.text();
  fault.spec.targets = draw.text();
  for (std::size_t i = draw.below(9); i > 0; --i) fault.spec.parameters[draw.text()] = draw.value();
  fault.resolved = draw.text();
  fault.began = draw.maybe_time();
  fault.ended = draw.maybe_time();
  fault.evidence = {draw.text(), draw.text()};
  fault.took_effect = draw.below(2) == 0;
  fault.healed = draw.below(2) == 0;
  if (draw.below(2) == 0) fault.trouble = draw.text();
  return fault;
}

}  // namespace

RunRecord hostile_run(Draw& draw) {
  RunRecord run;
  run.cluster = draw.text();
  run.workload = draw.text();
  run.version = draw.text();
  run.started = draw.text();
  run.ordeal_version = draw.text();
  run.duration = draw.time();
  run.interrupted = draw.below(2) == 0;
  run.verdict = static_cast<Verdict>(draw.below(4));
  const std::size_t many = draw.below(8) == 0 ? 400 : 5;
  for (std::size_t i = draw.below(many); i > 0; --i) run.nemeses.push_back(draw.text());
  for (std::size_t i = draw.below(many); i > 0; --i) run.options[draw.text()] = draw.text();
  for (std::size_t i = draw.below(many); i > 0; --i) {
    run.reasons.push_back({static_cast<Verdict>(draw.below(4)), draw.text(), draw.text()});
  }
  run.coverage.operations = draw.below(2) * 1'000'000;
  run.coverage.operations_during_faults = draw.below(2) * 1'000;
  for (std::size_t i = draw.below(many); i > 0; --i)
    run.coverage.functions[draw.text()] = {1'000'000, 2, 3};
  for (std::size_t i = draw.below(many); i > 0; --i) run.coverage.faults[draw.text()] = {3, 2, 1};
  for (std::size_t i = draw.below(many); i > 0; --i) run.health.holes.push_back(draw.text());
  run.health.recovery = draw.maybe_time();
  for (std::size_t i = draw.below(many); i > 0; --i) run.faults.push_back(hostile_fault(draw));
  for (std::size_t i = draw.below(many); i > 0; --i) {
    run.leaders.push_back({draw.time(), draw.text(), draw.text(), draw.below(9)});
  }
  for (std::size_t i = draw.below(many); i > 0; --i) {
    run.recoveries.push_back({static_cast<int>(draw.below(9)),
                              draw.maybe_time(),
                              draw.maybe_time(),
                              draw.maybe_time(),
                              draw.time(),
                              draw.below(9),
                              {{draw.text(), draw.maybe_time()}}});
    run.replicas.push_back({draw.text(), draw.below(2) == 0, draw.text(), 1, 2, 3, 4, draw.text()});
    run.clocks.push_back({draw.text(), draw.time(), draw.time()});
  }
  run.kernel = draw.text();
  int number = 0;
  for (std::size_t i = draw.below(6); i > 0; --i) {
    CheckReport check;
    check.checker = draw.text();
    check.answer = static_cast<CheckReport::Answer>(draw.below(3));
    check.took = draw.time();
    for (std::size_t k = draw.below(many); k > 0; --k)
      check.undecided.push_back({draw.value(), draw.text()});
    for (std::size_t k = draw.below(8); k > 0; --k)
      check.findings.push_back(hostile_finding(draw, ++number));
    run.checks.push_back(std::move(check));
  }
  return run;
}

}  // namespace ordeal::results
