#include <algorithm>

#include <fmt/core.h>

#include "core/file.h"
#include "harness/commands.h"
#include "harness/judge.h"
#include "harness/nodes.h"
#include "harness/run.h"
#include "harness/signals.h"
#include "results/store.h"
#include "results/words.h"

namespace ordeal::harness {

namespace {

// The kinds of a run's findings: what a signature begins with, without the fault that was near.
std::vector<std::string> kinds_of(const RunRecord& run) {
  std::vector<std::string> kinds;
  for (const Finding* finding : results::findings_of(run))
    kinds.emplace_back(to_text(finding->kind));
  return kinds;
}

// The first finding of one of the kinds; null when there is none.
const Finding* seen_again(const RunRecord& run, const std::vector<std::string>& kinds) {
  for (const Finding* finding : results::findings_of(run)) {
    if (std::find(kinds.begin(), kinds.end(), to_text(finding->kind)) != kinds.end())
      return finding;
  }
  return nullptr;
}

Result<Reproduction> repeat(const ReproduceFlags& flags, const Plan& plan,
                            const clusters::Inventory& inventory,
                            const std::vector<std::string>& kinds, const std::stop_token& stop) {
  Reproduction measured;
  std::vector<Nanoseconds> times;
  RunRequest request;
  request.plan = plan;
  request.inventory = inventory;
  request.runs = flags.runs;
  request.progress = Progress::none;
  while (measured.runs < flags.times && !stop.stop_requested()) {
    const Result<RunEnd> end = run(request, stop);
    if (!end) return pass_on(end.error());
    if (stop.stop_requested()) break;  // an interrupted run says nothing of the rate
    if (end->record.verdict == Verdict::broken)
      return error("run {} was BROKEN: {}", measured.runs + 1,
                   end->record.reasons.empty() ? "" : end->record.reasons.front().text);
    ++measured.runs;
    const Finding* again = seen_again(end->record, kinds);
    if (again != nullptr) {
      ++measured.seen;
      times.push_back(again->at);
    }
    fmt::print(stderr, "  {:>3} of {}  {:<12}  {}\n", measured.runs, flags.times,
               to_text(end->record.verdict), end->directory.string());
  }
  if (!times.empty()) {
    const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::nth_element(times.begin(), middle, times.end());
    measured.median = *middle;
  }
  return measured;
}

// Stored beside the run, and part of every judgement of it from now on.
Result<void> store(const ReproduceFlags& flags, const Reproduction& measured) {
  Json json = to_json(measured);
  json["schema"] = 1;
  const auto written = write_file(flags.run / results::reproduction_file, to_page(json));
  if (!written) return written;
  Result<RunRecord> record = results::read_run(flags.run);
  if (!record) return pass_on(record.error());
  record->reproduction = measured;
  const auto pages = results::write_results(results::name_in_commands(flags.run), *record);
  if (!pages) return pass_on(pages.error());
  return {};
}

}  // namespace

int reproduce_command(const ReproduceFlags& flags, const NodeFlags& node_flags,
                      const OutputFlags& output) {
  const Result<RunRecord> seen = results::read_run(flags.run);
  if (!seen) return usage_error(seen.error());
  const std::vector<std::string> kinds = kinds_of(*seen);
  if (kinds.empty())
    return usage_error({flags.run.string() + " has no finding that could be seen again"});
  Result<Plan> plan = read_plan(flags.run / results::plan_file);
  if (!plan) return usage_error(plan.error());
  if (node_flags.names_any()) {
    Result<NodeSource> source = node_source(node_flags);
    if (!source) return usage_error(source.error());
    plan->configuration.nodes = std::move(*source);
  }
  // Before any thread of ours, see reach().
  Result<ReachableNodes> nodes = reach(plan->configuration.nodes);
  if (!nodes) return broken(nodes.error());
  std::stop_source stop;
  Controls unused;
  Result<Reproduction> measured;
  {
    const Signals signals(stop, unused);
    measured = repeat(flags, *plan, nodes->inventory, kinds, stop.get_token());
  }
  if (!measured) return broken(measured.error());
  if (measured->runs == 0) return exit_interrupted;
  if (const auto stored = store(flags, *measured); !stored) return broken(stored.error());
  if (output.json) {
    fmt::print("{}", to_page(to_json(*measured)));
  } else {
    RunRecord shown;
    shown.reproduction = measured.value();
    fmt::print("{}\n", results::reproduction_words(shown));
  }
  return stop.stop_requested() ? exit_interrupted : 0;
}

}  // namespace ordeal::harness
