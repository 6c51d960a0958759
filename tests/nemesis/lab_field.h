#pragma once
// Lab nodes and a running fault, for tests that judge faults from outside. Needs root.

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/core.h>
#include <unistd.h>

#include "clusters/lab/lab.h"
#include "clusters/remote.h"
#include "nemesis/nemesis.h"
#include "tests/nemesis/node_sockets.h"
#include "tests/nemesis/scratch.h"
#include "tests/nemesis/sleeper_cluster.h"

namespace ordeal::nemesis {

using clusters::Remote;

inline constexpr std::size_t node_count = 5;

inline bool no_lab() {
#ifdef __SANITIZE_THREAD__
  WARN(
      "faults on lab nodes are not tested: a lab is forked off, which ThreadSanitizer cannot "
      "follow");
  return true;
#else
  if (::geteuid() == 0) return false;
  WARN("faults on lab nodes are not tested: that needs root");
  return true;
#endif
}

// Moves this thread into the lab's network, and back at the end.
class InLabNetwork {
 public:
  explicit InLabNetwork(const clusters::Inventory& inventory) : home_("/proc/thread-self/ns/net") {
    REQUIRE(clusters::enter_network(inventory));
  }
  ~InLabNetwork() { home_.enter(); }

 private:
  Namespace home_;
};

// The value, or the end of the test with the sentence that says why there is none.
template <class T>
T or_fail(Result<T> result) {
  if (!result) FAIL(result.error().message);
  return std::move(*result);
}

struct Lab {
  explicit Lab(const std::string& name)
      : lab(or_fail(clusters::EphemeralLab::up(
            {.name = fmt::format("{}-{}", name, ::getpid()), .nodes = node_count}))),
        network(lab.inventory()) {}

  clusters::EphemeralLab lab;
  InLabNetwork network;
  SleeperCluster cluster{std::vector<std::string>(node_count, "/var/lib/sleeper")};
  Scratch scratch;
};

// Connections to all nodes.
struct Field {
  explicit Field(const clusters::Inventory& inventory) {
    for (const clusters::Node& node : inventory.nodes) {
      owned.push_back(or_fail(clusters::connect(node, {}, 20s)));
      remotes.push_back(owned.back().get());
    }
  }

  std::string on(std::size_t node, const std::string& command) const {
    return or_fail(clusters::run_or_error(*remotes[node], {command, {}}, "testing"));
  }
  clusters::Output output_of(std::size_t node, const std::string& command) const {
    return or_fail(remotes[node]->run({command, {}}));
  }
  // All rules of all tables that iptables knows of, without dates and counters.
  std::string rules() const {
    std::string all;
    for (std::size_t node = 0; node < remotes.size(); ++node) {
      all += on(
          node,
          "for t in iptables ip6tables; do $t-save | sed -e '/^#/d' -e 's/\\[[0-9:]*\\]//'; done");
    }
    return all;
  }
  // A user's own firewall, which must come through everything unharmed.
  void add_foreign_rules() const {
    for (std::size_t node = 0; node < remotes.size(); ++node) {
      on(node,
         "for t in iptables ip6tables; do $t -N ORDEAL-users && $t -A ORDEAL-users -p tcp --dport "
         "81 -j DROP &&"
         " $t -A INPUT -m comment --comment ordeal-like -j ORDEAL-users && $t -A OUTPUT -p udp "
         "--dport 9 "
         "-j DROP &&"
         " $t -P FORWARD DROP && $t -t mangle -A PREROUTING -p tcp --dport 82 -j MARK --set-mark 5 "
         "|| exit 1; done");
    }
  }

  std::vector<std::unique_ptr<Remote>> owned;
  std::vector<Remote*> remotes;
};

inline const Outside third{[] { return std::optional<std::size_t>(2); }, {}};

// Runs one fault in a thread of its own until the test has seen enough.
class Running {
 public:
  Running(Nemesis& nemesis, const RunClock& clock, const FaultSpec& spec)
      : thread_([this, &nemesis, &clock, spec](const std::stop_token& stop) {
          nemesis.run(
              {spec}, clock.now(), third, [this](const FaultRecord& record) { note(record); },
              stop);
          const std::lock_guard lock(mutex_);
          ended_ = true;
        }) {}

  // Waits for so many records of the step; false when the run ended, or half a minute passed,
  // before.
  bool await(FaultStep step, std::size_t count) {
    const Deadline deadline = Deadline::after(30s);
    while (!deadline.passed()) {
      {
        const std::lock_guard lock(mutex_);
        if (count_locked(step) >= count) return true;
        if (ended_) return false;
      }
      std::this_thread::sleep_for(5ms);
    }
    return false;
  }
  void stop() {
    thread_.request_stop();
    thread_.join();
  }
  std::size_t count(FaultStep step) {
    const std::lock_guard lock(mutex_);
    return count_locked(step);
  }
  std::string told() {
    const std::lock_guard lock(mutex_);
    std::string text;
    for (const FaultRecord& record : records_) {
      text += fmt::format("{} {} {} {}\n", to_text(record.at), to_text(record.step), record.node,
                          record.detail);
    }
    return text;
  }

 private:
  void note(const FaultRecord& record) {
    const std::lock_guard lock(mutex_);
    records_.push_back(record);
  }
  std::size_t count_locked(FaultStep step) const {
    return static_cast<std::size_t>(
        std::count_if(records_.begin(), records_.end(),
                      [&](const FaultRecord& record) { return record.step == step; }));
  }

  std::mutex mutex_;
  std::vector<FaultRecord> records_;
  bool ended_ = false;
  std::jthread thread_;  // last: it ends before what it uses
};

}  // namespace ordeal::nemesis
