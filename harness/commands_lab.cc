#include <fmt/core.h>

#include "clusters/lab/lab.h"
#include "harness/commands.h"

namespace ordeal::harness {

int lab_up_command(const std::string& name, std::size_t nodes) {
  clusters::LabOptions options;
  options.name = name;
  options.nodes = nodes;
  const Nanoseconds began = SteadyClock::now().time_since_epoch();
  const Result<clusters::Inventory> inventory = clusters::lab_up(options);
  if (!inventory) return broken(inventory.error());
  fmt::print("lab \"{}\" is up: {} nodes in {}\n", name, inventory->nodes.size(),
             to_text(SteadyClock::now().time_since_epoch() - began));
  fmt::print("  shell      ordeal lab shell {}{}\n", inventory->nodes.front().name,
             name == "default" ? "" : " --name " + name);
  fmt::print("  run on it  ordeal run --lab {} ...\n", name);
  return 0;
}

int lab_down_command(const std::string& name, bool all) {
  std::vector<std::string> names = {name};
  if (all) {
    names.clear();
    const auto labs = clusters::lab_status();
    if (!labs) return broken(labs.error());
    for (const auto& lab : *labs) {
      if (lab.owner == 0) names.push_back(lab.name);
    }
  }
  for (const std::string& each : names) {
    if (const auto down = clusters::lab_down(each); !down) return broken(down.error());
    fmt::print("lab \"{}\" is down\n", each);
  }
  return 0;
}

int lab_status_command(const OutputFlags& output) {
  const auto labs = clusters::lab_status();
  if (!labs) return broken(labs.error());
  if (output.json) {
    Json list = Json::array();
    for (const auto& lab : *labs) {
      list.push_back({{"name", lab.name},
                      {"nodes", lab.nodes},
                      {"since", lab.since},
                      {"supervisor", lab.supervisor},
                      {"owner", lab.owner},
                      {"isolation", clusters::isolation_name(lab.isolation)},
                      {"memory_bytes", lab.memory_bytes}});
    }
    fmt::print("{}", to_page({{"schema", 1}, {"labs", std::move(list)}}));
    return 0;
  }
  if (labs->empty()) fmt::print("no lab is up\n");
  for (const auto& lab : *labs) {
    fmt::print("{}  {} nodes, up since {}, {} MiB, {}{}\n", lab.name, lab.nodes, lab.since,
               lab.memory_bytes >> 20U, clusters::isolation_name(lab.isolation),
               lab.owner == 0 ? "" : fmt::format(", ends with process {}", lab.owner));
  }
  return 0;
}

int lab_inventory_command(const std::string& name) {
  const auto inventory = clusters::lab_inventory(name);
  if (!inventory) return broken(inventory.error());
  fmt::print("{}", clusters::to_json_text(*inventory));
  return 0;
}

int lab_shell_command(const std::string& name, const std::string& node,
                      const std::vector<std::string>& command) {
  return broken(clusters::lab_shell(name, node, command));
}

}  // namespace ordeal::harness
