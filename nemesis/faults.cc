#include <algorithm>

#include "nemesis/admin.h"
#include "nemesis/clock.h"
#include "nemesis/confine.h"
#include "nemesis/corrupt.h"
#include "nemesis/crash.h"
#include "nemesis/disk.h"
#include "nemesis/disk_full.h"
#include "nemesis/host_clock.h"
#include "nemesis/members.h"
#include "nemesis/packets.h"
#include "nemesis/partition.h"
#include "nemesis/server.h"
#include "nemesis/upgrade.h"

namespace ordeal::nemesis {

const std::vector<std::unique_ptr<Fault>>& faults() {
  static const std::vector<std::unique_ptr<Fault>> list = [] {
    std::vector<std::unique_ptr<Fault>> all;
    all.push_back(make_partition());
    all.push_back(make_packets());
    all.push_back(make_kill());
    all.push_back(make_stop());
    all.push_back(make_restart());
    all.push_back(make_pause());
    all.push_back(make_slow());
    all.push_back(make_freeze());
    all.push_back(make_crash());
    all.push_back(make_memory());
    all.push_back(make_io());
    all.push_back(make_upgrade());
    all.push_back(make_clock());
    all.push_back(make_host_clock());
    all.push_back(make_disk());
    all.push_back(make_disk_full());
    all.push_back(make_corrupt());
    all.push_back(make_admin());
    all.push_back(make_membership());
    all.push_back(make_wipe());
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
