// What the etcd client reaches in a bare loop, without generator, history or checker: the measure
// for what the harness costs. Deploys etcd to the inventory's nodes, runs read, write and cas in
// turn, and cleans up.
//
//   etcd_client_bench INVENTORY CLIENTS SECONDS

#include <algorithm>
#include <cstdlib>
#include <thread>
#include <vector>

#include <fmt/core.h>

#include "clusters/cluster.h"
#include "core/file.h"

namespace ordeal::clusters {
namespace {

struct Tally {
  std::vector<double> milliseconds;
  std::size_t ok = 0, fail = 0, info = 0;
  std::string trouble;  // the first error
};

Tally loop(Client& client, int key, Deadline end) {
  Tally tally;
  for (std::int64_t n = 0; !end.passed(); ++n) {
    Request request{all_functions()[static_cast<std::size_t>(n % 3)], key, {}};
    if (request.function == Function::write) request.argument = n;
    if (request.function == Function::cas) request.argument = Value::list({n - 1, n});
    const auto begin = SteadyClock::now();
    const Completion done = client.invoke(request, Deadline::after(1s));
    tally.milliseconds.push_back(
        std::chrono::duration<double, std::milli>(SteadyClock::now() - begin).count());
    ++(done.outcome == Outcome::ok     ? tally.ok
       : done.outcome == Outcome::fail ? tally.fail
                                       : tally.info);
    if (tally.trouble.empty() && done.outcome != Outcome::ok)
      tally.trouble = fmt::format("{}: {}", to_text(request), done.error);
  }
  return tally;
}

Result<void> measure(Cluster& cluster, std::size_t nodes, std::size_t clients, Nanoseconds time) {
  std::vector<std::unique_ptr<Client>> open;
  for (std::size_t i = 0; i < clients; ++i) {
    auto client = cluster.open(i % nodes);
    if (!client) return pass_on(client.error());
    open.push_back(*std::move(client));
  }
  std::vector<Tally> tallies(clients);
  {
    const Deadline end = Deadline::after(time);
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < clients; ++i)
      threads.emplace_back(
          [&open, &tallies, i, end] { tallies[i] = loop(*open[i], static_cast<int>(i), end); });
  }
  Tally sum;
  for (const Tally& tally : tallies) {
    sum.ok += tally.ok;
    sum.fail += tally.fail;
    sum.info += tally.info;
    if (!tally.trouble.empty()) fmt::print("first error of a client: {}\n", tally.trouble);
    sum.milliseconds.insert(sum.milliseconds.end(), tally.milliseconds.begin(),
                            tally.milliseconds.end());
  }
  if (sum.milliseconds.empty()) return error("nothing was measured");
  std::sort(sum.milliseconds.begin(), sum.milliseconds.end());
  const std::size_t count = sum.milliseconds.size();
  fmt::print(
      "{} clients on {} nodes: {:.0f} ops/s; ok {} fail {} info {}; p50 {:.2f} p99 {:.2f} ms\n",
      clients, nodes, static_cast<double>(count) / std::chrono::duration<double>(time).count(),
      sum.ok, sum.fail, sum.info, sum.milliseconds[count / 2], sum.milliseconds[count * 99 / 100]);
  return {};
}

Result<void> on_all(std::size_t nodes, const std::function<Result<void>(std::size_t)>& step) {
  for (const auto& done : on_each<void>(nodes, step))
    if (!done) return pass_on(done.error());
  return {};
}

Result<void> run(const char* file, std::size_t clients, Nanoseconds time) {
  const auto text = read_file(file);
  if (!text) return pass_on(text.error());
  const auto inventory = parse_inventory(*text, file);
  if (!inventory) return pass_on(inventory.error());
  if (auto entered = enter_network(*inventory); !entered) return entered;
  std::vector<std::unique_ptr<Remote>> own;
  std::vector<Remote*> remotes;
  for (const Node& node : inventory->nodes) {
    auto remote = connect(node, {}, 10s);
    if (!remote) return pass_on(remote.error());
    own.push_back(*std::move(remote));
    remotes.push_back(own.back().get());
  }
  const auto cluster = cluster_kinds().front().make(remotes, {});
  const std::size_t nodes = remotes.size();
  auto done = on_all(nodes, [&](std::size_t node) { return cluster->deploy(node); });
  if (done) done = on_all(nodes, [&](std::size_t node) { return cluster->start(node); });
  if (!done) return done;
  const auto leader = await_agreement(*cluster, inventory->nodes, Deadline::after(30s));
  done = leader ? measure(*cluster, nodes, clients, time) : Result<void>(pass_on(leader.error()));
  const auto stopped = on_all(nodes, [&](std::size_t node) { return cluster->stop(node); });
  const auto wiped = on_all(nodes, [&](std::size_t node) { return cluster->wipe(node); });
  return !done ? done : !stopped ? stopped : wiped;
}

}  // namespace
}  // namespace ordeal::clusters

int main(int count, char** words) {
  if (count != 4) {
    fmt::print(stderr, "usage: etcd_client_bench INVENTORY CLIENTS SECONDS\n");
    return 64;
  }
  const auto clients = static_cast<std::size_t>(std::max(1, std::atoi(words[2])));
  const auto done = ordeal::clusters::run(words[1], clients,
                                          std::chrono::seconds(std::max(1, std::atoi(words[3]))));
  if (!done) fmt::print(stderr, "{}\n", done.error().message);
  return done ? 0 : 1;
}
