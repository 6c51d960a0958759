#include "harness/judge.h"

#include <algorithm>
#include <map>

#include "core/file.h"
#include "harness/coverage.h"
#include "harness/execution.h"
#include "harness/liveness.h"
#include "harness/plan.h"
#include "harness/recovery.h"
#include "harness/replicas.h"
#include "harness/version.h"
#include "harness/witness_context.h"
#include "nemesis/nemesis.h"
#include "results/store.h"

namespace ordeal::harness {

namespace {

void add_reason(RunRecord& run, Verdict verdict, std::string text, std::string advice = "") {
  run.reasons.push_back({verdict, std::move(text), std::move(advice)});
}

Result<Execution> read_execution(const std::filesystem::path& directory) {
  const Result<std::string> text = read_file(directory / execution_file);
  if (!text) return pass_on(text.error());
  const Result<Json> json = parse_json(*text);
  if (!json) return pass_on(json.error(), (directory / execution_file).string());
  return execution_from_json(*json);
}

std::vector<NodeSample> read_samples(const std::filesystem::path& directory, RunRecord& run) {
  std::vector<NodeSample> samples;
  const auto lines = read_lines(directory / results::samples_file);
  if (!lines) return samples;
  for (const std::string& line : *lines) {
    const Result<Json> json = parse_json(line);
    Result<NodeSample> sample = json ? node_sample_from_json(*json) : pass_on(json.error());
    if (!sample) {
      run.health.holes.push_back("nodes.jsonl is damaged: " + sample.error().message);
      break;
    }
    samples.push_back(std::move(*sample));
  }
  return samples;
}

void read_faults(const std::filesystem::path& directory, const Plan& plan, RunRecord& run) {
  std::vector<FaultRecord> ledger;
  if (std::filesystem::exists(directory / results::ledger_file)) {
    Result<std::vector<FaultRecord>> read = nemesis::read_ledger(directory / results::ledger_file);
    if (read) {
      ledger = std::move(*read);
    } else {
      run.health.holes.push_back("the fault ledger is damaged: " + read.error().message);
    }
  }
  run.faults = summarize(plan.faults, ledger);
}

// Positions in the system's own order, as the answers told them.
void tell_revisions(Finding& finding, const History& history) {
  for (WitnessOperation& op : finding.witness) {
    const auto recorded = std::lower_bound(
        history.operations.begin(), history.operations.end(), op.id,
        [](const Operation& candidate, EventIndex id) { return candidate.invoked < id; });
    if (recorded != history.operations.end() && recorded->invoked == op.id)
      op.revision = recorded->revision;
  }
}

void judge_execution(const Execution& execution, const Plan& plan, RunRecord& run) {
  run.interrupted = execution.interrupted_in.has_value();
  run.health = execution.health;
  run.nodes = execution.health.nodes;
  run.started = execution.started;
  run.version = execution.version;
  run.kernel = execution.kernel;
  run.clocks = execution.clocks;
  run.replicas = execution.replicas;
  run.definite_errors = execution.definite_errors;
  for (const VerdictReason& trouble : execution.troubles) run.reasons.push_back(trouble);
  if (execution.main_began && execution.main_ended)
    run.duration = *execution.main_ended - *execution.main_began;
  const bool finished = execution.phase >= Phase::check;
  if (run.interrupted) {
    add_reason(
        run, Verdict::inconclusive,
        fmt::format("interrupted in the phase {}, after {} of {}; what was recorded until then "
                    "was judged",
                    name_of(*execution.interrupted_in), to_text(run.duration),
                    to_text(plan.configuration.time)),
        "run the same plan again and let it finish");
  } else if (!finished) {
    add_reason(run, Verdict::inconclusive,
               fmt::format("Ordeal itself was killed in the phase {}", name_of(execution.phase)),
               "what was recorded until then is judged; `ordeal heal` undoes what may be left");
  }
}

// A run that was killed could not prove what the guards on the nodes then did without it.
void judge_faults(const Execution& execution, RunRecord& run) {
  const bool killed = execution.phase < Phase::check;
  for (const FaultSummary& fault : run.faults) {
    if (fault.healed) continue;
    add_reason(run, killed ? Verdict::inconclusive : Verdict::broken,
               fmt::format("fault {} ({}) {}", fault.spec.id, fault.spec.kind,
                           killed ? "was on when Ordeal was killed; the guards on the nodes undo it"
                                  : "is not proven undone"),
               "`ordeal heal` on this directory makes sure");
  }
}

// A reason for each cause, however many keys it left undecided.
void tell_undecided(const CheckReport& report, RunRecord& run) {
  std::map<std::pair<bool, std::string>, std::vector<const CheckReport::Undecided*>> causes;
  for (const auto& undecided : report.undecided)
    causes[{undecided.is_defect, undecided.why}].push_back(&undecided);
  for (const auto& [cause, keys] : causes) {
    const auto& [is_defect, why] = cause;
    const std::string more =
        keys.size() == 1 ? " is" : fmt::format(" and {} more are", keys.size() - 1);
    add_reason(run, is_defect ? Verdict::broken : Verdict::inconclusive,
               fmt::format("{}: key {}{} undecided: {}", report.checker, to_text(keys.front()->key),
                           more, why),
               is_defect
                   ? "please report this history"
                   : "give the checkers more time: --check-time; or let fewer clients share a "
                     "key: --group");
  }
}

void judge_liveness(const Liveness& liveness, RunRecord& run) {
  if (liveness.nodes.empty()) return;  // nobody looked
  run.checks.push_back(check_liveness(liveness));
  for (const std::string& sentence : unsure_of(liveness))
    add_reason(run, Verdict::inconclusive, sentence,
               "look at its log under nodes/, and give it more time: --recovery-time");
}

}  // namespace

void check(const History& history, const workloads::Workload& workload,
           const checkers::CheckOptions& options, RunRecord& run) {
  std::vector<CheckReport> checks = workload.check(history, options);
  if (!run.replicas.empty()) {
    const auto& ops = history.operations;
    checks.push_back(check_replicas(
        run.replicas, ops.empty() ? Nanoseconds::zero()
                                  : std::max(ops.back().invoked_at, ops.back().completed_at)));
  }
  for (const std::string& behind : replicas_behind(run.replicas))
    add_reason(run, Verdict::inconclusive, behind, "look at its log and its load");
  for (const Replica& replica : run.replicas) {
    if (!replica.error.empty())
      run.health.holes.push_back("the replica of " + replica.node +
                                 " was not compared with the others: " + replica.error);
  }
  take_in(std::move(checks), run);
}

void take_in(std::vector<CheckReport> checks, RunRecord& run) {
  run.checks = std::move(checks);
  for (const CheckReport& report : run.checks) tell_undecided(report, run);
}

void place_findings(const std::filesystem::path& directory, const Execution& execution,
                    const History& history, const std::vector<NodeSample>& samples,
                    RunRecord& run) {
  std::vector<Finding*> findings;
  for (CheckReport& report : run.checks) {
    for (Finding& finding : report.findings) {
      findings.push_back(&finding);
      finding.number = static_cast<int>(findings.size());
      if (finding.promise_source.empty()) finding.promise_source = execution.promise_source;
      place(finding, run.faults, run.leaders);
      tell_revisions(finding, history);
      tell_witness(finding, run.definite_errors, samples);
    }
  }
  for (std::string& hole :
       tell_log_lines(directory, Nanoseconds(execution.wall_origin_ns), run.clocks, findings))
    run.health.holes.push_back(std::move(hole));
}

Verdict verdict_of(const RunRecord& run) {
  Verdict verdict = Verdict::pass;
  for (const VerdictReason& reason : run.reasons) verdict = worst(verdict, reason.verdict);
  for (const CheckReport& report : run.checks) {
    if (report.answer == CheckReport::Answer::invalid) verdict = worst(verdict, Verdict::fail);
    if (report.answer == CheckReport::Answer::unknown)
      verdict = worst(verdict, Verdict::inconclusive);
  }
  return verdict;
}

Result<RunRecord> judge(const std::filesystem::path& directory, const Execution& execution,
                        const checkers::CheckOptions& options) {
  const Result<Plan> plan = read_plan(directory / results::plan_file);
  if (!plan)
    return pass_on(plan.error(), fmt::format("{} is not a run directory", directory.string()));
  const Configuration& configuration = plan->configuration;

  RunRecord run;
  run.name = directory.filename().string();
  run.cluster = cluster_name(configuration);
  run.workload = configuration.workload;
  run.nemeses = configuration.nemeses;
  run.options = notable_options(configuration);
  run.seed = configuration.seed;
  run.canary = configuration.canary;
  run.clients = configuration.workload_options.clients;
  run.ordeal_version = version();

  judge_execution(execution, *plan, run);
  std::vector<NodeSample> samples = read_samples(directory, run);
  std::stable_sort(samples.begin(), samples.end(),
                   [](const NodeSample& a, const NodeSample& b) { return a.at < b.at; });
  run.leaders = leader_changes(samples);
  read_faults(directory, *plan, run);
  judge_faults(execution, run);

  if (const auto text = read_file(directory / results::reproduction_file)) {
    const Result<Json> json = parse_json(*text);
    if (const auto measured = json ? reproduction_from_json(*json) : pass_on(json.error()))
      run.reproduction = *measured;
  }

  const auto made =
      workloads::make_workload(configuration.workload, configuration.workload_options);
  if (!made) return pass_on(made.error());
  const auto& workload = *made;
  if (std::filesystem::exists(directory / results::history_file)) {
    const Result<History> history = read_history(directory / results::history_file);
    if (history) {
      run.nodes = history->nodes.size();
      if (history->torn)
        run.health.holes.push_back("the last line of the history was cut short and is left out");
      if (execution.main_began && !execution.main_ended && !history->operations.empty()) {
        run.duration = history->operations.back().invoked_at - *execution.main_began;
      }
      check(*history, *workload, options, run);
      judge_liveness(execution.liveness, run);
      place_findings(directory, execution, *history, samples, run);
      run.recoveries = measure_recoveries(*history, run.faults, samples);
      run.coverage = measure_coverage(*history, run.faults, run.leaders, run.checks);
    } else {
      add_reason(run, Verdict::broken, history.error().message, "the history cannot be judged");
    }
  }
  // What broke or was cut short explains what is missing, and a violation stands whatever else was
  // not tested: vacuity is worth saying only of a run that would be a PASS.
  const bool is_wrong = std::any_of(run.checks.begin(), run.checks.end(), [](const auto& check) {
    return check.answer == CheckReport::Answer::invalid;
  });
  if (run.reasons.empty() && !is_wrong) {
    run.reasons = vacuity(run.coverage, run.faults, workload->needs());
  }
  run.verdict = verdict_of(run);
  std::stable_sort(run.reasons.begin(), run.reasons.end(),
                   [](const VerdictReason& a, const VerdictReason& b) {
                     return a.verdict != b.verdict && worst(a.verdict, b.verdict) == a.verdict;
                   });
  return run;
}

Result<RunRecord> judge(const std::filesystem::path& directory,
                        const checkers::CheckOptions& options) {
  // A run that was killed before its first phase has none: that of a run which did nothing is true
  // of it.
  Execution execution;
  if (std::filesystem::exists(directory / execution_file)) {
    Result<Execution> read = read_execution(directory);
    if (!read) return pass_on(read.error());
    execution = std::move(*read);
  }
  return judge(directory, execution, options);
}

}  // namespace ordeal::harness
