#pragma once
// The commands of the command line, after parsing. Each prints its result to stdout, progress and
// errors to stderr, and returns the exit code of the process.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/live.h"
#include "harness/plan.h"

namespace ordeal::harness {

struct OutputFlags {
  bool json = false;
  bool colour = false;
  bool unicode = true;
};

// Which nodes, as the user names them; at most one way of the three.
struct NodeFlags {
  std::filesystem::path inventory;
  std::vector<std::string> nodes;  // user@host:port
  std::string lab;
  std::optional<std::size_t> lab_nodes;
  [[nodiscard]] bool names_any() const {
    return !inventory.empty() || !nodes.empty() || !lab.empty() || lab_nodes.has_value();
  }
  std::string password_variable;  // name of the environment variable that holds the SSH password
};

struct RunFlags {
  Configuration configuration;
  std::vector<std::string> options;  // NAME=VALUE, for a cluster of the user's own
  // Flags of clients that were given by name, which a workload's TOML does not override.
  bool says_keys = false, says_group = false, says_operations_per_key = false;
  NodeFlags nodes;
  std::optional<std::uint64_t> seed;
  std::filesystem::path plan;
  std::filesystem::path runs = "runs";
  bool dry_run = false;
  bool until_failure = false;
  Progress progress = Progress::automatic;
  OutputFlags output;
};

int run_command(RunFlags flags);
// A cluster that is a file: read once, here, so that the plan holds all of it.
[[nodiscard]] Result<void> read_custom_cluster(RunFlags& flags);

// One fault by hand, to a cluster that runs.
struct NemesisFlags {
  RunFlags run;  // of it: cluster, options and nodes
  std::string kind;
  std::string targets = "one";
  Nanoseconds time = 30s;
  std::vector<std::string> parameters;  // NAME=VALUE
};
int nemesis_command(NemesisFlags flags);

struct CheckFlags {
  std::filesystem::path path;  // a run directory, or a history
  std::string as;
  std::string format;
  bool failed_cas_is_evidence = false;
  bool wants_order = false;
  Nanoseconds check_timeout = 60s;
  OutputFlags output;
};
int check_command(const CheckFlags& flags);
int report_command(const std::filesystem::path& run, const OutputFlags& output);
int list_command(const std::string& what, const std::filesystem::path& runs,
                 const OutputFlags& output);
struct ServeFlags {
  std::filesystem::path runs = "runs";
  std::string address = "127.0.0.1";
  int port = 8180;
  std::string place;  // a run, and what of it: "NAME#t=60-64"
};
int serve_command(const ServeFlags& flags);
int compare_command(const std::filesystem::path& a, const std::filesystem::path& b,
                    const OutputFlags& output);

struct ReproduceFlags {
  std::filesystem::path run;
  std::size_t times = 10;
  std::filesystem::path runs = "runs";
};
int reproduce_command(const ReproduceFlags& flags, const NodeFlags& nodes,
                      const OutputFlags& output);

int heal_command(const std::filesystem::path& run, const NodeFlags& nodes);
int doctor_command(const NodeFlags& nodes);

struct ClientCheckFlags {
  std::filesystem::path cluster;     // the TOML file
  std::vector<std::string> options;  // NAME=VALUE
  std::vector<std::string> command;  // in place of the TOML's client
  Nanoseconds timeout = 2s;
  NodeFlags nodes;
};
int client_check_command(const ClientCheckFlags& flags);

int lab_up_command(const std::string& name, std::size_t nodes);
int lab_down_command(const std::string& name, bool all);
int lab_status_command(const OutputFlags& output);
int lab_inventory_command(const std::string& name);
int lab_shell_command(const std::string& name, const std::string& node,
                      const std::vector<std::string>& command);

// The TOML file of a custom cluster and the NAME=VALUE of its options, into what it is made from.
[[nodiscard]] Result<void> read_definition(const std::filesystem::path& file,
                                           const std::vector<std::string>& values,
                                           clusters::ClusterOptions& options);

// "ordeal: <sentence>" on stderr.
int usage_error(const Error& error);  // exit 64
int broken(const Error& error);       // exit 3

// The command line itself.
int main_command(int argc, char** argv);
// Whether it takes these words ("ordeal", "check", ...); the sentence of the usage error otherwise.
[[nodiscard]] Result<void> parses(const std::vector<std::string>& words);

}  // namespace ordeal::harness
