#pragma once
// A cluster of the user's own, described by one TOML file: how to install, start, ask and stop it
// on a node, what client speaks to it, and what it promises. docs/custom-cluster.md explains the
// file to users. Parsing checks everything that can be known without a node.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/op.h"
#include "core/result.h"

namespace ordeal::clusters::custom {

// Texts with {placeholders}; filled in for a node by commands.h.
using Text = std::string;
using Texts = std::vector<std::string>;

struct Upload {
  std::string from;  // relative to the folder of the TOML
  Text to;           // on the node; relative to its folder there
  unsigned mode = 0755;
  std::size_t line = 0;  // of the TOML
};

// One way to ask whether a node is there; exactly one text is set.
struct Probe {
  Text tcp;      // "{host}:7000": it accepts connections
  Text http;     // "http://{host}:7001/health": it answers 2xx
  Text command;  // run on the node: exit status 0
  Text log;      // a line with this text in the server's log, since its start
  [[nodiscard]] bool none() const {
    return tcp.empty() && http.empty() && command.empty() && log.empty();
  }
};

// Where a node says whom it follows: a URL, or a command on the node, that answers with JSON.
struct LeaderProbe {
  Text url, command;
  std::string leader, term, version;  // JSON pointers; only `leader` is needed
  [[nodiscard]] bool none() const { return url.empty() && command.empty(); }
};

struct ClientProgram {
  Texts command;
  std::vector<Function> functions;
  std::map<std::string, std::string> fail;  // code that proves "did not happen" -> why
  Nanoseconds hello_within = 10s;
};

struct Definition {
  std::string file;  // as the user named it, for messages
  std::filesystem::path folder;
  std::string name;
  std::string promise;
  std::size_t nodes = 5;  // of the lab, when the user names none
  std::size_t nodes_min = 1, nodes_max = 100;
  std::map<std::string, std::string> options;  // {NAME} -> value

  std::vector<Upload> uploads;
  Texts setup;  // shell commands, in the node's folder
  Nanoseconds setup_within = 60s;
  Texts start;                              // program and arguments; stays in the foreground
  Texts other_start;                        // another version, for upgrade faults; may be empty
  std::map<std::string, Text> environment;  // of the server
  Text peer = "{host}", separator = ",";    // what {peers} is made of
  std::vector<std::uint16_t> ports;         // must be free before the start
  Probe ready;
  Nanoseconds ready_within = 30s;
  Texts logs;  // beside the server's own output
  Texts data;  // what wipe removes and disk faults may touch
  Text stop;   // a shell command before SIGTERM
  Nanoseconds stop_within = 5s;
  Text kill;  // a shell command beside SIGKILL
  LeaderProbe leader;
  ClientProgram client;
};

// `file` is where the text came from; names in it are relative to its folder. `options` are the
// user's values for [options].
[[nodiscard]] Result<Definition> parse_definition(
    std::string_view text, const std::string& file,
    const std::map<std::string, std::string>& options);

// The files to upload are there. Apart from parsing: a stored run is judged without them.
[[nodiscard]] Result<void> check_files(const Definition& definition);

// Replaces {name} by its value; {{ and }} are braces. An Error names the placeholder that is not
// known, or the brace that is open.
[[nodiscard]] Result<std::string> fill(std::string_view text,
                                       const std::map<std::string, std::string>& values);

}  // namespace ordeal::clusters::custom
