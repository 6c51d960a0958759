#include "clusters/etcd/etcd.h"

#include <map>
#include <mutex>

#include <arpa/inet.h>
#include <fmt/core.h>

#include "clusters/daemon.h"
#include "clusters/etcd/client.h"
#include "clusters/etcd/connection.h"
#include "clusters/etcd/errors.h"
#include "clusters/etcd/etcd.grpc.pb.h"
#include "clusters/etcd/monitor.h"
#include "clusters/etcd/program.h"

namespace ordeal::clusters::etcd {
namespace {

namespace pb = etcdserverpb;

constexpr std::string_view folder = "/var/lib/ordeal/etcd";
constexpr std::string_view data = "/var/lib/ordeal/etcd/data";
constexpr std::string_view log_file = "/var/lib/ordeal/etcd/etcd.log";
constexpr std::size_t most_nodes = 7;

std::string url(const std::string& host, std::uint16_t port) {
  return "http://" + host_and_port(host, port);
}

// etcd binds to literal addresses only; a node known by name listens on all of its own.
std::string bind_address(const Node& node) {
  unsigned char parsed[sizeof(in6_addr)];
  const std::string& address = node.service_address();
  const bool literal = ::inet_pton(AF_INET, address.c_str(), parsed) == 1 ||
                       ::inet_pton(AF_INET6, address.c_str(), parsed) == 1;
  return literal ? address : "0.0.0.0";
}

Daemon daemon_of(const std::vector<Remote*>& remotes, std::size_t node,
                 const std::vector<std::string>& server_flags, std::string_view state,
                 const std::string& program = program_path) {
  const Node& self = remotes[node]->node();
  const std::string& address = self.service_address();
  std::string members;
  for (const Remote* remote : remotes) {
    if (!members.empty()) members += ",";
    members += remote->node().name + "=" + url(remote->node().service_address(), peer_port);
  }
  Daemon daemon;
  daemon.name = "etcd";
  daemon.directory = folder;
  daemon.log = log_file;
  daemon.command = {
      program,
      "--name=" + self.name,
      fmt::format("--data-dir={}", data),
      "--listen-client-urls=" + url(bind_address(self), client_port),
      "--advertise-client-urls=" + url(address, client_port),
      "--listen-peer-urls=" + url(bind_address(self), peer_port),
      "--initial-advertise-peer-urls=" + url(address, peer_port),
      "--initial-cluster=" + members,
      "--initial-cluster-token=ordeal",
      fmt::format("--initial-cluster-state={}", state),
      "--heartbeat-interval=100",
      "--election-timeout=1000",
      // Low, so that runs of a minute see snapshots taken and sent.
      "--snapshot-count=100",
      "--logger=zap",
      "--log-outputs=stderr",
  };
  daemon.command.insert(daemon.command.end(), server_flags.begin(), server_flags.end());
  return daemon;
}

class EtcdCluster final : public Cluster {
 public:
  EtcdCluster(const std::vector<Remote*>& remotes, const ClusterOptions& options)
      : remotes_(remotes), options_(options) {
    for (std::size_t node = 0; node < remotes.size(); ++node) {
      const Node& self = remotes[node]->node();
      daemons_.push_back(daemon_of(remotes, node, options.server_flags, "new"));
      rejoining_.push_back(daemon_of(remotes, node, options.server_flags, "existing"));
      others_.push_back(daemon_of(remotes, node, options.server_flags, "new", other_program_path));
      members_.push_back({self.name, url(self.service_address(), peer_port)});
      monitors_.push_back(std::make_unique<Monitor>(remotes[node]->node().service_address()));
    }
  }

  std::string_view name() const override { return "etcd"; }
  std::vector<Function> speaks() const override {
    return {Function::read, Function::write, Function::cas, Function::watch};
  }
  std::string_view promise() const override {
    return options_.serializable_reads
               ? "linearizable writes per key; serializable reads, which may be stale"
               : "linearizable reads and writes per key";
  }
  std::string promise_source() const override {
    const std::string documented =
        "etcd documents it under \"KV API guarantees\" "
        "(https://etcd.io/docs/v3.5/learning/api_guarantees/): linearizable unless a request asks "
        "for less";
    if (!options_.serializable_reads) return documented;
    return documented +
           "; this run asked for less (--reads serializable), and such reads may be stale by "
           "design: what is shown here is what that option costs, not a defect of etcd";
  }
  std::vector<DefiniteError> definite_errors() const override { return etcd::definite_errors(); }

