#include "clusters/cluster.h"

#include <thread>

#include <fmt/core.h>

#include "clusters/custom/custom.h"
#include "clusters/etcd/etcd.h"

namespace ordeal::clusters {
namespace {

using Answers = std::vector<Result<NodeStatus>>;

Answers ask_all(Cluster& cluster, std::size_t nodes, Deadline deadline) {
  return on_each<NodeStatus>(
      nodes, [&cluster, deadline](std::size_t node) { return cluster.status(node, deadline); });
}

bool agree(const Answers& answers, bool on_leader) {
  for (const auto& answer : answers) {
    if (!answer) return false;
    if (!on_leader) continue;
    if (answer->leader.empty()) return false;
    if (answer->leader != answers.front()->leader || answer->term != answers.front()->term)
      return false;
  }
  return !answers.empty();
}

std::string say(const std::vector<Node>& nodes, const Answers& answers) {
  std::string text;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (i != 0) text += "; ";
    if (!answers[i]) {
      text += answers[i].error().message;
    } else if (answers[i]->leader.empty()) {
      text += fmt::format("{} knows no leader (term {})", nodes[i].name, answers[i]->term);
    } else {
      text += fmt::format("{} follows {} in term {}", nodes[i].name, answers[i]->leader,
                          answers[i]->term);
    }
  }
  return text;
}

}  // namespace

Result<std::string> await_agreement(Cluster& cluster, const std::vector<Node>& nodes,
                                    Deadline deadline) {
  const SteadyClock::time_point begin = SteadyClock::now();
  for (;;) {
    // A round of its own deadline, so that a node that is slow to come up is asked again.
    const Answers answers = ask_all(cluster, nodes.size(), deadline.sooner(Deadline::after(1s)));
    if (agree(answers, cluster.names_leaders())) return answers.front()->leader;
    if (deadline.passed())
      return error("{} did not agree on a leader within {}: {}", cluster.name(),
                   to_text(SteadyClock::now() - begin), say(nodes, answers));
    std::this_thread::sleep_for(std::min<Nanoseconds>(20ms, deadline.left()));
  }
}

const std::vector<ClusterKind>& cluster_kinds() {
  static const std::vector<ClusterKind> kinds = {
      {"etcd", "etcd 3: the node's own or --etcd-binary, static bootstrap of 1 to 7 nodes", 7,
       etcd::make_cluster},
      {"custom", "a system of yours: --cluster FILE.toml (docs/custom-cluster.md)", 100,
       custom::make_cluster},
  };
  return kinds;
}

}  // namespace ordeal::clusters
