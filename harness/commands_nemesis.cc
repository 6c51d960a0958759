#include <thread>

#include <fmt/core.h>
#include <unistd.h>

#include "core/file.h"
#include "harness/commands.h"
#include "harness/live.h"
#include "harness/nodes.h"
#include "harness/signals.h"
#include "nemesis/nemesis.h"
#include "nemesis/script.h"

namespace ordeal::harness {

namespace {

constexpr auto connect_timeout = 10s;
constexpr auto status_timeout = 1s;

struct Reached {
  std::vector<std::unique_ptr<clusters::Remote>> owned;
  std::vector<clusters::Remote*> remotes;
  std::unique_ptr<clusters::Cluster> cluster;
};

Result<Reached> reach_cluster(const Configuration& configuration,
                              const clusters::Inventory& inventory,
                              const clusters::Credentials& credentials) {
  Reached reached;
  for (const clusters::Node& node : inventory.nodes) {
    auto remote = clusters::connect(node, credentials, connect_timeout);
    if (!remote) return pass_on(remote.error());
    reached.owned.push_back(std::move(*remote));
    reached.remotes.push_back(reached.owned.back().get());
  }
  for (const auto& kind : clusters::cluster_kinds()) {
    if (kind.name == configuration.cluster)
      reached.cluster = kind.make(reached.remotes, configuration.cluster_options);
  }
  if (!reached.cluster)
    return error("--cluster {}: there is no such cluster", configuration.cluster);
  return reached;
}

std::optional<std::size_t> leader_of(clusters::Cluster& cluster,
                                     const std::vector<clusters::Node>& nodes) {
  std::optional<std::size_t> leader;
  std::uint64_t term = 0;
  for (std::size_t node = 0; node < nodes.size(); ++node) {
    const auto status = cluster.status(node, Deadline::after(status_timeout));
    if (!status || status->leader != nodes[node].name || (leader && status->term <= term)) continue;
    leader = node;
    term = status->term;
  }
  return leader;
}

// Carries the fault out and tells about it; what could not be undone is an Error.
Result<bool> carry_out(const std::vector<FaultSpec>& plan, Reached& reached,
                       const std::vector<clusters::Node>& nodes,
                       const std::filesystem::path& ledger, std::stop_token stop) {
  const RunClock clock;
  Live live(Progress::lines, clock, nullptr);
  nemesis::NemesisOptions options;
  options.ledger = ledger;
  auto nemesis = nemesis::Nemesis::prepare(reached.remotes, *reached.cluster, plan, options, clock);
  if (!nemesis) return pass_on(nemesis.error());
  std::vector<FaultRecord> records;
  const nemesis::Outside outside{[&] { return leader_of(*reached.cluster, nodes); }, {}};
  (*nemesis)->run(
      plan, clock.now(), outside,
      [&](const FaultRecord& record) {
        records.push_back(record);
        if (record.step == FaultStep::undo) return;
        live.event(std::string(to_text(record.step)),
                   record.node.empty() ? record.detail
                                       : fmt::format("{}: {}", record.node, record.detail));
      },
      stop);
  if (auto healed = (*nemesis)->heal_all(); !healed) return pass_on(healed.error());
  return summarize(plan, records).front().took_effect;
}

}  // namespace

int nemesis_command(NemesisFlags flags) {
  const NodeFlags& named = flags.run.nodes;
  if (!named.names_any() || named.lab_nodes)
    return usage_error({"name the nodes of a cluster that runs: --lab, --node or --inventory"});
  const Result<NodeSource> source = node_source(named);
  if (!source) return usage_error(source.error());
  if (auto read = read_custom_cluster(flags.run); !read) return usage_error(read.error());
  std::string line =
      fmt::format("at 0s \"{}\" \"{}\" for {}ms", flags.kind, flags.targets,
                  std::chrono::duration_cast<std::chrono::milliseconds>(flags.time).count());
  for (const std::string& parameter : flags.parameters) line += fmt::format(" \"{}\"", parameter);
  const auto plan = nemesis::parse_script(
      line, "the fault",
      Rng(static_cast<std::uint64_t>(SteadyClock::now().time_since_epoch().count())));
  if (!plan) return usage_error(plan.error());
  const auto credentials = credentials_of(named);
  if (!credentials) return usage_error(credentials.error());
  const auto nodes = reach(*source);
  if (!nodes) return broken(nodes.error());

  const auto ledger =
      std::filesystem::temp_directory_path() / fmt::format("ordeal-nemesis-{}.jsonl", ::getpid());
  std::stop_source stop;
  Result<bool> done = false;
  {
    Controls unused;
    const Signals signals(stop, unused);
    Result<Reached> reached =
        reach_cluster(flags.run.configuration, nodes->inventory, *credentials);
    if (!reached) return broken(reached.error());
    done = carry_out(*plan, *reached, nodes->inventory.nodes, ledger, stop.get_token());
  }
  if (!done) {
    fmt::print(stderr, "ordeal: what was done is in {}\n", ledger.string());
    return broken(done.error());
  }
  std::error_code ignored;
  std::filesystem::remove(ledger, ignored);
  if (stop.stop_requested()) return exit_interrupted;
  return *done ? 0 : exit_code(Verdict::inconclusive);
}

}  // namespace ordeal::harness