  Result<void> deploy(std::size_t node) override {
    if (remotes_.size() > most_nodes)
      return error("etcd is deployed to 1 to {} nodes, not to {}: name fewer nodes", most_nodes,
                   remotes_.size());
    Remote& remote = *remotes_[node];
    const auto stopped = run_or_error(remote, {clusters::kill_command(daemons_[node]), {}, 60s},
                                      "stopping the etcd of an earlier run");
    if (!stopped) return pass_on(stopped.error());
    if (auto free = check_ports(remote); !free) return free;
    const auto wiped = run_or_error(remote, {fmt::format("rm -rf {} {}", data, log_file), {}, 30s},
                                    "removing the data of an earlier run");
    if (!wiped) return pass_on(wiped.error());
    if (has_other_version()) {
      if (auto there = install_program(remote, options_.other_binary, other_program_path); !there)
        return there;
    }
    return install_program(remote, options_.binary);
  }

  Result<void> start(std::size_t node) override {
    // The size of the log before the start tells where to look for a reason. A wrong flag or an
    // address that is not the node's ends etcd within milliseconds.
    const std::string shell = fmt::format(
        "before=$(wc -c 2>/dev/null <{0} || echo 0); ({1}) || exit 1; sleep 0.3; ({2}) && exit 0; "
        "tail -c +$((before+1)) {0} | head -c 30000; exit 9",
        log_file, clusters::start_command(daemons_[node]), clusters::pid_command(daemons_[node]));
    Remote& remote = *remotes_[node];
    const auto output = remote.run({shell, {}, 30s});
    if (!output) return pass_on(output.error(), "starting etcd");
    if (output->exit_status == 9)
      return error("{}: etcd ended right after its start: {}", remote.node().name,
                   reason_in_log(output->out));
    if (!output->ok())
      return error("{}: starting etcd: {}", remote.node().name, reason_in_log(output->err));
    return {};
  }

  Result<void> stop(std::size_t node) override {
    return discard(run_or_error(
        *remotes_[node], {clusters::stop_command(daemons_[node], 5s), {}, 30s}, "stopping etcd"));
  }

  Result<void> wipe(std::size_t node) override {
    const std::string shell =
        fmt::format("({}) >/dev/null && {{ echo 'etcd still runs' >&2; exit 1; }}; rm -rf {}",
                    clusters::pid_command(daemons_[node]), data);
    return discard(run_or_error(*remotes_[node], {shell, {}, 30s}, "wiping etcd's data"));
  }

  std::string start_command(std::size_t node) const override {
    return clusters::start_command(daemons_[node]);
  }
  std::string kill_command(std::size_t node) const override {
    return clusters::kill_command(daemons_[node]);
  }
  std::string pid_command(std::size_t node) const override {
    return clusters::pid_command(daemons_[node]);
  }

  std::string rejoin_command(std::size_t node) const override {
    return clusters::start_command(rejoining_[node]);
  }
  bool has_other_version() const override { return !options_.other_binary.empty(); }
  std::string other_start_command(std::size_t node) const override {
    return clusters::start_command(others_[node]);
  }
  std::vector<std::string> actions() const override { return admin_actions(); }
  Result<std::string> administer(std::string_view action, std::size_t node,
                                 Deadline deadline) override {
    const auto start = [&](bool is_empty) {
      const std::string empty = fmt::format("({}\n) && rm -rf {} && ", kill_command(node), data);
      return discard(run_or_error(*remotes_[node],
                                  {(is_empty ? empty : "") + "(" + rejoin_command(node) + "\n)",
                                   {},
                                   std::max<Nanoseconds>(deadline.left(), 1s)},
                                  "starting the new member"));
    };
    auto done = etcd::administer(action, node, monitors_, members_, start, deadline);
    if (!done) return pass_on(done.error(), remotes_[node]->node().name);
    return done;
  }
  std::string stop_command(std::size_t node) const override {
    return clusters::stop_command(daemons_[node], 5s);
  }
  std::string data_directory(std::size_t) const override { return std::string(data); }
  std::vector<std::uint16_t> peer_ports() const override { return {peer_port}; }
  std::vector<std::uint16_t> client_ports() const override { return {client_port}; }

