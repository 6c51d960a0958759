#include "clusters/custom/custom.h"

#include <thread>

#include "clusters/custom/client.h"
#include "clusters/custom/commands.h"
#include "clusters/custom/probe.h"
#include "core/file.h"
#include "core/json.h"

namespace ordeal::clusters::custom {
namespace {

constexpr auto step_timeout = 30s;
constexpr auto upload_timeout = 120s;

Definition definition_of(const ClusterOptions& options) {
  auto definition =
      parse_definition(options.definition, options.definition_file.string(), options.values);
  ORDEAL_CHECK(definition.has_value(), "a cluster is made from a definition that was not checked");
  return *std::move(definition);
}

// The member that a JSON pointer names, as a text.
Result<std::string> member(const Json& json, const std::string& pointer) {
  try {
    const Json& found = json.at(Json::json_pointer(pointer));
    if (found.is_null()) return std::string();
    return found.is_string() ? found.get<std::string>() : to_line(found);
  } catch (const Json::exception&) {
    return error("the answer has no {}: {}", pointer, to_line(json).substr(0, 200));
  }
}

class CustomCluster final : public Cluster {
 public:
  CustomCluster(const std::vector<Remote*>& remotes, const ClusterOptions& options)
      : remotes_(remotes), client_logs_(options.client_logs), definition_(definition_of(options)) {
    for (const Remote* remote : remotes) nodes_.push_back(remote->node());
    for (std::size_t node = 0; node < remotes.size(); ++node)
      commands_.push_back(commands_for(definition_, nodes_, node));
    if (!client_logs_.empty()) {
      std::error_code failed;  // then clients cannot be opened, and say why
      std::filesystem::create_directories(client_logs_, failed);
    }
  }

  std::string_view name() const override { return definition_.name; }
  std::vector<Function> speaks() const override { return definition_.client.functions; }
  std::string_view promise() const override { return definition_.promise; }
  std::vector<DefiniteError> definite_errors() const override {
    std::vector<DefiniteError> errors;
    for (const auto& [code, why] : definition_.client.fail) errors.push_back({code, why});
    return errors;
  }
  bool names_leaders() const override { return !definition_.leader.none(); }
  std::vector<std::string> troubles() const override { return misdeeds_.sentences(); }

  Result<void> deploy(std::size_t node) override {
    const NodeCommands& commands = commands_[node];
    Remote& remote = *remotes_[node];
    if (const auto dead = shell(node, commands.kill, "stopping the server of an earlier run");
        !dead)
      return dead;
    if (const auto free = check_ports(node); !free) return free;
    const std::string fresh =
        fmt::format("{}; mkdir -p {}", commands.wipe, shell_quote(commands.data.front()));
    if (const auto wiped = shell(node, fresh, "removing the data of an earlier run"); !wiped)
      return wiped;
    for (const Upload& upload : commands.uploads) {
      const auto content = read_file(upload.from);
      if (!content) return pass_on(content.error(), "reading a file to upload");
      const auto sent = remote.upload(*content, upload.to, upload.mode, upload_timeout);
      if (!sent) return pass_on(sent.error(), "uploading " + upload.from);
    }
    for (const std::string& setup : commands.setup) {
      const std::string in_folder =
          fmt::format("cd {} && {{ {}\n}}", shell_quote(commands.directory), setup);
      const auto done = run_or_error(remote, {in_folder, {}, definition_.setup_within},
                                     fmt::format("the set-up command \"{}\"", setup));
      if (!done) return pass_on(done.error());
    }
    return {};
  }

  // Returns once the node is ready, so that the first client finds it.
  Result<void> start(std::size_t node) override {
    const NodeCommands& commands = commands_[node];
    if (const auto begun = shell(node, commands.start, "starting " + definition_.name); !begun)
      return begun;
    const Deadline deadline = Deadline::after(definition_.ready_within);
    for (;;) {
      const auto is_ready = ask_ready(node, deadline.sooner(Deadline::after(2s)));
      if (is_ready) break;
      const auto runs = remotes_[node]->run({commands.pid, {}, 10s});
      if (runs && !runs->ok())
        return error("{}: {} ended right after its start{}", nodes_[node].name, definition_.name,
                     last_line_of_log(node));
      if (deadline.passed())
        return error("{}: {} was not ready within {}: {}{}", nodes_[node].name, definition_.name,
                     to_text(definition_.ready_within), is_ready.error().message,
                     last_line_of_log(node));
      std::this_thread::sleep_for(std::min<Nanoseconds>(50ms, deadline.left()));
    }
    return {};
  }

  Result<void> stop(std::size_t node) override {
    return shell(node, commands_[node].stop, "stopping " + definition_.name);
  }

  Result<void> wipe(std::size_t node) override {
    const std::string guarded = fmt::format(
        "({}) >/dev/null && {{ echo 'it still runs' >&2; exit 1; }}; {}; rm -rf {}",
        commands_[node].pid, commands_[node].wipe, shell_quote(commands_[node].directory));
    return shell(node, guarded, "wiping " + definition_.name);
  }

  std::string start_command(std::size_t node) const override { return commands_[node].start; }
  bool has_other_version() const override { return !definition_.other_start.empty(); }
  std::string other_start_command(std::size_t node) const override {
    return commands_[node].other_start;
  }
  std::string kill_command(std::size_t node) const override { return commands_[node].kill; }
  std::string pid_command(std::size_t node) const override { return commands_[node].pid; }
  std::string stop_command(std::size_t node) const override { return commands_[node].stop; }
  std::string data_directory(std::size_t node) const override {
    if (definition_.data.empty()) return {};
    return commands_.empty() ? definition_.data.front() : commands_[node].data.front();
  }
  std::vector<std::uint16_t> client_ports() const override { return definition_.ports; }
  std::vector<std::string> logs(std::size_t node) const override { return commands_[node].logs; }

