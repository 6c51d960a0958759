#include "core/json_fields.h"

namespace ordeal {

namespace {

// A list of what `convert` makes of each item.
template <class T, class Convert>
Json list_of(const std::vector<T>& items, Convert convert) {
  Json list = Json::array();
  for (const T& item : items) list.push_back(convert(item));
  return list;
}

// Objects by name: reads every member with `parse`.
template <class T, class Parse>
Result<void> read_map(const Json& json, std::string_view what, std::map<std::string, T>& to,
                      Parse parse) {
  if (!json.is_object()) return error("{} must be an object", what);
  for (const auto& [name, member] : json.items()) {
    Result<T> parsed = parse(member);
    if (!parsed) return pass_on(parsed.error(), name);
    to.emplace(name, std::move(*parsed));
  }
  return {};
}

Json coverage_to_json(const Coverage& coverage) {
  Json functions = Json::object();
  for (const auto& [name, count] : coverage.functions) {
    functions[name] = {{"ok", count.ok}, {"fail", count.fail}, {"info", count.info}};
  }
  Json faults = Json::object();
  for (const auto& [kind, count] : coverage.faults) {
    faults[kind] = {
        {"planned", count.planned}, {"took_effect", count.took_effect}, {"healed", count.healed}};
  }
  return {{"operations", coverage.operations},
          {"functions", std::move(functions)},
          {"faults", std::move(faults)},
          {"operations_during_faults", coverage.operations_during_faults},
          {"ok_during_faults", coverage.ok_during_faults},
          {"leader_changes", coverage.leader_changes},
          {"leaders_deposed_by_faults", coverage.leaders_deposed_by_faults},
          {"keys", coverage.keys},
          {"keys_checked", coverage.keys_checked}};
}

Result<Coverage> coverage_from_json(const Json& json) {
  Coverage coverage;
  Json functions;
  Json faults;
  auto read = Fields(json, "coverage")
                  .required("operations", coverage.operations)
                  .required("functions", functions)
                  .required("faults", faults)
                  .required("operations_during_faults", coverage.operations_during_faults)
                  .required("ok_during_faults", coverage.ok_during_faults)
                  .required("leader_changes", coverage.leader_changes)
                  .required("leaders_deposed_by_faults", coverage.leaders_deposed_by_faults)
                  .required("keys", coverage.keys)
                  .required("keys_checked", coverage.keys_checked)
                  .status();
  if (!read) return pass_on(read.error());
  read = read_map(functions, "functions", coverage.functions,
                  [](const Json& member) -> Result<Coverage::PerFunction> {
                    Coverage::PerFunction count;
                    const auto status = Fields(member, "function")
                                            .required("ok", count.ok)
                                            .required("fail", count.fail)
                                            .required("info", count.info)
                                            .status();
                    if (!status) return pass_on(status.error());
                    return count;
                  });
  if (!read) return pass_on(read.error());
  read = read_map(faults, "faults", coverage.faults,
                  [](const Json& member) -> Result<Coverage::PerFault> {
                    Coverage::PerFault count;
                    const auto status = Fields(member, "fault kind")
                                            .required("planned", count.planned)
                                            .required("took_effect", count.took_effect)
                                            .required("healed", count.healed)
                                            .status();
                    if (!status) return pass_on(status.error());
                    return count;
                  });
  if (!read) return pass_on(read.error());
  return coverage;
}

Json check_to_json(const CheckReport& check) {
  return {
      {"checker", check.checker},
      {"answer", to_text(check.answer)},
      {"keys", check.keys},
      {"keys_decided", check.keys_decided},
      {"undecided",
       list_of(
           check.undecided,
           [](const CheckReport::Undecided& key) {
             return Json{{"key", to_json(key.key)}, {"why", key.why}, {"is_defect", key.is_defect}};
           })},
      {"findings",
       list_of(check.findings, [](const Finding& finding) { return to_json(finding); })},
      {"took_ns", check.took.count()}};
}

std::optional<CheckReport::Answer> answer_named(std::string_view name) {
  using Answer = CheckReport::Answer;
  for (const Answer answer : {Answer::valid, Answer::invalid, Answer::unknown}) {
    if (to_text(answer) == name) return answer;
  }
  return std::nullopt;
}

Result<CheckReport::Undecided> undecided_from_json(const Json& json) {
  CheckReport::Undecided undecided;
  const auto read = Fields(json, "undecided key")
                        .required("key", undecided.key)
                        .required("why", undecided.why)
                        .optional("is_defect", undecided.is_defect)
                        .status();
  if (!read) return pass_on(read.error());
  return undecided;
}

Result<CheckReport> check_from_json(const Json& json) {
  CheckReport check;
  const auto read = Fields(json, "check")
                        .required("checker", check.checker)
                        .named("answer", check.answer, answer_named)
                        .required("keys", check.keys)
                        .required("keys_decided", check.keys_decided)
                        .each("undecided", check.undecided, undecided_from_json)
                        .each("findings", check.findings, finding_from_json)
                        .required("took_ns", check.took)
                        .status();
  if (!read) return pass_on(read.error());
  return check;
}

Json fault_to_json(const FaultSummary& fault) {
  Json json = {{"plan", to_json(fault.spec)},
               {"resolved", fault.resolved},
               {"began_ns", optional_ns(fault.began)},
               {"ended_ns", optional_ns(fault.ended)},
               {"evidence", fault.evidence},
               {"took_effect", fault.took_effect},
               {"healed", fault.healed},
               {"trouble", fault.trouble ? Json(*fault.trouble) : Json()}};
  if (fault.left_out) json["left_out"] = *fault.left_out;
  return json;
}

Result<FaultSummary> fault_from_json(const Json& json) {
  FaultSummary fault;
  Json plan;
  const auto read = Fields(json, "fault")
                        .required("plan", plan)
                        .required("resolved", fault.resolved)
                        .optional("began_ns", fault.began)
                        .optional("ended_ns", fault.ended)
                        .required("evidence", fault.evidence)
                        .required("took_effect", fault.took_effect)
                        .required("healed", fault.healed)
                        .optional("trouble", fault.trouble)
                        .optional("left_out", fault.left_out)
                        .status();
  if (!read) return pass_on(read.error());
  Result<FaultSpec> spec = fault_spec_from_json(plan);
  if (!spec) return pass_on(spec.error());
  fault.spec = std::move(*spec);
  return fault;
}

Json leader_to_json(const LeaderChange& change) {
  return {{"at_ns", change.at.count()},
          {"from", change.from},
          {"to", change.to},
          {"term", change.term}};
}

Result<LeaderChange> leader_from_json(const Json& json) {
  LeaderChange change;
  const auto read = Fields(json, "leader change")
                        .required("at_ns", change.at)
                        .required("from", change.from)
                        .required("to", change.to)
                        .required("term", change.term)
                        .status();
  if (!read) return pass_on(read.error());
  return change;
}

}  // namespace

Json to_json(const VerdictReason& reason) {
  return {{"verdict", to_text(reason.verdict)}, {"text", reason.text}, {"advice", reason.advice}};
}

Result<VerdictReason> verdict_reason_from_json(const Json& json) {
  VerdictReason reason;
  const auto read = Fields(json, "reason")
                        .named("verdict", reason.verdict, verdict_named)
                        .required("text", reason.text)
                        .required("advice", reason.advice)
                        .status();
  if (!read) return pass_on(read.error());
  return reason;
}

Json to_json(const Health& health) {
  return {{"nodes", health.nodes},
          {"nodes_up_at_end", health.nodes_up_at_end},
          {"logs_collected", health.logs_collected},
          {"recovery_ns", optional_ns(health.recovery)},
          {"holes", health.holes}};
}

Result<Health> health_from_json(const Json& json) {
  Health health;
  const auto read = Fields(json, "health")
                        .required("nodes", health.nodes)
                        .required("nodes_up_at_end", health.nodes_up_at_end)
                        .required("logs_collected", health.logs_collected)
                        .optional("recovery_ns", health.recovery)
                        .required("holes", health.holes)
                        .status();
  if (!read) return pass_on(read.error());
  return health;
}

Json to_json(const RunRecord& run) {
  return {{"schema", 1},
          {"name", run.name},
          {"verdict", to_text(run.verdict)},
          {"reasons",
           list_of(run.reasons, [](const VerdictReason& reason) { return to_json(reason); })},
          {"cluster", run.cluster},
          {"workload", run.workload},
          {"nemeses", run.nemeses},
          {"options", run.options},
          {"version", run.version},
          {"seed", run.seed},
          {"nodes", run.nodes},
          {"clients", run.clients},
          {"started", run.started},
          {"duration_ns", run.duration.count()},
          {"interrupted", run.interrupted},
          {"canary", run.canary},
          {"coverage", coverage_to_json(run.coverage)},
          {"health", to_json(run.health)},
          {"checks", list_of(run.checks, check_to_json)},
          {"faults", list_of(run.faults, fault_to_json)},
          {"leaders", list_of(run.leaders, leader_to_json)},
          {"recoveries", list_of(run.recoveries, [](const Recovery& r) { return to_json(r); })},
          {"replicas", list_of(run.replicas, [](const Replica& r) { return to_json(r); })},
          {"clocks", list_of(run.clocks, [](const ClockOffset& c) { return to_json(c); })},
          {"kernel", run.kernel},
          {"definite_errors", run.definite_errors},
          {"reproduction", run.reproduction ? to_json(*run.reproduction) : Json()},
          {"commands", list_of(run.commands, [](const Command& c) { return to_json(c); })},
          {"ordeal_version", run.ordeal_version}};
}

Result<RunRecord> run_record_from_json(const Json& json) {
  RunRecord run;
  int schema = 0;
  Json coverage;
  Json health;
  Json options;
  Json reproduction;
  const auto read = Fields(json, "run")
                        .required("schema", schema)
                        .required("name", run.name)
                        .named("verdict", run.verdict, verdict_named)
                        .each("reasons", run.reasons, verdict_reason_from_json)
                        .required("cluster", run.cluster)
                        .required("workload", run.workload)
                        .required("nemeses", run.nemeses)
                        .required("options", options)
                        .required("version", run.version)
                        .required("seed", run.seed)
                        .required("nodes", run.nodes)
                        .required("clients", run.clients)
                        .required("started", run.started)
                        .required("duration_ns", run.duration)
                        .required("interrupted", run.interrupted)
                        .optional("canary", run.canary)
                        .required("coverage", coverage)
                        .required("health", health)
                        .each("checks", run.checks, check_from_json)
                        .each("faults", run.faults, fault_from_json)
                        .each("leaders", run.leaders, leader_from_json)
                        .each("recoveries", run.recoveries, recovery_from_json)
                        .each("replicas", run.replicas, replica_from_json)
                        .each("clocks", run.clocks, clock_offset_from_json)
                        .required("kernel", run.kernel)
                        .required("definite_errors", run.definite_errors)
                        .optional("reproduction", reproduction)
                        .each("commands", run.commands, command_from_json)
                        .required("ordeal_version", run.ordeal_version)
                        .status();
  if (!read) return pass_on(read.error());
  if (schema != 1) return error("run.json has schema {}, and this Ordeal knows schema 1", schema);
  Result<Coverage> parsed_coverage = coverage_from_json(coverage);
  if (!parsed_coverage) return pass_on(parsed_coverage.error());
  run.coverage = std::move(*parsed_coverage);
  Result<Health> parsed_health = health_from_json(health);
  if (!parsed_health) return pass_on(parsed_health.error());
  run.health = std::move(*parsed_health);
  if (!reproduction.is_null()) {
    const Result<Reproduction> parsed = reproduction_from_json(reproduction);
    if (!parsed) return pass_on(parsed.error());
    run.reproduction = *parsed;
  }
  const auto parsed_options =
      read_map(options, "options", run.options, [](const Json& member) -> Result<std::string> {
        std::string text;
        if (!read_json(member, text)) return error("must be a text");
        return text;
      });
  if (!parsed_options) return pass_on(parsed_options.error());
  return run;
}

}  // namespace ordeal
