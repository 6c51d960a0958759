#pragma once
// The etcd program on a node: found there or uploaded, proven to run; and sentences for what stands
// in its way.

#include <filesystem>
#include <string>
#include <string_view>

#include "clusters/remote.h"

namespace ordeal::clusters::etcd {

inline constexpr const char* program_path = "/var/lib/ordeal/etcd/etcd";
inline constexpr const char* other_program_path = "/var/lib/ordeal/etcd/etcd-other";

// Makes `link` a link to `binary`, uploaded unless an earlier run did it, or to the node's
// own etcd when `binary` is empty. An Error says what is missing and what to do.
[[nodiscard]] Result<void> install_program(Remote& remote, const std::filesystem::path& binary,
                                           const std::string& link = program_path);

// "port 2379 is taken by process 812 (etcd), ...": from the output of port_owners_command().
[[nodiscard]] std::string taken_port(std::string_view owners);

// The line of etcd's output that says why it ended; never empty.
[[nodiscard]] std::string reason_in_log(std::string_view output);

}  // namespace ordeal::clusters::etcd
