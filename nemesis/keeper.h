#pragma once
// Keepers: processes of the program for nodes that keep a fault up for as long as it is on (a
// slowed server, a skewed clock, a queue of packets, a file system). This makes the shell commands
// that start one, end it, and prove both. A keeper ends by itself, and takes its harm back, when
// the node's guard is gone. At most one a fault and node.

#include <string>

#include "nemesis/fault.h"

namespace ordeal::nemesis {

struct Keeper {
  const Arena& arena;
  int fault;

  // `task` is a subcommand of the program with its arguments, as a shell reads it. Fails with the
  // keeper's own words.
  [[nodiscard]] std::string start(const std::string& task) const;
  // Idempotent; fails only when the keeper survives.
  [[nodiscard]] std::string end() const;
  // What the keeper tells of its effect; status 1 while it has none.
  [[nodiscard]] std::string told() const;
  // Prints the last that it told before it ended, if it did.
  [[nodiscard]] std::string last_words() const;
  // Status 1, and who it is, while the keeper lives; prints nothing.
  [[nodiscard]] std::string prove_gone() const;

  // The program with that subcommand, and the fault's name.
  [[nodiscard]] std::string command(const std::string& verb) const;
  // What the fault has in that folder of ours.
  [[nodiscard]] std::string folder(const std::string& what) const;
};

// Ends what earlier runs left.
[[nodiscard]] std::string end_all_keepers(const std::string& program);

}  // namespace ordeal::nemesis