  Result<NodeStatus> status(std::size_t node, Deadline deadline) override {
    if (definition_.leader.none()) {
      if (const auto is_ready = ask_ready(node, deadline); !is_ready)
        return pass_on(is_ready.error(), nodes_[node].name);
      return NodeStatus{};
    }
    const auto text = leader_answer(node, deadline);
    if (!text) return pass_on(text.error(), nodes_[node].name);
    const auto json = parse_json(*text);
    if (!json) return error("{}: the leader probe got {}", nodes_[node].name, json.error().message);
    NodeStatus status;
    const auto leader = member(*json, definition_.leader.leader);
    if (!leader) return pass_on(leader.error(), nodes_[node].name);
    status.leader = name_of(*leader);
    if (!definition_.leader.term.empty()) {
      const auto term = member(*json, definition_.leader.term);
      if (!term) return pass_on(term.error(), nodes_[node].name);
      status.term = std::strtoull(term->c_str(), nullptr, 10);
    }
    if (!definition_.leader.version.empty())
      status.version = member(*json, definition_.leader.version).value_or("");
    return status;
  }

  Result<std::unique_ptr<Client>> open(std::size_t node) override {
    ClientSetup setup;
    setup.command = commands_[node].client;
    setup.folder = definition_.folder;
    if (!client_logs_.empty()) setup.log = client_logs_ / (nodes_[node].name + ".log");
    setup.node = nodes_[node].name;
    setup.host = nodes_[node].service_address();
    setup.functions = definition_.client.functions;
    setup.fail = definition_.client.fail;
    setup.hello_within = definition_.client.hello_within;
    return open_client(setup, misdeeds_);
  }

 private:
  Result<void> shell(std::size_t node, const std::string& command, const std::string& step) {
    const auto timeout = step_timeout + definition_.stop_within;
    const auto done = run_or_error(*remotes_[node], {command, {}, timeout}, step);
    if (!done) return pass_on(done.error());
    return {};
  }

  Result<void> check_ports(std::size_t node) {
    if (definition_.ports.empty()) return {};
    const auto owners = run_or_error(
        *remotes_[node], {port_owners_command(definition_.ports), {}, 30s}, "looking at ports");
    if (!owners) return pass_on(owners.error());
    if (owners->empty()) return {};
    return error(
        "{}: a port is taken by a process that Ordeal did not start (port, process, "
        "program): {}; stop it or use another port",
        nodes_[node].name, owners->substr(0, owners->find('\n')));
  }

  Result<void> ask_ready(std::size_t node, Deadline deadline) {
    const NodeCommands& commands = commands_[node];
    const Probe& probe = commands.ready;
    if (!probe.tcp.empty()) return tcp_answers(probe.tcp, deadline);
    if (!probe.http.empty()) {
      const auto answer = http_get(probe.http, deadline);
      if (!answer) return pass_on(answer.error());
      return {};
    }
    const std::string look = fmt::format(
        "({}) >/dev/null && tail -c +$(( $(cat {}/log.start 2>/dev/null || echo 0) + 1 )) {} "
        "2>/dev/null | grep -qF -e {}",
        commands.pid, shell_quote(commands.directory), shell_quote(commands.server.log),
        shell_quote(probe.log));
    const auto answer = remotes_[node]->run({probe.log.empty() ? probe.command : look,
                                             {},
                                             std::max<Nanoseconds>(deadline.left(), 1ms)});
    if (!answer) return pass_on(answer.error());
    if (answer->ok()) return {};
    return error(
        "{} ended with status {}",
        probe.log.empty() ? probe.command : fmt::format("looking for \"{}\" in the log", probe.log),
        answer->exit_status);
  }

  Result<std::string> leader_answer(std::size_t node, Deadline deadline) {
    if (!commands_[node].leader_url.empty()) return http_get(commands_[node].leader_url, deadline);
    return run_or_error(
        *remotes_[node],
        {commands_[node].leader_command, {}, std::max<Nanoseconds>(deadline.left(), 1ms)},
        "the leader probe");
  }

  // The node's name for what the system calls its leader: name, {id}, host, or host:port.
  [[nodiscard]] std::string name_of(const std::string& leader) const {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const std::string& host = nodes_[i].service_address();
      const bool is_it = leader == nodes_[i].name || leader == fmt::format("{}", i + 1) ||
                         leader == host || leader.rfind(host + ":", 0) == 0;
      if (is_it) return nodes_[i].name;
    }
    return {};  // none of ours, so nobody
  }

  std::string last_line_of_log(std::size_t node) {
    const auto tail =
        remotes_[node]->run({"tail -n 1 " + shell_quote(commands_[node].server.log), {}, 5s});
    if (!tail || !tail->ok() || tail->out.empty()) return {};
    return "; the last line of its log: " +
           tail->out.substr(0, tail->out.find('\n')).substr(0, 300);
  }

  const std::vector<Remote*> remotes_;
  const std::filesystem::path client_logs_;
  const Definition definition_;
  std::vector<Node> nodes_;
  std::vector<NodeCommands> commands_;
  Misdeeds misdeeds_;
};

}  // namespace

std::unique_ptr<Cluster> make_cluster(const std::vector<Remote*>& remotes,
                                      const ClusterOptions& options) {
  return std::make_unique<CustomCluster>(remotes, options);
}

}  // namespace ordeal::clusters::custom
