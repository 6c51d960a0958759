#pragma once
// What is on disk about labs: a directory each below labs_directory(), and a lock over all of them
// that is held while one is made, ended or looked at. A lab lives exactly as long as the process
// its record names.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "clusters/lab/lab.h"
#include "clusters/lab/process.h"

namespace ordeal::clusters::lab {

struct LabRecord {
  std::string name;
  pid_t supervisor = 0;
  std::uint64_t started = 0;  // start_time() of that process
  std::size_t nodes = 0;
  std::string token;  // of its control groups
  std::string since;
  pid_t owner = 0;
  Isolation isolation = Isolation::own_users;

  [[nodiscard]] bool alive() const { return start_time(supervisor) == started; }
};

// Held as long as the object lives, and not longer than the process.
class StateLock {
 public:
  [[nodiscard]] static Result<StateLock> take(const std::filesystem::path& labs, Deadline deadline);

 private:
  explicit StateLock(File directory) : directory_(std::move(directory)) {}
  File directory_;
};

[[nodiscard]] Result<void> validate_name(const std::string& name);
// Empty when there is none, or none that can be read.
[[nodiscard]] std::optional<LabRecord> read_record(const std::filesystem::path& labs,
                                                   const std::string& name);
[[nodiscard]] Result<void> write_record(const std::filesystem::path& labs, const LabRecord& record);
void remove_state(const std::filesystem::path& labs, const std::string& name);
// Those that live; what dead ones left is removed. Needs the lock.
std::vector<LabRecord> sweep(const std::filesystem::path& labs);

[[nodiscard]] Inventory inventory_of(const LabRecord& record);

}  // namespace ordeal::clusters::lab