  Result<NodeStatus> status(std::size_t node, Deadline deadline) override {
    Monitor& monitor = *monitors_[node];
    const std::string& name = remotes_[node]->node().name;
    if (!monitor.connection.await_connected(deadline))
      return error("{} does not answer: {} could not be reached", name, monitor.connection.peer());
    grpc::ClientContext context;
    context.set_deadline(grpc_deadline(deadline));
    pb::StatusResponse answer;
    if (const auto status = monitor.maintenance->Status(&context, {}, &answer); !status.ok())
      return error("{} does not answer: {}", name, say(status));
    learn(answer.header().member_id(), name);
    auto leader = leader_name(monitor, answer.leader(), deadline);
    if (!leader) return pass_on(leader.error(), name);
    return NodeStatus{*std::move(leader), answer.raft_term(), answer.raft_applied_index(),
                      answer.version(), answer.raft_index()};
  }

  Result<StateHash> state_hash(std::size_t node, Deadline deadline) override {
    Monitor& monitor = *monitors_[node];
    const std::string& name = remotes_[node]->node().name;
    if (!monitor.connection.await_connected(deadline))
      return error("{} does not answer: {} could not be reached", name, monitor.connection.peer());
    grpc::ClientContext context;
    context.set_deadline(grpc_deadline(deadline));
    pb::HashKVResponse answer;
    if (const auto status = monitor.maintenance->HashKV(&context, {}, &answer); !status.ok())
      return error("{} does not hash its state: {}", name, say(status));
    // What a node has compacted away is not in its hash, and nodes compact each in their own time.
    if (answer.compact_revision() > 0) return StateHash{answer.header().revision(), {}};
    return StateHash{answer.header().revision(), fmt::format("{:08x}", answer.hash())};
  }

  Result<std::unique_ptr<Client>> open(std::size_t node) override {
    return make_client({.host = remotes_[node]->node().service_address(),
                        .port = client_port,
                        .serializable_reads = options_.serializable_reads});
  }

  std::vector<std::string> logs(std::size_t) const override { return {std::string(log_file)}; }

 private:
  static Result<void> discard(const Result<std::string>& result) {
    if (!result) return pass_on(result.error());
    return {};
  }

  static std::string say(const grpc::Status& status) {
    const Classified what = classify(Function::read, status.error_code(), status.error_message());
    return describe(what.error_class, status.error_code(), status.error_message());
  }

  static Result<void> check_ports(Remote& remote) {
    const auto owners =
        run_or_error(remote, {port_owners_command({client_port, peer_port}), {}, 30s},
                     "looking for servers on etcd's ports");
    if (!owners) return pass_on(owners.error());
    if (owners->empty()) return {};
    return error("{}: {}", remote.node().name, taken_port(*owners));
  }

  void learn(std::uint64_t member, const std::string& name) {
    const std::lock_guard lock(mutex_);
    member_names_[member] = name;
  }

  // Member ids become names as the nodes answer for themselves; one that never did is asked for.
  Result<std::string> leader_name(Monitor& monitor, std::uint64_t leader, Deadline deadline) {
    if (leader == 0) return std::string();
    {
      const std::lock_guard lock(mutex_);
      if (const auto known = member_names_.find(leader); known != member_names_.end())
        return known->second;
    }
    grpc::ClientContext context;
    context.set_deadline(grpc_deadline(deadline));
    pb::MemberListResponse answer;
    if (const auto status = monitor.cluster->MemberList(&context, {}, &answer); !status.ok())
      return error("asking for the members failed: {}", say(status));
    for (const pb::Member& member : answer.members()) {
      if (member.id() != leader || member.name().empty()) continue;
      learn(leader, member.name());
      return member.name();
    }
    return error("follows member {:x}, which its list of members does not have", leader);
  }

  const std::vector<Remote*> remotes_;
  const ClusterOptions options_;
  std::vector<Daemon> daemons_;
  std::vector<Daemon> rejoining_;  // the same servers, as members that join a cluster that is there
  std::vector<Daemon> others_;     // the same servers, of the other version
  std::vector<MemberName> members_;
  std::vector<std::unique_ptr<Monitor>> monitors_;
  std::mutex mutex_;
  std::map<std::uint64_t, std::string> member_names_;  // guarded by mutex_
};

}  // namespace

std::unique_ptr<Cluster> make_cluster(const std::vector<Remote*>& remotes,
                                      const ClusterOptions& options) {
  return std::make_unique<EtcdCluster>(remotes, options);
}

}  // namespace ordeal::clusters::etcd
