#pragma once
// What the processes of one lab know about it: decided by the caller, never changed afterwards.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "clusters/lab/lab.h"

namespace ordeal::clusters::lab {

struct LabSpec {
  LabOptions options;
  std::filesystem::path state;  // its directory below labs_directory()
  std::string authorized_key;   // who may log in as root
  std::string token;            // in the names of its control groups; no other lab has it
  std::string host_key;         // by which every node identifies itself: the private half
};

inline std::string node_name(std::size_t node) { return "n" + std::to_string(node); }  // from 1
inline std::string ip4_address(std::size_t node) { return "10.77.0." + std::to_string(node); }
inline std::string ip6_address(std::size_t node) { return fmt::format("fd77::{:x}", node); }
inline constexpr std::size_t control_position =
    254;  // the address of the control network namespace
inline constexpr std::uint8_t ip4_prefix = 24, ip6_prefix = 64;

// The host's user and group that root of a node is; the ids above follow. The range of own_users is
// one that nobody assigns (systemd's UIDS-GIDS table calls it unused), so that no file or process
// of the host belongs to it.
inline constexpr unsigned ids_of_own_users = 0x7000'0000, id_count = 65536;
inline unsigned first_id(Isolation isolation) {
  return isolation == Isolation::own_users ? ids_of_own_users : 0;
}

}  // namespace ordeal::clusters::lab
