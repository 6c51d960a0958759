#pragma once
// Control groups: this makes the shell commands by which a server is moved into one of ours, with
// all of its processes, and out of it again. At most one a fault and node. Nothing keeps a group
// up: the guard's undo takes it back, and the sweep of the next run what is left all the same.

#include <string>

#include "nemesis/fault.h"

namespace ordeal::nemesis {

struct Group {
  const Arena& arena;
  int fault;
  std::string harm;  // "--freeze 1", "--cpu 10": what is asked of it, see node/tasks.h

  // Needs $pid; fails with a sentence.
  [[nodiscard]] std::string confine() const;
  // Idempotent; also where there is no group.
  [[nodiscard]] std::string release() const;
  [[nodiscard]] std::string told() const;            // what shows the effect; status 1: nothing yet
  [[nodiscard]] std::string prove_released() const;  // status 1 while it is there; prints nothing
  [[nodiscard]] std::string probe() const;           // status 1, and why: it cannot be had here

 private:
  [[nodiscard]] std::string command(const std::string& verb) const;
};

}  // namespace ordeal::nemesis
