#pragma once
// What a user sees of a run while it goes on, as text: a block for terminals and a line for files.
// Pure; drawing it is live.h's.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/run.h"

namespace ordeal::harness {

// Latencies in 96 buckets, four to a power of two of microseconds.
struct LatencyCounts {
  static constexpr std::size_t size = 96;
  std::array<std::uint64_t, size> counts{};
  [[nodiscard]] static std::size_t bucket(Nanoseconds latency);
  // Of what was counted since `before`; absent when nothing was.
  [[nodiscard]] std::optional<Nanoseconds> quantile(double share,
                                                    const LatencyCounts& before) const;
};

// A moment of a run.
struct LiveState {
  std::string title;                 // "register x etcd 3.4.23 · seed 42 · 5 nodes"
  Nanoseconds elapsed{}, planned{};  // of the main phase; elapsed is zero before it
  std::uint64_t ok = 0, fail = 0, info = 0;
  LatencyCounts latencies;
  std::vector<NodeSample> nodes;
  std::vector<std::string> faults_on;  // "partition n1 n2 | n3 n4 n5, 7 s left"
  std::string faults_done;             // "kill 2, partition 3"; may be empty
  std::vector<std::string> warnings;   // "no read has succeeded yet"
  bool faults_held = false;            // by the user
  bool keys_are_read = false;          // so the block names them
  std::vector<std::string> clients;    // "client 3 on n4: write, for 812 ms"; of those that wait
};

struct LiveStyle {
  std::size_t width = 80;
  bool colour = false;
  bool unicode = true;
};

// What lies between two moments: rates and latencies are of the last few seconds.
struct LiveHistory {
  LiveState before;                // some seconds ago
  double seconds = 0;              // between it and now
  std::vector<double> per_second;  // operations in the last seconds, oldest first
};

// Lines without their ends, none wider than the terminal.
[[nodiscard]] std::vector<std::string> live_block(const LiveState& now, const LiveHistory& history,
                                                  const LiveStyle& style);
// What every node and client is doing, in full: a line each.
[[nodiscard]] std::vector<std::string> live_dump(const LiveState& now);
// The same facts as the block's in one line, for what is not a terminal.
[[nodiscard]] std::string live_line(const LiveState& now, const LiveHistory& history);

}  // namespace ordeal::harness
