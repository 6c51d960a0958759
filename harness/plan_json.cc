#include "core/file.h"
#include "core/json_fields.h"
#include "harness/plan.h"
#include "nemesis/fault.h"

namespace ordeal::harness {

namespace {

Json cluster_to_json(const Configuration& configuration) {
  const auto& options = configuration.cluster_options;
  Json json = {{"name", configuration.cluster},
               {"binary", options.binary.string()},
               {"server_flags", options.server_flags},
               {"serializable_reads", options.serializable_reads}};
  if (!options.other_binary.empty()) json["other_binary"] = options.other_binary.string();
  if (configuration.cluster == "custom") {
    json["definition"] = options.definition;
    json["definition_file"] = options.definition_file.string();
    json["options"] = options.values;
  }
  return json;
}

Result<void> read_cluster(const Json& json, Configuration& to) {
  std::string binary, other_binary, file;
  Json options = Json::object();
  const auto read = Fields(json, "cluster")
                        .only({"name", "binary", "other_binary", "server_flags",
                               "serializable_reads", "definition", "definition_file", "options"})
                        .required("name", to.cluster)
                        .optional("binary", binary)
                        .optional("other_binary", other_binary)
                        .optional("server_flags", to.cluster_options.server_flags)
                        .optional("serializable_reads", to.cluster_options.serializable_reads)
                        .optional("definition", to.cluster_options.definition)
                        .optional("definition_file", file)
                        .optional("options", options)
                        .status();
  to.cluster_options.binary = binary;
  to.cluster_options.other_binary = other_binary;
  to.cluster_options.definition_file = file;
  for (const auto& [name, value] : options.items()) {
    if (!read_json(value, to.cluster_options.values[name]))
      return error("cluster: option \"{}\" must be a text", name);
  }
  return read;
}

Json workload_to_json(const Configuration& configuration) {
  const auto& options = configuration.workload_options;
  Json json = {{"name", configuration.workload},
               {"clients", options.clients},
               {"rate", options.rate},
               {"keys", options.keys},
               {"group", options.group},
               {"operations_per_key", options.operations_per_key},
               {"read_share", options.read_share},
               {"write_share", options.write_share}};
  if (!options.definition.empty()) {
    json["definition"] = options.definition;
    json["definition_file"] = options.definition_file.string();
  }
  return json;
}

Result<void> read_workload(const Json& json, Configuration& to) {
  auto& options = to.workload_options;
  std::string file;
  const auto read = Fields(json, "workload")
                        .only({"name", "clients", "rate", "keys", "group", "operations_per_key",
                               "read_share", "write_share", "definition", "definition_file"})
                        .required("name", to.workload)
                        .optional("clients", options.clients)
                        .optional("rate", options.rate)
                        .optional("keys", options.keys)
                        .optional("group", options.group)
                        .optional("operations_per_key", options.operations_per_key)
                        .optional("read_share", options.read_share)
                        .optional("write_share", options.write_share)
                        .optional("definition", options.definition)
                        .optional("definition_file", file)
                        .status();
  options.definition_file = file;
  return read;
}

Result<Json> nodes_to_json(const NodeSource& source) {
  if (source.nodes.empty()) return Json{{"lab", source.lab}, {"lab_nodes", source.lab_nodes}};
  const clusters::Inventory inventory{source.nodes, source.network_namespace};
  return parse_json(clusters::to_json_text(inventory));
}

Result<void> read_nodes(const Json& json, NodeSource& to) {
  if (json.is_object() && json.contains("nodes")) {
    Result<clusters::Inventory> inventory =
        clusters::parse_inventory(to_line(json), "nodes of the plan");
    if (!inventory) return pass_on(inventory.error());
    to.nodes = std::move(inventory->nodes);
    to.network_namespace = std::move(inventory->network_namespace);
    return {};
  }
  return Fields(json, "nodes")
      .only({"lab", "lab_nodes"})
      .required("lab", to.lab)
      .required("lab_nodes", to.lab_nodes)
      .status();
}

}  // namespace

Json to_json(const Plan& plan) {
  const Configuration& c = plan.configuration;
  Json faults = Json::array();
  for (const FaultSpec& fault : plan.faults) faults.push_back(ordeal::to_json(fault));
  Json json = {{"schema", 1},
               {"seed", c.seed},
               {"cluster", cluster_to_json(c)},
               {"workload", workload_to_json(c)},
               {"nodes", nodes_to_json(c.nodes).value_or(Json())},
               {"time_ns", c.time.count()},
               {"operation_timeout_ns", c.operation_timeout.count()},
               {"recovery_timeout_ns", c.recovery_timeout.count()},
               {"check_timeout_ns", c.check_timeout.count()},
               {"nemeses", c.nemeses},
               {"leave_out", c.leave_out},
               {"left_out", plan.left_out},
               {"faults", std::move(faults)}};
  if (c.canary) json["canary"] = true;
  return json;
}

Result<Plan> plan_from_json(const Json& json) {
  Plan plan;
  Configuration& c = plan.configuration;
  int schema = 0;
  Json cluster;
  Json workload;
  Json nodes;
  auto read = Fields(json, "plan")
                  .only({"schema", "seed", "cluster", "workload", "nodes", "time_ns",
                         "operation_timeout_ns", "recovery_timeout_ns", "check_timeout_ns",
                         "nemeses", "leave_out", "left_out", "faults", "canary"})
                  .required("schema", schema)
                  .required("seed", c.seed)
                  .required("cluster", cluster)
                  .required("workload", workload)
                  .required("nodes", nodes)
                  .required("time_ns", c.time)
                  .optional("operation_timeout_ns", c.operation_timeout)
                  .optional("recovery_timeout_ns", c.recovery_timeout)
                  .optional("check_timeout_ns", c.check_timeout)
                  .required("nemeses", c.nemeses)
                  .optional("leave_out", c.leave_out)
                  .optional("canary", c.canary)
                  .optional("left_out", plan.left_out)
                  .each("faults", plan.faults, fault_spec_from_json)
                  .status();
  if (!read) return pass_on(read.error());
  if (schema != 1) return error("the plan has schema {}, and this Ordeal knows schema 1", schema);
  for (const auto& part :
       {read_cluster(cluster, c), read_workload(workload, c), read_nodes(nodes, c.nodes)}) {
    if (!part) return pass_on(part.error());
  }
  for (const FaultSpec& fault : plan.faults) {
    if (nemesis::fault_named(fault.kind) == nullptr) {
      return error("fault {}: there is no fault kind \"{}\"", fault.id, fault.kind);
    }
  }
  // The faults are the plan's own; all else must fit together as in a fresh plan.
  Configuration without_faults = c;
  without_faults.nemeses.clear();
  if (const auto fits = make_plan(without_faults); !fits) return pass_on(fits.error());
  return plan;
}

Result<Plan> read_plan(const std::filesystem::path& file) {
  const Result<std::string> text = read_file(file);
  if (!text) return pass_on(text.error());
  const Result<Json> json = parse_json(*text);
  if (!json) return pass_on(json.error(), file.string());
  Result<Plan> plan = plan_from_json(*json);
  if (!plan) return pass_on(plan.error(), file.string());
  return plan;
}

}  // namespace ordeal::harness
