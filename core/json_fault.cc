#include "core/json_fields.h"

namespace ordeal {

Json to_json(const FaultSpec& spec) {
  Json parameters = Json::object();
  for (const auto& [name, value] : spec.parameters) parameters[name] = to_json(value);
  return {{"id", spec.id},
          {"kind", spec.kind},
          {"targets", spec.targets},
          {"parameters", std::move(parameters)},
          {"draw", spec.draw},
          {"begin_ns", spec.begin.count()},
          {"duration_ns", spec.duration.count()}};
}

Result<FaultSpec> fault_spec_from_json(const Json& json) {
  FaultSpec spec;
  Json parameters;
  const auto read =
      Fields(json, "fault")
          .only({"id", "kind", "targets", "parameters", "draw", "begin_ns", "duration_ns"})
          .required("id", spec.id)
          .required("kind", spec.kind)
          .required("targets", spec.targets)
          .required("parameters", parameters)
          .required("draw", spec.draw)
          .required("begin_ns", spec.begin)
          .required("duration_ns", spec.duration)
          .status();
  if (!read) return pass_on(read.error());
  if (!parameters.is_object()) return error("fault {}: \"parameters\" must be an object", spec.id);
  for (const auto& [name, json_value] : parameters.items()) {
    Result<Value> value = value_from_json(json_value);
    if (!value)
      return pass_on(value.error(), fmt::format("fault {}, parameter \"{}\"", spec.id, name));
    spec.parameters.emplace(name, std::move(*value));
  }
  return spec;
}

Json to_json(const FaultRecord& record) {
  Json json = {{"fault", record.fault},
               {"step", to_text(record.step)},
               {"at_ns", record.at.count()},
               {"node", record.node},
               {"detail", record.detail}};
  if (!record.command.empty()) json["command"] = record.command;
  return json;
}

Result<FaultRecord> fault_record_from_json(const Json& json) {
  FaultRecord record;
  const auto read = Fields(json, "ledger record")
                        .required("fault", record.fault)
                        .named("step", record.step, fault_step_named)
                        .required("at_ns", record.at)
                        .required("node", record.node)
                        .required("detail", record.detail)
                        .optional("command", record.command)
                        .status();
  if (!read) return pass_on(read.error());
  return record;
}

Json to_json(const NodeSample& sample) {
  Json json = {{"at_ns", sample.at.count()}, {"node", sample.node}, {"answers", sample.answers}};
  if (sample.answers) {
    json["leader"] = sample.leader;
    json["term"] = sample.term;
  } else {
    json["error"] = sample.error;
  }
  return json;
}

Result<NodeSample> node_sample_from_json(const Json& json) {
  NodeSample sample;
  const auto read = Fields(json, "node sample")
                        .required("at_ns", sample.at)
                        .required("node", sample.node)
                        .required("answers", sample.answers)
                        .optional("leader", sample.leader)
                        .optional("term", sample.term)
                        .optional("error", sample.error)
                        .status();
  if (!read) return pass_on(read.error());
  return sample;
}

}  // namespace ordeal
