#pragma once
// A definition filled in for the nodes of a run: every text and shell command that a node or a
// client program will see. Pure; what --dry-run prints is what is run.

#include <string>
#include <vector>

#include "clusters/custom/definition.h"
#include "clusters/daemon.h"
#include "clusters/node.h"

namespace ordeal::clusters::custom {

struct NodeCommands {
  std::string directory;  // of the cluster on the node
  std::vector<Upload> uploads;
  std::vector<std::string> setup;
  Daemon server;
  std::string start, kill, stop, pid;  // shell commands, idempotent
  std::string other_start;             // empty: there is no other version
  std::string wipe;                    // data and logs
  std::vector<std::string> logs, data;
  Probe ready;
  std::string leader_url, leader_command;
  std::vector<std::string> client;
};

// The definition was parsed, so filling cannot fail.
[[nodiscard]] NodeCommands commands_for(const Definition& definition,
                                        const std::vector<Node>& nodes, std::size_t node);

// For people: all of it, node after node.
[[nodiscard]] std::string describe(const Definition& definition, const std::vector<Node>& nodes);

}  // namespace ordeal::clusters::custom
