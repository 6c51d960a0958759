#pragma once
// Labs: N local nodes made of Linux namespaces, for people without a cluster. Each node has its own
// sshd, address, process table, hostname and file system; the network of a lab is its own and
// invisible to the host. A lab hands out an Inventory, and nobody who uses that knows that the
// nodes are not real machines.
//
// A lab is one process, the supervisor, which is the first process of a process namespace: when it
// ends, however it ends, the kernel ends all others and frees everything that the lab was made of.
// Only a few files about it stay below labs_directory() if it was killed; every function here
// removes such a stale directory when it meets one.
//
// All functions need root, may be called from any thread, and are safe against other programs doing
// the same.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

#include "clusters/node.h"
#include "core/result.h"

namespace ordeal::clusters {

// How firmly the root user of a node is kept apart from the host's root, best first.
enum class Isolation {
  own_users,         // a user namespace in which no user of the host exists
  own_capabilities,  // a user namespace with the host's users; few capabilities in it
  few_capabilities,  // no user namespace, few capabilities
};
[[nodiscard]] std::string_view isolation_name(Isolation isolation);

struct LabOptions {
  std::string name;                                   // lower-case letters, digits and '-'
  std::size_t nodes = 5;                              // 1 to 64
  std::uint64_t disk_bytes = std::uint64_t{2} << 30;  // of each node, kept in memory as far as used
  Isolation at_best =
      Isolation::own_users;  // weaker is for tests; what the kernel cannot do is weakened
};

struct LabStatus {
  std::string name;
  pid_t supervisor = 0;
  std::size_t nodes = 0;
  std::string since;  // ISO 8601
  pid_t owner = 0;    // the process that an ephemeral lab ends with, else 0
  Isolation isolation = Isolation::own_users;
  std::uint64_t memory_bytes = 0;  // of its processes; the files of the nodes are not counted
};

// Where the state of labs lives: <name>/ with inventory.json, key, known_hosts, lab.json and log.
[[nodiscard]] const std::filesystem::path& labs_directory();

// Starts a lab that outlives the caller. Returns when sshd answers on all nodes.
[[nodiscard]] Result<Inventory> lab_up(const LabOptions& options);
// Ends it and all that runs in it. An unknown name is an error that tells the known ones.
[[nodiscard]] Result<void> lab_down(const std::string& name);
[[nodiscard]] Result<std::vector<LabStatus>> lab_status();
[[nodiscard]] Result<Inventory> lab_inventory(const std::string& name);
// Becomes an SSH client on that node: interactive without a command. Returns only if that fails.
[[nodiscard]] Error lab_shell(const std::string& name, const std::string& node,
                              const std::vector<std::string>& command);

// A lab that ends with this object, and with the calling process in whatever way that ends.
class EphemeralLab {
 public:
  [[nodiscard]] static Result<EphemeralLab> up(const LabOptions& options);
  EphemeralLab(EphemeralLab&& other) noexcept;
  EphemeralLab& operator=(EphemeralLab&& other) noexcept;
  ~EphemeralLab();

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const Inventory& inventory() const { return inventory_; }

 private:
  EphemeralLab(std::string name, Inventory inventory)
      : name_(std::move(name)), inventory_(std::move(inventory)) {}
  std::string name_;  // empty once moved from
  Inventory inventory_;
};

}  // namespace ordeal::clusters
