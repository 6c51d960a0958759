#include <algorithm>

#include "nemesis/kill.h"
#include "nemesis/partition.h"

namespace ordeal::nemesis {

const std::vector<std::unique_ptr<Fault>>& faults() {
  static const std::vector<std::unique_ptr<Fault>> list = [] {
    std::vector<std::unique_ptr<Fault>> all;
    all.push_back(make_partition());
    all.push_back(make_kill());
    return all;
  }();
  return list;
}

const Fault* fault_named(std::string_view kind) {
  const auto& all = faults();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const auto& fault) { return fault->kind() == kind; });
  return found == all.end() ? nullptr : found->get();
}

}  // namespace ordeal::nemesis
