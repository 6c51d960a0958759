#include "clusters/lab/lab.h"

#include <algorithm>
#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

#include "clusters/lab/maker.h"

namespace ordeal::clusters {
namespace fs = std::filesystem;
using namespace lab;
namespace {

constexpr std::size_t node_limit = 64;
constexpr Nanoseconds lock_patience = 60s;

Result<void> check_host() {
  if (geteuid() != 0) return error("labs need root: run this with sudo");
  if (access("/usr/sbin/sshd", X_OK) != 0)
    return error("labs need the program /usr/sbin/sshd: install the package openssh-server");
  if (!start_time(getpid())) return error("labs need the file system proc mounted on /proc");
  return {};
}

Result<StateLock> lock_labs() {
  if (geteuid() != 0) return error("labs need root: run this with sudo");
  std::error_code failure;
  fs::create_directories(labs_directory(), failure);
  if (failure) return error("making {}: {}", labs_directory().string(), failure.message());
  chmod(labs_directory().c_str(), 0700);
  return StateLock::take(labs_directory(), Deadline::after(lock_patience));
}

Result<LabRecord> up(const LabOptions& options, bool is_ephemeral) {
  if (auto valid = validate_name(options.name); !valid) return pass_on(valid.error());
  if (options.nodes < 1 || options.nodes > node_limit)
    return error("a lab has 1 to {} nodes, not {}", node_limit, options.nodes);
  if (auto fit = check_host(); !fit) return pass_on(fit.error());
  const auto lock = lock_labs();
  if (!lock) return pass_on(lock.error());
  for (const auto& living : sweep(labs_directory()))
    if (living.name == options.name)
      return error(
          "lab {0} is up already, with {1} nodes, since {2}: use it, or end it with "
          "`ordeal lab down {0}`",
          living.name, living.nodes, living.since);
  auto made = make_lab(options, is_ephemeral);
  if (made) return made;
  remove_state(labs_directory(), options.name);
  return pass_on(made.error(), "starting lab " + options.name);
}

// A lab that is up, and nobody changes that meanwhile.
struct FoundLab {
  StateLock lock;
  LabRecord record;
};

Result<FoundLab> find_lab(const std::string& name) {
  auto lock = lock_labs();
  if (!lock) return pass_on(lock.error());
  std::string known;
  for (auto& living : sweep(labs_directory())) {
    if (living.name == name) return FoundLab{std::move(*lock), std::move(living)};
    known += (known.empty() ? "there is " : ", ") + living.name;
  }
  return error("no lab \"{}\" is up here; {}", name, known.empty() ? "none is" : known);
}

// Proportional memory of a process and all below it.
std::uint64_t memory_of(pid_t process) {
  std::uint64_t sum = 0;
  const std::string proc = fmt::format("/proc/{}", process);
  std::ifstream rollup(proc + "/smaps_rollup");
  for (std::string line; std::getline(rollup, line);)
    if (line.starts_with("Pss:")) sum += std::strtoull(line.c_str() + 4, nullptr, 10) * 1024;
  std::ifstream children(fmt::format("{}/task/{}/children", proc, process));
  for (pid_t child = 0; children >> child;) sum += memory_of(child);
  return sum;
}

}  // namespace

std::string_view isolation_name(Isolation isolation) {
  switch (isolation) {
    case Isolation::own_users:
      return "own users";
    case Isolation::own_capabilities:
      return "own capabilities";
    case Isolation::few_capabilities:
      break;
  }
  return "few capabilities";
}

const fs::path& labs_directory() {
  static const fs::path directory = "/run/ordeal/labs";
  return directory;
}

Result<Inventory> lab_up(const LabOptions& options) {
  const auto made = up(options, false);
  if (!made) return pass_on(made.error());
  return inventory_of(*made);
}

Result<void> lab_down(const std::string& name) {
  const auto found = find_lab(name);
  if (!found) return pass_on(found.error());
  const LabRecord& record = found->record;
  if (!end_lab(record))
    return error("ending lab {}: its process {} did not end within {}", name, record.supervisor,
                 to_text(end_patience));
  remove_state(labs_directory(), name);
  return {};
}

Result<std::vector<LabStatus>> lab_status() {
  const auto lock = lock_labs();
  if (!lock) return pass_on(lock.error());
  std::vector<LabStatus> all;
  for (const auto& lab : sweep(labs_directory()))
    all.push_back({lab.name, lab.supervisor, lab.nodes, lab.since, lab.owner, lab.isolation,
                   memory_of(lab.supervisor)});
  return all;
}

Result<Inventory> lab_inventory(const std::string& name) {
  const auto found = find_lab(name);
  if (!found) return pass_on(found.error());
  return inventory_of(found->record);
}

Result<EphemeralLab> EphemeralLab::up(const LabOptions& options) {
  const auto made = clusters::up(options, true);
  if (!made) return pass_on(made.error());
  return EphemeralLab(made->name, inventory_of(*made));
}

EphemeralLab::EphemeralLab(EphemeralLab&& other) noexcept
    : name_(std::exchange(other.name_, {})), inventory_(std::move(other.inventory_)) {}

EphemeralLab& EphemeralLab::operator=(EphemeralLab&& other) noexcept {
  std::swap(name_, other.name_);
  std::swap(inventory_, other.inventory_);
  return *this;
}

EphemeralLab::~EphemeralLab() {
  if (!name_.empty()) (void)lab_down(name_);
}

}  // namespace ordeal::clusters
