#pragma once
// The file system that the supervisor of a lab lives in, and from which those of the nodes are
// built:
//
//   /lower/usr, /lower/etc, ...  the host's system directories, read-only, their owners moved into
//   the lab's range /layer/usr, /layer/etc, ...  what all nodes have instead: accounts, hosts, SSH
//   keys; and holes in place of what
//                                only privileged users of the host may read
//   /labs  /proc  /sys  /node    labs_directory(), and mount points for the nodes
//
// Nothing else of the host can be reached from there. For the supervisor; failures end it, by
// must().

#include <string>
#include <vector>

#include "clusters/lab/spec.h"

namespace ordeal::clusters::lab {

struct SystemDirectory {
  enum class Show { all, public_files, folders };
  std::string path;
  Show show;
};
// Those that exist on this host, parents first.
[[nodiscard]] std::vector<SystemDirectory> system_directories();

struct Ground {
  Isolation isolation = Isolation::own_users;  // what the kernel and the file systems can do
  std::vector<SystemDirectory> directories;
};

// To be called in a mount namespace of its own.
[[nodiscard]] Ground prepare_ground(const LabSpec& spec);

// Gives a process that has just entered a user namespace the users and groups of the range from
// `first`. `proc` is where /proc is mounted. False when the kernel refuses.
[[nodiscard]] bool map_ids(const std::string& proc, pid_t process, unsigned first);

}  // namespace ordeal::clusters::lab
