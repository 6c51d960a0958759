#pragma once
// The plan: everything that is decided before the first node is touched. A pure function of
// configuration and seed; the same two give the same plan.json, byte for byte. Printed by
// --dry-run, replayed by --plan.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "clusters/cluster.h"
#include "clusters/node.h"
#include "core/fault.h"
#include "core/json.h"
#include "workloads/workload.h"

namespace ordeal::harness {

// Where the nodes come from: the given ones; the lab of that name, which is up; or, when both are
// empty, a lab of `lab_nodes` nodes that lives as long as the run.
struct NodeSource {
  std::vector<clusters::Node> nodes;
  std::filesystem::path
      network_namespace;  // in which the given nodes are reached, see clusters::Inventory
  std::string lab;
  std::size_t lab_nodes = 5;
  friend bool operator==(const NodeSource&, const NodeSource&) = default;
};

struct FaultTiming {
  Nanoseconds duration = 5s;  // of one fault, on average
  Nanoseconds calm = 3s;      // between faults, on average
  std::size_t overlap = 2;    // faults at once, at most
  bool swarm = false;         // draw kinds, lengths and overlap anew for each seed
};

// What the user asks for. Everything has a default.
struct Configuration {
  std::string cluster = "etcd";
  clusters::ClusterOptions cluster_options;
  std::string workload = "register";
  workloads::WorkloadOptions workload_options;
  std::vector<std::string> nemeses;  // fault kinds
  std::filesystem::path script;      // faults written down by hand, instead of drawn ones
  bool leave_out = false;            // of these, what the nodes cannot take; else they are refused
  FaultTiming faults;
  NodeSource nodes;
  Nanoseconds time = 60s;  // of the main phase
  Nanoseconds operation_timeout = 1s;
  Nanoseconds recovery_timeout = 30s;  // until the healed cluster must be whole again
  Nanoseconds check_timeout = 60s;
  std::uint64_t seed = 0;
  bool canary = false;  // must end FAIL, to show that the tests can bark
};

struct Plan {
  Configuration configuration;
  std::vector<FaultSpec> faults;
  std::vector<std::string> left_out;  // kinds of "all" that do not fit the cluster, and why
};

// The name of the tested system: that of the cluster kind, or what its TOML calls it.
[[nodiscard]] std::string cluster_name(const Configuration& configuration);

// Checks that the parts exist and fit together, and draws the faults. Errors are usage errors: one
// sentence with the flag and what it may be.
[[nodiscard]] Result<Plan> make_plan(const Configuration& configuration);

[[nodiscard]] Json to_json(const Plan& plan);
// Also refuses unknown keys and a plan whose parts do not fit.
[[nodiscard]] Result<Plan> plan_from_json(const Json& json);
[[nodiscard]] Result<Plan> read_plan(const std::filesystem::path& file);

// What differs from the defaults, by flag name: the part of a configuration that a report must
// show.
[[nodiscard]] std::map<std::string, std::string> notable_options(
    const Configuration& configuration);

// For people: what will be done, where and when.
[[nodiscard]] std::string describe(const Plan& plan);

}  // namespace ordeal::harness
