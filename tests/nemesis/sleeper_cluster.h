#pragma once
// Tested systems without a system, for tests of faults, which only start, kill and look for
// servers: one sleeps; the other writes, syncs what it writes, and tells the time at which it had
// done so.

#include "clusters/cluster.h"
#include "clusters/daemon.h"

namespace ordeal::nemesis {

class SleeperCluster final : public clusters::Cluster {
 public:
  // The folder of each node's server, made when it starts.
  explicit SleeperCluster(std::vector<std::string> directories)
      : directories_(std::move(directories)) {}

  // Its log has a line "SECONDS.MICROSECONDS N" for each N that it has written into the files loose
  // and firm of its data, of which it syncs the second. After a restart it goes on behind firm.
  static SleeperCluster scribes(std::vector<std::string> directories) {
    SleeperCluster cluster(std::move(directories));
    cluster.writes_ = true;
    return cluster;
  }

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
  bool has_other_version() const override { return writes_; }
  std::string other_start_command(std::size_t node) const override {
    clusters::Daemon other = daemon(node);
    other.command.emplace_back("other");
    return clusters::start_command(other);
  }
  std::vector<std::string> actions() const override {
    return {"remove-member", "add-member", "add-learner", "replace-member"};
  }
  std::string kill_command(std::size_t node) const override {
    return clusters::kill_command(daemon(node));
  }
  std::string pid_command(std::size_t node) const override {
    return clusters::pid_command(daemon(node));
  }
  Result<clusters::NodeStatus> status(std::size_t, Deadline) override {
    return clusters::NodeStatus{};
  }
  Result<std::unique_ptr<clusters::Client>> open(std::size_t) override {
    return error("it sleeps");
  }
  std::vector<std::string> logs(std::size_t node) const override {
    return {directories_.at(node) + "/log"};
  }
  std::string data_directory(std::size_t node) const override {
    return directories_.at(node) + "/data";
  }

 private:
  clusters::Daemon daemon(std::size_t node) const {
    const std::string& directory = directories_.at(node);
    std::vector<std::string> command = {"/usr/bin/sleep", "1000"};
    if (writes_) {
      command = {"/bin/bash", "-c",
                 "mkdir -p " + directory + "/data; cd " + directory +
                     "/data; i=$(wc -l <firm || echo 0); while :; do i=$((i+1)); echo $i >>loose; "
                     "echo $i >>firm; sync firm && echo $EPOCHREALTIME $i; sleep 0.02; done"};
    }
    return {"sleeper", directory, directory + "/log", command, {}};
  }
  bool writes_ = false;
  std::vector<std::string> directories_;
};

}  // namespace ordeal::nemesis
