#pragma once
// Watches the nodes while a run goes on: asks each for leader and term several times a second, from
// a thread of its own, and writes a line of nodes.jsonl whenever an answer differs from the one
// before.

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "clusters/cluster.h"
#include "core/file.h"
#include "core/run.h"

namespace ordeal::harness {

class Observer {
 public:
  // `changed` is called with every line that is written, from the observer's threads, one at a
  // time.
  Observer(clusters::Cluster& cluster, std::vector<std::string> nodes, RunClock clock, LineLog log,
           std::function<void(const NodeSample&)> changed);
  ~Observer();
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

  // The node that leads in the highest term that anybody reports; unknown while nobody says that it
  // leads.
  [[nodiscard]] std::optional<std::size_t> leader() const;
  // The latest sample of every node, by position.
  [[nodiscard]] std::vector<NodeSample> latest() const;

 private:
  void watch(std::size_t node, const std::stop_token& stop);
  void note(std::size_t node, NodeSample sample);

  clusters::Cluster& cluster_;
  const std::vector<std::string> nodes_;
  const RunClock clock_;
  const std::function<void(const NodeSample&)> changed_;
  mutable std::mutex mutex_;
  LineLog log_;
  std::vector<NodeSample> latest_;
  std::vector<std::jthread> threads_;
};

}  // namespace ordeal::harness
