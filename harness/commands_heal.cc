#include <map>

#include <fmt/core.h>

#include "core/file.h"
#include "core/json.h"
#include "harness/commands.h"
#include "harness/execution.h"
#include "harness/nodes.h"
#include "harness/plan.h"
#include "nemesis/nemesis.h"
#include "results/store.h"

namespace ordeal::harness {

namespace {

constexpr auto connect_timeout = 10s;
constexpr auto ask_timeout = 30s;

struct NodeWork {
  clusters::Node node;
  std::vector<nemesis::PendingUndo> undos;
};

// What is left to undo, by node; the nodes are those that the run used.
Result<std::vector<NodeWork>> pending_work(const std::filesystem::path& run,
                                           const clusters::Inventory& inventory) {
  std::vector<NodeWork> work;
  if (!std::filesystem::exists(run / results::ledger_file)) return work;
  const auto ledger = nemesis::read_ledger(run / results::ledger_file);
  if (!ledger) return pass_on(ledger.error());
  std::map<std::string, std::vector<nemesis::PendingUndo>> by_node;
  for (auto& undo : nemesis::pending_undos(*ledger)) by_node[undo.node].push_back(undo);
  for (const clusters::Node& node : inventory.nodes) {
    if (const auto found = by_node.find(node.name); found != by_node.end())
      work.push_back({node, found->second});
  }
  return work;
}

// Stands for a node that is down, where the others will do.
class Absent final : public clusters::Remote {
 public:
  Absent(clusters::Node node, Error why) : node_(std::move(node)), why_(std::move(why)) {}
  const clusters::Node& node() const override { return node_; }
  Result<clusters::Output> run(const clusters::Command&) override { return pass_on(why_); }
  Result<void> upload(std::string_view, const std::string&, unsigned, Nanoseconds) override {
    return pass_on(why_);
  }
  Result<void> download(const std::string&, const std::filesystem::path&, std::size_t,
                        Nanoseconds) override {
    return pass_on(why_);
  }
  Result<std::unique_ptr<clusters::Stream>> stream(const std::string&, Nanoseconds) override {
    return pass_on(why_);
  }

 private:
  clusters::Node node_;
  Error why_;
};

// What only the cluster's own interface can undo: a member that was removed is added again.
Result<void> ask_cluster(const std::filesystem::path& run, const clusters::Inventory& inventory,
                         const std::string& node, const std::string& action,
                         const clusters::Credentials& credentials) {
  const auto plan = read_plan(run / results::plan_file);
  if (!plan) return pass_on(plan.error());
  const auto& nodes = inventory.nodes;
  auto connected = clusters::on_each<std::unique_ptr<clusters::Remote>>(
      nodes.size(),
      [&](std::size_t i) { return clusters::connect(nodes[i], credentials, connect_timeout); });
  std::vector<clusters::Remote*> remotes;
  std::vector<std::unique_ptr<clusters::Remote>> owned;
  std::size_t position = 0;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].name == node) position = i;
    owned.push_back(connected[i] ? std::move(*connected[i])
                                 : std::make_unique<Absent>(nodes[i], connected[i].error()));
    remotes.push_back(owned.back().get());
  }
  for (const auto& kind : clusters::cluster_kinds()) {
    if (kind.name != plan->configuration.cluster) continue;
    const auto cluster = kind.make(remotes, plan->configuration.cluster_options);
    const auto done = cluster->administer(action, position, Deadline::after(ask_timeout));
    if (!done) return pass_on(done.error());
  }
  return {};
}

Result<void> undo_on(const NodeWork& work, const std::filesystem::path& run,
                     const clusters::Inventory& inventory,
                     const clusters::Credentials& credentials) {
  const auto remote = clusters::connect(work.node, credentials, connect_timeout);
  if (!remote) return pass_on(remote.error());
  for (const nemesis::PendingUndo& undo : work.undos) {
    if (!undo.restore.empty()) {
      const auto asked = ask_cluster(run, inventory, work.node.name, undo.restore, credentials);
      if (!asked) return pass_on(asked.error(), undo.restore);
    }
    clusters::Command command;
    command.shell = undo.command;
    command.timeout = 30s;
    const auto done =
        clusters::run_or_error(**remote, command, fmt::format("undoing fault {}", undo.fault));
    if (!done) return pass_on(done.error());
  }
  return {};
}

Result<clusters::Inventory> inventory_of(const std::filesystem::path& run) {
  const auto text = read_file(run / inventory_file);
  if (!text) return pass_on(text.error(), fmt::format("{} is not a run directory", run.string()));
  return clusters::parse_inventory(*text, (run / inventory_file).string());
}

}  // namespace

int heal_command(const std::filesystem::path& run, const NodeFlags& flags) {
  const auto inventory = inventory_of(run);
  if (!inventory) return broken(inventory.error());
  const auto work = pending_work(run, *inventory);
  if (!work) return broken(work.error());
  if (work->empty()) {
    fmt::print("nothing to undo: every fault of this run is proven undone\n");
    return 0;
  }
  if (!inventory->network_namespace.empty() &&
      !std::filesystem::exists(inventory->network_namespace)) {
    fmt::print("nothing to undo: the lab of this run is gone, and its nodes with it\n");
    return 0;
  }
  const auto credentials = credentials_of(flags);
  if (!credentials) return usage_error(credentials.error());
  if (const auto entered = clusters::enter_network(*inventory); !entered)
    return broken(entered.error());

  const auto done = clusters::on_each<void>(work->size(), [&](std::size_t i) {
    return undo_on(work->at(i), run, *inventory, *credentials);
  });
  auto ledger = LineLog::open(run / results::ledger_file);
  bool whole = true;
  for (std::size_t i = 0; i < work->size(); ++i) {
    const NodeWork& node = work->at(i);
    if (!done[i]) {
      fmt::print(stderr, "ordeal: {}\n", done[i].error().message);
      whole = false;
      continue;
    }
    for (const nemesis::PendingUndo& undo : node.undos) {
      fmt::print("{}: fault {} undone\n", node.node.name, undo.fault);
      FaultRecord record;
      record.fault = undo.fault;
      record.step = FaultStep::healed;
      record.node = node.node.name;
      record.detail = "undone by ordeal heal";
      if (ledger) (void)ledger->append(to_line(to_json(record)));
    }
  }
  return whole ? 0 : exit_code(Verdict::broken);
}

}  // namespace ordeal::harness
