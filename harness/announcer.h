#pragma once
// Says on the live view what happens to the cluster: faults as they come and go, leaders as they
// change; and keeps which faults are on, for the block. All methods may be called from any thread.

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "core/fault.h"
#include "core/run.h"
#include "harness/live.h"

namespace ordeal::harness {

class Announcer {
 public:
  // Both outlive it.
  Announcer(const std::vector<FaultSpec>& plan, Live& live) : plan_(plan), live_(live) {}

  void fault(const FaultRecord& record);
  void node(const NodeSample& sample);
  // What is on at `now`, and how many have been.
  void tell_faults(Nanoseconds now, LiveState& state) const;

 private:
  struct Shown {
    std::string kind;
    std::string hit;  // "n1 | n2 n3"
    Nanoseconds until{};
  };

  const std::vector<FaultSpec>& plan_;
  Live& live_;
  mutable std::mutex mutex_;         // of what follows
  std::map<int, Shown> on_;          // by FaultSpec::id
  std::map<std::string, int> done_;  // by kind
  std::string leader_;
};

}  // namespace ordeal::harness
