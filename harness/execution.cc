#include "harness/execution.h"

#include <array>

#include "core/json_fields.h"

namespace ordeal::harness {

namespace {

constexpr std::array<std::string_view, 10> phase_names = {
    "prepare", "deploy", "start", "main", "heal", "recover", "final", "collect", "check", "done"};

std::optional<Phase> phase_named(std::string_view name) {
  for (std::size_t i = 0; i < phase_names.size(); ++i) {
    if (phase_names.at(i) == name) return static_cast<Phase>(i);
  }
  return std::nullopt;
}

Json optional_ns(const std::optional<Nanoseconds>& time) {
  return time ? Json(time->count()) : Json();
}

}  // namespace

std::string_view name_of(Phase phase) { return phase_names.at(static_cast<std::size_t>(phase)); }

Json to_json(const Execution& execution) {
  Json troubles = Json::array();
  for (const VerdictReason& trouble : execution.troubles)
    troubles.push_back(ordeal::to_json(trouble));
  Json clocks = Json::array();
  for (const ClockOffset& clock : execution.clocks) clocks.push_back(ordeal::to_json(clock));
  Json replicas = Json::array();
  for (const Replica& replica : execution.replicas) replicas.push_back(ordeal::to_json(replica));
  return {{"schema", 1},
          {"phase", name_of(execution.phase)},
          {"started", execution.started},
          {"version", execution.version},
          {"definite_errors", execution.definite_errors},
          {"main_began_ns", optional_ns(execution.main_began)},
          {"main_ended_ns", optional_ns(execution.main_ended)},
          {"interrupted_in",
           execution.interrupted_in ? Json(name_of(*execution.interrupted_in)) : Json()},
          {"troubles", std::move(troubles)},
          {"health", ordeal::to_json(execution.health)},
          {"wall_origin_ns", execution.wall_origin_ns},
          {"promise_source", execution.promise_source},
          {"kernel", execution.kernel},
          {"clocks", std::move(clocks)},
          {"replicas", std::move(replicas)},
          {"liveness", to_json(execution.liveness)}};
}

Result<Execution> execution_from_json(const Json& json) {
  Execution execution;
  Json health, liveness;
  std::string interrupted_in;
  const auto read = Fields(json, "execution")
                        .named("phase", execution.phase, phase_named)
                        .required("started", execution.started)
                        .required("version", execution.version)
                        .required("definite_errors", execution.definite_errors)
                        .optional("main_began_ns", execution.main_began)
                        .optional("main_ended_ns", execution.main_ended)
                        .optional("interrupted_in", interrupted_in)
                        .each("troubles", execution.troubles, verdict_reason_from_json)
                        .required("health", health)
                        .required("wall_origin_ns", execution.wall_origin_ns)
                        .required("promise_source", execution.promise_source)
                        .required("kernel", execution.kernel)
                        .each("clocks", execution.clocks, clock_offset_from_json)
                        .each("replicas", execution.replicas, replica_from_json)
                        .optional("liveness", liveness)
                        .status();
  if (!read) return pass_on(read.error());
  execution.interrupted_in = phase_named(interrupted_in);
  Result<Health> parsed = health_from_json(health);
  if (!parsed) return pass_on(parsed.error());
  execution.health = std::move(*parsed);
  if (liveness.is_null()) return execution;  // of a version that did not look
  Result<Liveness> looked = liveness_from_json(liveness);
  if (!looked) return pass_on(looked.error());
  execution.liveness = std::move(*looked);
  return execution;
}

}  // namespace ordeal::harness
