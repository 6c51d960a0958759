#pragma once
// A server process on a node, run by shell commands alone: what the harness, a fault and the node's
// guard start and kill, each without the help of the others. Pure functions that make one line of
// text for a POSIX /bin/sh with coreutils and util-linux (setsid, flock).
//
// The process is known by its id and its start time together, kept in a file, so that an id that
// was given to another process is never killed. Start, stop and kill exclude each other by a lock
// and are idempotent. The program has to stay in the foreground.

#include <cstdint>
#include <string>
#include <vector>

#include "core/time.h"

namespace ordeal::clusters {

struct Daemon {
  std::string name;                      // "etcd"; of the files NAME.pid and NAME.lock
  std::string directory;                 // absolute; where these files are; made when missing
  std::string log;                       // absolute; both output streams are appended to it
  std::vector<std::string> command;      // absolute program, arguments
  std::vector<std::string> environment;  // NAME=VALUE; beside PATH, HOME and LANG all that it sees
};

// Leads a session of its own, with nothing on its standard input. Returns once the process id is on
// record; a server that ends right afterwards is the caller's to notice.
[[nodiscard]] std::string start_command(const Daemon& daemon);
// SIGKILL to it and its process group; returns once it is gone.
[[nodiscard]] std::string kill_command(const Daemon& daemon);
// SIGTERM, and SIGKILL when it is still there after `patience`; returns once it is gone.
[[nodiscard]] std::string stop_command(const Daemon& daemon, Nanoseconds patience);
// Prints the process id; exit status 1 when it does not run. A stopped (SIGSTOP) process runs.
[[nodiscard]] std::string pid_command(const Daemon& daemon);

// Prints "PORT PID PROGRAM" for each of the TCP ports that somebody listens on; "?" for what cannot
// be seen.
[[nodiscard]] std::string port_owners_command(const std::vector<std::uint16_t>& ports);

}  // namespace ordeal::clusters
