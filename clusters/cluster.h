#pragma once
// The plug-in border of the tested systems. A Cluster knows how to install, start, stop, wipe and
// ask a system on nodes; a Client is one connection that turns requests into calls on it. Written
// once for all workloads.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clusters/remote.h"
#include "core/op.h"

namespace ordeal::clusters {

// One connection, pinned to one node, used by one process at a time. Never retries, never moves to
// another node. Threads: one at a time.
class Client {
 public:
  virtual ~Client() = default;
  // Returns by the deadline (and a few milliseconds). Never throws. Only errors that the cluster's
  // list of definite errors names come back as `fail`.
  [[nodiscard]] virtual Completion invoke(const Request& request, Deadline deadline) = 0;
};

// What one node says of itself.
struct NodeStatus {
  std::string leader;  // name of the node that it follows, itself included; empty: it knows none
  std::uint64_t term = 0;
  std::uint64_t applied = 0;  // position in the replicated log, where there is one
  std::string version;
  std::uint64_t committed = 0;  // likewise
};

// What a node holds: equal revisions must have equal hashes.
struct StateHash {
  std::int64_t revision = 0;
  std::string hash;
};

// A rule by which an error proves that an operation did not take effect; printed in every report.
struct DefiniteError {
  std::string_view error;     // how it shows: "INVALID_ARGUMENT"
  std::string_view argument;  // why it proves it
};

// A deployed system. Methods may be called from any thread; those about different nodes run in
// parallel.
class Cluster {
 public:
  virtual ~Cluster() = default;

  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] virtual std::vector<Function> speaks() const = 0;
  [[nodiscard]] virtual std::string_view promise()
      const = 0;  // "linearizable reads and writes per key"
  // Where the system documents its promise, as a sentence for the reader of a finding; it also says
  // when this configuration asks for more than is documented.
  [[nodiscard]] virtual std::string promise_source() const { return {}; }
  [[nodiscard]] virtual std::vector<DefiniteError> definite_errors() const = 0;

  // Brings the node to a clean installed state: leftovers of earlier runs are stopped and wiped,
  // the binary is there, nothing runs.
  [[nodiscard]] virtual Result<void> deploy(std::size_t node) = 0;
  [[nodiscard]] virtual Result<void> start(std::size_t node) = 0;  // idempotent
  [[nodiscard]] virtual Result<void> stop(std::size_t node) = 0;   // gentle, then hard; idempotent
  [[nodiscard]] virtual Result<void> wipe(
      std::size_t node) = 0;  // removes its data; must be stopped
  // Shell commands that the guard of the node can run by itself, idempotent: the server is running
  // / is dead.
  [[nodiscard]] virtual std::string start_command(std::size_t node) const = 0;
  [[nodiscard]] virtual std::string kill_command(std::size_t node) const = 0;
  // Prints the process id of the server; exit status 1 when it does not run.
  [[nodiscard]] virtual std::string pid_command(std::size_t node) const = 0;
  // Ends the server the way an administrator would, and waits for it; idempotent.
  [[nodiscard]] virtual std::string stop_command(std::size_t node) const {
    return kill_command(node);
  }
  // Starts a server without data as a new member of a cluster that is there already; idempotent.
  [[nodiscard]] virtual std::string rejoin_command(std::size_t node) const {
    return start_command(node);
  }
  // Whether the user has given a second version of the server.
  [[nodiscard]] virtual bool has_other_version() const { return false; }
  // Starts that one, on the same data; idempotent. What else is asked of the server by commands
  // then means it.
  [[nodiscard]] virtual std::string other_start_command(std::size_t node) const {
    return start_command(node);
  }
  // The folder on the node in which the server keeps what must survive a crash; empty: unknown, so
  // that its disk cannot be harmed.
  [[nodiscard]] virtual std::string data_directory(std::size_t) const { return {}; }
  // TCP ports on which servers speak to each other, and to clients; empty: unknown.
  [[nodiscard]] virtual std::vector<std::uint16_t> peer_ports() const { return {}; }
  [[nodiscard]] virtual std::vector<std::uint16_t> client_ports() const { return {}; }
  // What can be asked of the system's own interface while it runs, by name:
  // "compact". Membership is in these names, all idempotent: remove-member; add-member, after which
  // the others expect the node to rejoin, without data; add-learner, which also starts its server,
  // and makes it a member like others once it has caught up; replace-member, which puts a new,
  // running member in the place of one that has lost its data. Returns what was done, for people.
  [[nodiscard]] virtual std::vector<std::string> actions() const { return {}; }
  [[nodiscard]] virtual Result<std::string> administer(std::string_view action, std::size_t,
                                                       Deadline) {
    return error("{} has no action {}", name(), action);
  }

  [[nodiscard]] virtual Result<NodeStatus> status(std::size_t node, Deadline deadline) = 0;
  // Of the node's own copy of the whole state; an empty hash when the system cannot tell.
  [[nodiscard]] virtual Result<StateHash> state_hash(std::size_t, Deadline) { return StateHash{}; }
  [[nodiscard]] virtual Result<std::unique_ptr<Client>> open(std::size_t node) = 0;
  // False: status() says only whether the node answers, and nobody is waited for as a leader.
  [[nodiscard]] virtual bool names_leaders() const { return true; }
  // What went wrong with clients beside operations, for the report's health; a sentence each.
  [[nodiscard]] virtual std::vector<std::string> troubles() const { return {}; }
  // Paths on the node, collected after every run.
  [[nodiscard]] virtual std::vector<std::string> logs(std::size_t node) const = 0;
};

// Every node answers and all name one leader in one term; says who does not, at the deadline. The
// answer is empty for a cluster that names no leaders.
[[nodiscard]] Result<std::string> await_agreement(Cluster& cluster, const std::vector<Node>& nodes,
                                                  Deadline deadline);

// What a cluster is made from. Options are the cluster's own, from --option NAME=VALUE and its
// flags.
struct ClusterOptions {
  std::filesystem::path binary;           // upload this one; empty: the node's own
  std::filesystem::path other_binary;     // another version, for upgrade faults; empty: none
  std::vector<std::string> server_flags;  // appended to the server's command line
  bool serializable_reads = false;        // reads may be served by any node alone
  // A custom cluster: its TOML and where that was read from, values for its [options], and where
  // the standard error of its clients is kept (empty: nowhere).
  std::string definition;
  std::filesystem::path definition_file;
  std::map<std::string, std::string> values;
  std::filesystem::path client_logs;
};

struct ClusterKind {
  std::string_view name;
  std::string_view summary;
  std::size_t nodes_max = 0;
  // Remotes stay alive, and connected, for as long as the cluster lives.
  std::unique_ptr<Cluster> (*make)(const std::vector<Remote*>& remotes,
                                   const ClusterOptions& options);
};

// The list of clusters that Ordeal comes with: one line each.
[[nodiscard]] const std::vector<ClusterKind>& cluster_kinds();

}  // namespace ordeal::clusters
