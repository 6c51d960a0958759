#pragma once
// A tested system without a system: its server is a process that sleeps. For tests of faults, which
// only start, kill and look for it.

#include "clusters/cluster.h"
#include "clusters/daemon.h"

namespace ordeal::nemesis {

class SleeperCluster final : public clusters::Cluster {
 public:
  // The folder of each node's server, made when it starts.
  explicit SleeperCluster(std::vector<std::string> directories)
      : directories_(std::move(directories)) {}

  std::string_view name() const override { return "sleeper"; }
  std::vector<Function> speaks() const override { return {}; }
  std::string_view promise() const override { return "sleeps"; }
  std::vector<clusters::DefiniteError> definite_errors() const override { return {}; }
  Result<void> deploy(std::size_t) override { return {}; }
  Result<void> start(std::size_t) override { return error("tests start it by its command"); }
  Result<void> stop(std::size_t) override { return {}; }
  Result<void> wipe(std::size_t) override { return {}; }
  std::string start_command(std::size_t node) const override {
    return clusters::start_command(daemon(node));
  }
  std::string kill_command(std::size_t node) const override {
    return clusters::kill_command(daemon(node));
  }
  std::string pid_command(std::size_t node) const override {
    return clusters::pid_command(daemon(node));
  }
  Result<clusters::NodeStatus> status(std::size_t, Deadline) override { return error("it sleeps"); }
  Result<std::unique_ptr<clusters::Client>> open(std::size_t) override {
    return error("it sleeps");
  }
  std::vector<std::string> logs(std::size_t) const override { return {}; }

 private:
  clusters::Daemon daemon(std::size_t node) const {
    const std::string& directory = directories_.at(node);
    return {"sleeper", directory, directory + "/log", {"/usr/bin/sleep", "1000"}, {}};
  }
  std::vector<std::string> directories_;
};

}  // namespace ordeal::nemesis
