#include "clusters/custom/commands.h"

#include <fmt/format.h>

#include "clusters/remote.h"

namespace ordeal::clusters::custom {
namespace {

using Values = std::map<std::string, std::string>;

class Filler {
 public:
  explicit Filler(Values values) : values_(std::move(values)) {}

  [[nodiscard]] std::string operator()(std::string_view text) const {
    Result<std::string> filled = fill(text, values_);
    ORDEAL_CHECK(filled.has_value(), "a text of a definition that was checked cannot be filled in");
    return *std::move(filled);
  }
  [[nodiscard]] std::vector<std::string> operator()(const Texts& texts) const {
    std::vector<std::string> filled;
    for (const Text& text : texts) filled.push_back((*this)(text));
    return filled;
  }

 private:
  Values values_;
};

Values of_node(const Definition& definition, const Node& node, std::size_t position) {
  Values values = definition.options;
  values["id"] = fmt::format("{}", position + 1);
  values["name"] = node.name;
  values["host"] = node.service_address();
  return values;
}

std::string members(const Definition& definition, const std::vector<Node>& nodes,
                    std::optional<std::size_t> without) {
  std::string text;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (i == without) continue;
    if (!text.empty()) text += definition.separator;
    text += Filler(of_node(definition, nodes[i], i))(definition.peer);
  }
  return text;
}

std::string absolute(const std::string& path, const std::string& directory) {
  return path.front() == '/' ? path : directory + "/" + path;
}

std::string join_quoted(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    const bool plain =
        !word.empty() && word.find_first_of(" \t\n'\"\\$`*?[]{}()<>|&;#~!") == std::string::npos;
    text += (text.empty() ? "" : " ") + (plain ? word : shell_quote(word));
  }
  return text;
}

Daemon server_of(const Definition& definition, const Texts& start, const Filler& filled,
                 const std::string& directory) {
  Daemon server;
  server.name = definition.name;
  server.directory = directory;
  server.log = directory + "/" + definition.name + ".log";
  // The shell becomes the server, from the node's folder and with the PATH of the daemon.
  server.command = {"/bin/sh", "-c", fmt::format("cd {} && exec \"$@\"", shell_quote(directory)),
                    "sh"};
  for (std::string& word : filled(start)) server.command.push_back(std::move(word));
  for (const auto& [name, value] : definition.environment)
    server.environment.push_back(name + "=" + filled(value));
  return server;
}

// Where the log ended when the server was started last: a ready line is looked for behind it.
std::string start_of(const NodeCommands& node, const Daemon& server) {
  const std::string start = clusters::start_command(server);
  if (node.ready.log.empty()) return start;
  return fmt::format(
      "({}) >/dev/null || {{ mkdir -p {} && wc -c 2>/dev/null <{} >{}/log.start || "
      "echo 0 >{}/log.start; }}; {}",
      node.pid, shell_quote(node.directory), shell_quote(node.server.log),
      shell_quote(node.directory), shell_quote(node.directory), start);
}

std::string with_users(const std::string& command, const std::string& directory,
                       const std::string& ours) {
  if (command.empty()) return ours;
  return fmt::format("(cd {} && {}) </dev/null >/dev/null 2>&1 9>&-; {}", shell_quote(directory),
                     command, ours);
}

}  // namespace

NodeCommands commands_for(const Definition& definition, const std::vector<Node>& nodes,
                          std::size_t position) {
  NodeCommands node;
  node.directory = "/var/lib/ordeal/custom/" + definition.name;
  Values values = of_node(definition, nodes[position], position);
  values["nodes"] = fmt::format("{}", nodes.size());
  values["peers"] = members(definition, nodes, std::nullopt);
  values["others"] = members(definition, nodes, position);
  values["dir"] = node.directory;
  values["data"] = node.directory + "/data";
  const Filler filled(std::move(values));

  for (const Upload& upload : definition.uploads)
    node.uploads.push_back({(definition.folder / upload.from).string(),
                            absolute(filled(upload.to), node.directory), upload.mode});
  node.setup = filled(definition.setup);
  node.server = server_of(definition, definition.start, filled, node.directory);
  node.ready = {filled(definition.ready.tcp), filled(definition.ready.http),
                filled(definition.ready.command), filled(definition.ready.log)};
  node.pid = clusters::pid_command(node.server);
  node.start = start_of(node, node.server);
  if (!definition.other_start.empty()) {
    const Daemon other = server_of(definition, definition.other_start, filled, node.directory);
    node.other_start = start_of(node, other);
  }
  node.kill =
      with_users(filled(definition.kill), node.directory, clusters::kill_command(node.server));
  node.stop = with_users(filled(definition.stop), node.directory,
                         clusters::stop_command(node.server, definition.stop_within));
  node.logs = {node.server.log};
  for (const std::string& log : filled(definition.logs))
    node.logs.push_back(absolute(log, node.directory));
  node.data = {node.directory + "/data"};
  for (const std::string& data : filled(definition.data))
    if (absolute(data, node.directory) != node.data.front())
      node.data.push_back(absolute(data, node.directory));
  node.wipe = "rm -rf";
  for (const auto* paths : {&node.data, &node.logs})
    for (const std::string& path : *paths) node.wipe += " " + shell_quote(path);
  node.leader_url = filled(definition.leader.url);
  node.leader_command = filled(definition.leader.command);
  node.client = filled(definition.client.command);
  return node;
}

std::string describe(const Definition& definition, const std::vector<Node>& nodes) {
  std::string text = fmt::format("cluster    {}, from {}: {}\n", definition.name, definition.file,
                                 definition.promise);
  const auto line = [&](std::string_view what, const std::string& command) {
    if (!command.empty()) text += fmt::format("  {:<9} {}\n", what, command);
  };
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const NodeCommands node = commands_for(definition, nodes, i);
    text += fmt::format("node       {} ({}), in {}\n", nodes[i].name, nodes[i].service_address(),
                        node.directory);
    line("wipe", node.wipe);
    for (const Upload& upload : node.uploads)
      line("upload", fmt::format("{} -> {} ({:o})", upload.from, upload.to, upload.mode));
    for (const std::string& command : node.setup) line("setup", command);
    std::vector<std::string> start = node.server.environment;
    start.insert(start.end(), node.server.command.begin() + 4, node.server.command.end());
    line("start", join_quoted(start));
    for (const std::string* way :
         {&node.ready.tcp, &node.ready.http, &node.ready.command, &node.ready.log})
      line("ready",
           way->empty() ? "" : fmt::format("{} within {}", *way, to_text(definition.ready_within)));
    line("leader", node.leader_url.empty() ? node.leader_command : node.leader_url);
    line("stop", definition.stop.empty()
                     ? "SIGTERM, SIGKILL after " + to_text(definition.stop_within)
                     : node.stop.substr(0, node.stop.find(" </dev/null")) + ", then SIGTERM");
    line("kill", definition.kill.empty()
                     ? "SIGKILL"
                     : node.kill.substr(0, node.kill.find(" </dev/null")) + ", then SIGKILL");
    for (const std::string& log : node.logs) line("log", log);
    for (const std::string& data : node.data) line("data", data);
    line("client", join_quoted(node.client));
  }
  return text;
}

}  // namespace ordeal::clusters::custom
