#include "clusters/lab/state.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>

#include "clusters/lab/spec.h"
#include "core/file.h"
#include "core/json.h"

namespace ordeal::clusters::lab {
namespace fs = std::filesystem;
namespace {

constexpr Isolation isolations[] = {Isolation::own_users, Isolation::own_capabilities,
                                    Isolation::few_capabilities};

fs::path record_file(const fs::path& labs, const std::string& name) {
  return labs / name / "lab.json";
}

}  // namespace

Result<StateLock> StateLock::take(const fs::path& labs, Deadline deadline) {
  File directory(open(labs.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return error("opening {}: {}", labs.string(), std::strerror(errno));
  while (flock(directory.fd(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      return error("locking {}: {}", labs.string(), std::strerror(errno));
    if (deadline.passed())
      return error("another program keeps {} locked; try again when its lab is up or down",
                   labs.string());
    std::this_thread::sleep_for(2ms);
  }
  return StateLock(std::move(directory));
}

Result<void> validate_name(const std::string& name) {
  constexpr std::size_t limit = 40;
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  if (name.empty() || name.size() > limit || name.front() == '-' ||
      !std::all_of(name.begin(), name.end(), allowed))
    return error(
        "\"{}\" cannot name a lab: use 1 to {} lower-case letters, digits and '-', not first", name,
        limit);
  return {};
}

std::optional<LabRecord> read_record(const fs::path& labs, const std::string& name) {
  const auto text = read_file(record_file(labs, name));
  if (!text) return {};
  const auto json = parse_json(*text);
  if (!json || !json->is_object()) return {};
  LabRecord record;
  try {
    record.name = name;
    record.supervisor = json->at("supervisor").get<pid_t>();
    record.started = json->at("started").get<std::uint64_t>();
    record.nodes = json->at("nodes").get<std::size_t>();
    record.token = json->value("token", "");
    record.since = json->at("since").get<std::string>();
    record.owner = json->at("owner").get<pid_t>();
    for (const auto isolation : isolations)
      if (isolation_name(isolation) == json->at("isolation").get<std::string>())
        record.isolation = isolation;
  } catch (const Json::exception&) {
    return {};
  }
  return record;
}

Result<void> write_record(const fs::path& labs, const LabRecord& record) {
  const Json json = {{"schema", 1},
                     {"name", record.name},
                     {"supervisor", record.supervisor},
                     {"started", record.started},
                     {"nodes", record.nodes},
                     {"token", record.token},
                     {"since", record.since},
                     {"owner", record.owner},
                     {"isolation", isolation_name(record.isolation)}};
  return write_file(record_file(labs, record.name), json.dump(2) + "\n");
}

void remove_state(const fs::path& labs, const std::string& name) {
  std::error_code ignored;
  fs::remove_all(labs / name, ignored);
}

std::vector<LabRecord> sweep(const fs::path& labs) {
  std::vector<LabRecord> living;
  std::vector<std::string> dead;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(labs, ignored)) {
    const std::string name = entry.path().filename();
    auto record = read_record(labs, name);
    if (record && record->alive())
      living.push_back(std::move(*record));
    else
      dead.push_back(name);
  }
  for (const auto& name : dead) remove_state(labs, name);
  std::ranges::sort(living, {}, &LabRecord::name);
  return living;
}

Inventory inventory_of(const LabRecord& record) {
  Inventory inventory;
  inventory.network_namespace = fmt::format("/proc/{}/ns/net", record.supervisor);
  for (std::size_t k = 1; k <= record.nodes; ++k) {
    Node node;
    node.name = node_name(k);
    node.host = ip4_address(k);
    node.port = 22;
    node.user = "root";
    node.identity = labs_directory() / record.name / "key";
    node.known_hosts = labs_directory() / record.name / "known_hosts";
    inventory.nodes.push_back(std::move(node));
  }
  return inventory;
}

}  // namespace ordeal::clusters::lab
