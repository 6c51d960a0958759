#include "core/run.h"

#include <algorithm>

namespace ordeal {

std::vector<LeaderChange> leader_changes(const std::vector<NodeSample>& samples) {
  std::vector<LeaderChange> changes;
  for (const NodeSample& sample : samples) {
    const bool leads = sample.answers && !sample.leader.empty() && sample.leader == sample.node;
    if (!leads || (!changes.empty() && sample.term <= changes.back().term)) continue;
    const std::string from = changes.empty() ? "" : changes.back().to;
    changes.push_back({sample.at, from, sample.node, sample.term});
  }
  return changes;
}

}  // namespace ordeal
