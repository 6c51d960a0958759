#include "harness/plan.h"

#include <algorithm>

#include <fmt/format.h>

#include "clusters/custom/commands.h"
#include "core/file.h"
#include "core/json_fields.h"
#include "nemesis/fault.h"
#include "nemesis/schedule.h"
#include "nemesis/script.h"

namespace ordeal::harness {

namespace {

// The entry of that name in a list of kinds, or an Error that says what there is.
template <class Kind>
Result<const Kind*> find_kind(const std::vector<Kind>& kinds, std::string_view name,
                              std::string_view flag) {
  std::vector<std::string_view> names;
  for (const Kind& kind : kinds) {
    if (kind.name == name) return &kind;
    names.push_back(kind.name);
  }
  const std::string_view near = nearest_word(name, names);
  return error("{} {}: there is no such {}{}. There is: {}.", flag, name, flag.substr(2),
               near.empty() ? "" : fmt::format("; did you mean {}?", near), fmt::join(names, ", "));
}

Result<void> check_numbers(const Configuration& configuration) {
  const auto& work = configuration.workload_options;
  if (configuration.time < 1s)
    return error("--time {}: must be at least 1s", to_text(configuration.time));
  if (configuration.operation_timeout < 10ms) return error("--op-timeout: must be at least 10ms");
  if (configuration.check_timeout < 1ms) return error("--check-time: must be at least 1ms");
  if (work.clients == 0 || work.clients > 10000)
    return error("--clients {}: must be 1 to 10000", work.clients);
  if (work.group == 0 || work.group > work.clients) {
    return error("--group {}: must be 1 to the number of clients ({})", work.group, work.clients);
  }
  if (work.operations_per_key == 0) return error("--ops-per-key 0: must be at least 1");
  if (work.rate < 0) return error("--rate {}: must not be negative", work.rate);
  if (work.read_share < 0 || work.write_share < 0 || work.read_share + work.write_share > 1) {
    return error(
        "--reads-share {} and --writes-share {}: must not be negative, and 1 together at most",
        work.read_share, work.write_share);
  }
  return {};
}

std::size_t node_count(const NodeSource& source) {
  return source.nodes.empty() ? source.lab_nodes : source.nodes.size();
}

// What the TOML of a custom cluster says beside what fits every cluster.
Result<void> check_custom(const Configuration& configuration) {
  const auto& options = configuration.cluster_options;
  if (configuration.cluster != "custom") {
    if (options.values.empty()) return {};
    return error("--option is for clusters of your own: --cluster FILE.toml");
  }
  if (options.definition.empty())
    return error("--cluster custom: name the TOML file that describes it: --cluster FILE.toml");
  const auto definition = clusters::custom::parse_definition(
      options.definition, options.definition_file.string(), options.values);
  if (!definition) return pass_on(definition.error());
  const std::size_t nodes = node_count(configuration.nodes);
  if (nodes < definition->nodes_min || nodes > definition->nodes_max)
    return error("{} nodes: {} takes {} to {}", nodes, definition->file, definition->nodes_min,
                 definition->nodes_max);
  return {};
}

Result<void> check_fit(const Configuration& configuration) {
  if (const auto fits = check_custom(configuration); !fits) return fits;
  const auto cluster = find_kind(clusters::cluster_kinds(), configuration.cluster, "--cluster");
  if (!cluster) return pass_on(cluster.error());
  const std::size_t nodes = node_count(configuration.nodes);
  if (nodes == 0 || nodes > (*cluster)->nodes_max) {
    return error("{} nodes: --cluster {} takes 1 to {}", nodes, configuration.cluster,
                 (*cluster)->nodes_max);
  }
  const auto workload =
      workloads::make_workload(configuration.workload, configuration.workload_options);
  if (!workload) return pass_on(workload.error());
  const auto spoken = (*cluster)->make({}, configuration.cluster_options)->speaks();
  for (const Function needed : (*workload)->needs()) {
    if (std::find(spoken.begin(), spoken.end(), needed) == spoken.end()) {
      return error("--workload {} needs the function {}, which --cluster {} does not speak",
                   configuration.workload, to_text(needed), cluster_name(configuration));
    }
  }
  return {};
}

// The nodes as far as they are known before a lab is up.
std::vector<clusters::Node> nodes_of(const NodeSource& source) {
  if (!source.nodes.empty()) return source.nodes;
  std::vector<clusters::Node> nodes(source.lab_nodes);
  for (std::size_t i = 0; i < nodes.size(); ++i)
    nodes[i].name = nodes[i].host = fmt::format("n{}", i + 1);
  return nodes;
}

// "all" is every kind that the cluster can be harmed by, but for those that are only had by name;
// of kinds that were named, each must fit.
Result<void> choose_faults(Configuration& configuration, std::vector<std::string>& left_out) {
  auto& kinds = configuration.nemeses;
  const auto cluster = find_kind(clusters::cluster_kinds(), configuration.cluster, "--cluster");
  if (!cluster) return pass_on(cluster.error());
  const auto system = (*cluster)->make({}, configuration.cluster_options);
  const auto all = std::find(kinds.begin(), kinds.end(), "all");
  for (const std::string& kind : kinds) {
    const nemesis::Fault* fault = nemesis::fault_named(kind);
    if (fault == nullptr) continue;  // "all", or told by the schedule, with what there is
    if (all != kinds.end() && !fault->by_name_only())
      return error("--nemesis all: it already names {}", kind);
    if (const auto fits = fault->fits(*system); !fits)
      return pass_on(fits.error(), "--nemesis " + kind);
  }
  if (all == kinds.end()) return {};
  kinds.erase(all);
  configuration.leave_out = true;
  for (const auto& fault : nemesis::faults()) {
    if (fault->by_name_only()) continue;
    const auto fits = fault->fits(*system);
    if (!fits) {
      left_out.push_back(fmt::format("{}: {}", fault->kind(), fits.error().message));
    } else if (node_count(configuration.nodes) < fault->least_nodes()) {
      left_out.push_back(
          fmt::format("{}: it needs at least {} nodes", fault->kind(), fault->least_nodes()));
    } else {
      kinds.emplace_back(fault->kind());
    }
  }
  return {};
}

Result<void> read_script(Configuration& configuration, Plan& plan) {
  if (!configuration.nemeses.empty())
    return error("--faults names the faults one by one: leave --nemesis out");
  const auto text = read_file(configuration.script);
  if (!text) return pass_on(text.error(), "--faults");
  auto faults = nemesis::parse_script(*text, configuration.script.string(),
                                      Rng(configuration.seed).fork("script"));
  if (!faults) return pass_on(faults.error(), "--faults");
  for (const FaultSpec& fault : *faults) {
    if (fault.begin + fault.duration > configuration.time)
      return error("--faults: fault {} ends after {}, and --time is {}", fault.id,
                   to_text(fault.begin + fault.duration), to_text(configuration.time));
    auto& kinds = configuration.nemeses;
    if (std::find(kinds.begin(), kinds.end(), fault.kind) == kinds.end())
      kinds.push_back(fault.kind);
  }
  plan.faults = std::move(*faults);
  std::vector<std::string> none;
  return choose_faults(configuration, none);
}

}  // namespace

std::string cluster_name(const Configuration& configuration) {
  if (configuration.cluster != "custom") return configuration.cluster;
  const auto& options = configuration.cluster_options;
  const auto definition = clusters::custom::parse_definition(
      options.definition, options.definition_file.string(), options.values);
  return definition ? definition->name : configuration.cluster;
}

Result<Plan> make_plan(const Configuration& wanted) {
  for (const auto& check : {check_numbers(wanted), check_fit(wanted)}) {
    if (!check) return pass_on(check.error());
  }
  Plan plan;
  plan.configuration = wanted;
  Configuration& configuration = plan.configuration;
  if (auto chosen = choose_faults(configuration, plan.left_out); !chosen)
    return pass_on(chosen.error());
  if (!configuration.script.empty()) {
    if (auto read = read_script(configuration, plan); !read) return pass_on(read.error());
    return plan;
  }
  if (configuration.nemeses.empty()) return plan;
  nemesis::ScheduleOptions schedule;
  schedule.kinds = configuration.nemeses;
  schedule.time = configuration.time;
  schedule.duration = configuration.faults.duration;
  schedule.calm = configuration.faults.calm;
  schedule.overlap = configuration.faults.overlap;
  schedule.swarm = configuration.faults.swarm;
  Result<std::vector<FaultSpec>> faults = nemesis::draw_schedule(
      schedule, Rng(configuration.seed).fork("nemesis"), node_count(configuration.nodes));
  if (!faults) return pass_on(faults.error(), "--nemesis and --time");
  plan.faults = std::move(*faults);
  return plan;
}

std::map<std::string, std::string> notable_options(const Configuration& configuration) {
  const Configuration usual;
  std::map<std::string, std::string> options;
  const auto& cluster = configuration.cluster_options;
  const auto& work = configuration.workload_options;
  if (cluster.serializable_reads) options["reads"] = "serializable";
  if (!cluster.binary.empty()) options["etcd-binary"] = cluster.binary.string();
  if (!cluster.other_binary.empty()) options["etcd-other-binary"] = cluster.other_binary.string();
  if (!cluster.server_flags.empty())
    options["server-flag"] = fmt::format("{}", fmt::join(cluster.server_flags, " "));
  for (const auto& [name, value] : cluster.values) options[name] = value;
  if (work.rate > 0) options["rate"] = fmt::format("{}", work.rate);
  if (work.keys > 0) options["keys"] = fmt::format("{}", work.keys);
  if (work.group != usual.workload_options.group) options["group"] = fmt::format("{}", work.group);
  if (work.operations_per_key != usual.workload_options.operations_per_key) {
    options["ops-per-key"] = fmt::format("{}", work.operations_per_key);
  }
  if (configuration.operation_timeout != usual.operation_timeout) {
    options["op-timeout"] = to_text(configuration.operation_timeout);
  }
  return options;
}

std::string describe(const Plan& plan) {
  const Configuration& c = plan.configuration;
  const auto& work = c.workload_options;
  std::string text =
      fmt::format("plan       {} x {}, seed {}\n", c.workload, cluster_name(c), c.seed);
  if (!c.nodes.nodes.empty()) {
    text += "nodes      ";
    for (const auto& node : c.nodes.nodes) text += fmt::format("{} ({}) ", node.name, node.host);
    text += '\n';
  } else if (!c.nodes.lab.empty()) {
    text += fmt::format("nodes      those of the lab \"{}\"\n", c.nodes.lab);
  } else {
    text += fmt::format("nodes      a lab of {}, for the length of the run; needs root\n",
                        c.nodes.lab_nodes);
  }
  text += fmt::format(
      "clients    {}, {} to a key, {} operations a key, {}\n", work.clients, work.group,
      work.operations_per_key,
      work.rate > 0 ? fmt::format("{} a second", work.rate) : "as fast as the cluster answers");
  for (const auto& [name, value] : notable_options(c))
    text += fmt::format("option     {} = {}\n", name, value);
  if (c.cluster == "custom") {
    const auto& custom = c.cluster_options;
    if (const auto definition = clusters::custom::parse_definition(
            custom.definition, custom.definition_file.string(), custom.values))
      text += clusters::custom::describe(*definition, nodes_of(c.nodes));
  }
  text += fmt::format("main phase {}, every operation within {}\n", to_text(c.time),
                      to_text(c.operation_timeout));
  if (plan.faults.empty()) text += "faults     none\n";
  for (const std::string& reason : plan.left_out) text += fmt::format("left out   {}\n", reason);
  for (const FaultSpec& fault : plan.faults) {
    text += fmt::format("fault {:<4} {:>8} s to {:>8} s  {}", fault.id, to_seconds(fault.begin),
                        to_seconds(fault.begin + fault.duration), fault.kind);
    if (!fault.targets.empty()) text += " " + fault.targets;
    for (const auto& [name, value] : fault.parameters)
      text += fmt::format(" {}={}", name, to_text(value));
    text += '\n';
  }
  return text;
}

}  // namespace ordeal::harness
