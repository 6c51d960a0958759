#include "results/node_life.h"

#include <algorithm>
#include <map>

namespace ordeal::results {

std::vector<NodeLife> lives_of(const std::vector<NodeSample>& samples, Nanoseconds end) {
  struct Now {
    NodeLife life;
    Nanoseconds since{};  // of what the sample before said
    Nanoseconds silent_since{};
    bool answers = true, leads = false;
  };
  std::map<std::string, Now> nodes;
  const auto pass_to = [](Now& now, Nanoseconds at) {
    if (now.leads) now.life.led += std::max(at - now.since, Nanoseconds::zero());
    if (!now.answers)
      now.life.longest_silence = std::max(now.life.longest_silence, at - now.silent_since);
    now.since = at;
  };
  for (const NodeSample& sample : samples) {
    Now& now = nodes[sample.node];
    pass_to(now, sample.at);
    if (now.answers && !sample.answers) {
      ++now.life.silences;
      now.silent_since = sample.at;
    }
    now.answers = sample.answers;
    now.leads = sample.answers && sample.leader == sample.node;
  }
  std::vector<NodeLife> lives;
  for (auto& [name, now] : nodes) {
    pass_to(now, std::max(end, now.since));
    now.life.node = name;
    lives.push_back(std::move(now.life));
  }
  return lives;
}

}  // namespace ordeal::results
