#include <fmt/core.h>

#include "clusters/custom/client_check.h"
#include "clusters/custom/commands.h"
#include "clusters/lab/lab.h"
#include "core/file.h"
#include "harness/commands.h"
#include "harness/nodes.h"

namespace ordeal::harness {

namespace {

using clusters::custom::CheckLine;
using clusters::custom::Definition;

struct Servers {
  ReachableNodes nodes;
  std::vector<std::unique_ptr<clusters::Remote>> remotes;
  std::unique_ptr<clusters::Cluster> cluster;

  ~Servers() {
    for (std::size_t i = 0; cluster && i < remotes.size(); ++i) {
      (void)cluster->stop(i);
      (void)cluster->wipe(i);
    }
  }
};

// The real system, deployed as a run would deploy it.
Result<void> bring_up(Servers& servers, const clusters::ClusterOptions& options,
                      const clusters::Credentials& credentials) {
  std::vector<clusters::Remote*> remotes;
  for (const auto& node : servers.nodes.inventory.nodes) {
    auto remote = clusters::connect(node, credentials, 10s);
    if (!remote) return pass_on(remote.error());
    servers.remotes.push_back(std::move(*remote));
    remotes.push_back(servers.remotes.back().get());
  }
  for (const auto& kind : clusters::cluster_kinds())
    if (kind.name == "custom") servers.cluster = kind.make(remotes, options);
  const auto on_nodes = [&](auto action) -> Result<void> {
    for (const auto& done : clusters::on_each<void>(remotes.size(), action))
      if (!done) return pass_on(done.error());
    return {};
  };
  const auto deployed = on_nodes([&](std::size_t node) { return servers.cluster->deploy(node); });
  if (!deployed) return deployed;
  const auto started = on_nodes([&](std::size_t node) { return servers.cluster->start(node); });
  if (!started) return started;
  const auto leader = clusters::await_agreement(*servers.cluster, servers.nodes.inventory.nodes,
                                                Deadline::after(30s));
  if (!leader) return pass_on(leader.error());
  return {};
}

// What is done to the first node's server, on its own cluster's terms.
clusters::custom::ServerHands hands_on(Servers& servers) {
  const auto shell = [&servers](const std::string& text) -> Result<void> {
    const auto output = servers.remotes.front()->run({text, {}});
    if (!output) return pass_on(output.error());
    if (!output->ok()) return error("{}", output->err);
    return {};
  };
  const auto signal = [&servers, shell](const std::string& name) {
    return shell(
        fmt::format("pid=$(\n{}\n) && {{ kill -s {} -- \"-$pid\" || kill -s {} \"$pid\"; }}",
                    servers.cluster->pid_command(0), name, name));
  };
  clusters::custom::ServerHands hands;
  hands.pause = [signal] { return signal("STOP"); };
  hands.resume = [signal] { return signal("CONT"); };
  hands.kill = [&servers, shell] { return shell(servers.cluster->kill_command(0)); };
  hands.start = [&servers]() -> Result<void> {
    if (const auto started = servers.cluster->start(0); !started) return started;
    const auto leader = clusters::await_agreement(*servers.cluster, servers.nodes.inventory.nodes,
                                                  Deadline::after(30s));
    if (!leader) return pass_on(leader.error());
    return {};
  };
  return hands;
}

// A client of the command line may have the placeholders that one of the TOML may have.
Result<void> replace_client(Definition& definition, const std::vector<std::string>& command) {
  if (command.empty()) return {};
  std::map<std::string, std::string> known = definition.options;
  for (const char* name : {"id", "name", "host", "peers", "others", "nodes"}) known[name] = "";
  for (const std::string& word : command)
    if (const auto filled = clusters::custom::fill(word, known); !filled)
      return pass_on(filled.error());
  definition.client.command = command;
  return {};
}

clusters::custom::ClientSetup setup_of(const Definition& definition,
                                       const std::vector<clusters::Node>& nodes) {
  clusters::custom::ClientSetup setup;
  setup.command = clusters::custom::commands_for(definition, nodes, 0).client;
  setup.folder = definition.folder;
  setup.node = nodes.front().name;
  setup.host = nodes.front().service_address();
  setup.functions = definition.client.functions;
  setup.fail = definition.client.fail;
  setup.hello_within = definition.client.hello_within;
  return setup;
}

}  // namespace

int client_check_command(const ClientCheckFlags& flags) {
  clusters::ClusterOptions options;
  if (const auto read = read_definition(flags.cluster, flags.options, options); !read)
    return usage_error(read.error());
  auto definition = clusters::custom::parse_definition(options.definition, flags.cluster.string(),
                                                       options.values);
  if (!definition) return usage_error(definition.error());
  if (const auto fits = replace_client(*definition, flags.command); !fits)
    return usage_error(fits.error());
  if (const auto there = clusters::custom::check_files(*definition); !there)
    return usage_error(there.error());
  auto source = node_source(flags.nodes);
  if (!source) return usage_error(source.error());
  if (!flags.nodes.names_any()) source->lab_nodes = definition->nodes;
  const auto credentials = credentials_of(flags.nodes);
  if (!credentials) return usage_error(credentials.error());
  auto nodes = reach(*source);
  if (!nodes) return broken(nodes.error());

  Servers servers;
  servers.nodes = std::move(*nodes);
  if (const auto up = bring_up(servers, options, *credentials); !up) return broken(up.error());
  std::size_t wrong = 0;
  clusters::custom::check_client(setup_of(*definition, servers.nodes.inventory.nodes),
                                 flags.timeout, hands_on(servers), [&](const CheckLine& line) {
                                   const char* mark = line.kind == CheckLine::Kind::good  ? "ok  "
                                                      : line.kind == CheckLine::Kind::bad ? "MEND"
                                                                                          : "note";
                                   wrong += line.kind == CheckLine::Kind::bad ? 1U : 0U;
                                   fmt::print("{}  {}\n", mark, line.text);
                                 });
  fmt::print("{}\n", wrong == 0 ? "The client keeps to the protocol."
                                : fmt::format("{} things to mend.", wrong));
  return wrong == 0 ? 0 : exit_code(Verdict::fail);
}

}  // namespace ordeal::harness
