#include "harness/observer.h"

#include <condition_variable>

#include "core/json.h"

namespace ordeal::harness {

namespace {

constexpr auto interval = 100ms;
constexpr auto answer_within = 400ms;

}  // namespace

Observer::Observer(clusters::Cluster& cluster, std::vector<std::string> nodes, RunClock clock,
                   LineLog log, std::function<void(const NodeSample&)> changed)
    : cluster_(cluster),
      nodes_(std::move(nodes)),
      clock_(clock),
      changed_(std::move(changed)),
      log_(std::move(log)),
      latest_(nodes_.size()) {
  for (std::size_t node = 0; node < nodes_.size(); ++node) {
    latest_[node].node = nodes_[node];
    threads_.emplace_back([this, node](const std::stop_token& stop) { watch(node, stop); });
  }
}

Observer::~Observer() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

void Observer::watch(std::size_t node, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    NodeSample sample;
    sample.node = nodes_[node];
    Result<clusters::NodeStatus> status = cluster_.status(node, Deadline::after(answer_within));
    sample.at = clock_.now();
    if (status) {
      sample.answers = true;
      sample.leader = std::move(status->leader);
      sample.term = status->term;
    } else {
      sample.error = std::move(status.error().message);
    }
    note(node, std::move(sample));
    wake.wait_for(lock, stop, interval, [] { return false; });
  }
}

void Observer::note(std::size_t node, NodeSample sample) {
  const std::lock_guard lock(mutex_);
  NodeSample& last = latest_[node];
  const bool same = last.answers == sample.answers && last.leader == sample.leader &&
                    last.term == sample.term && (last.at > Nanoseconds::zero());
  last = std::move(sample);
  if (same) return;
  // A sample that cannot be written costs a line of the report, not the run: the history is what
  // counts.
  (void)log_.append(to_line(to_json(last)));
  changed_(last);
}

std::optional<std::size_t> Observer::leader() const {
  const std::lock_guard lock(mutex_);
  std::optional<std::size_t> leader;
  for (std::size_t node = 0; node < latest_.size(); ++node) {
    const NodeSample& sample = latest_[node];
    const bool leads = sample.answers && sample.leader == sample.node;
    if (leads && (!leader || sample.term > latest_[*leader].term)) leader = node;
  }
  return leader;
}

std::vector<NodeSample> Observer::latest() const {
  const std::lock_guard lock(mutex_);
  return latest_;
}

}  // namespace ordeal::harness
