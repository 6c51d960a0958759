#pragma once
// Raft (Ongaro and Ousterhout 2014): elections, log replication, persistence, snapshots, reads by
// read index and by lease (Ongaro 2014, 6.4). What is replicated are JSON commands for a state
// machine that is handed in. Single-threaded: everything happens in the loop's handlers; each turn
// of the loop first writes to disk, then sends what depends on it.

#include <deque>
#include <map>
#include <random>
#include <vector>

#include "tests/bestiary/rpc.h"

namespace bestiary {

using Index = std::uint64_t;

// The names of the bugs in here, for the programs' lists.
[[nodiscard]] const std::vector<std::string>& raft_bugs();

struct Machine {
  virtual ~Machine() = default;
  virtual Json apply(Index index, const Json& command) = 0;  // the answer to whoever proposed it
  [[nodiscard]] virtual Json save() const = 0;
  virtual void load(const Json& state) = 0;
};

struct RaftOptions {
  int id = 1;
  std::map<int, std::string> members;  // number -> address, this one included
  std::string folder;
  Index snapshot_every = 500;
  bool lease_reads = false;
  bool at_once = true;  // entries are sent as they come; or with the next heartbeat
  Milliseconds heartbeat{80}, lease_margin{100};
  // A node stands when it has heard no leader for `election`, its place among the members times
  // `stagger`, and a part of `jitter`.
  Milliseconds election{500}, stagger{0}, jitter{400};
};

class Raft {
 public:
  Raft(Loop& loop, const RaftOptions& options, const Bugs& bugs, Machine& machine);

  void on_message(const Json& message);
  void turn();  // after each batch of messages

  // Leader only, nothing otherwise: `done` is called with the answer once the command is applied,
  // and never when the leader is deposed before.
  void propose(const Json& command, std::function<void(const Json&)> done);
  // Leader only: `ready` is called when the machine may be read.
  void read(std::function<void()> ready);

  [[nodiscard]] bool leads() const { return role_ == Role::leader; }
  [[nodiscard]] int leader() const { return leader_; }  // 0: nobody known
  [[nodiscard]] Index term() const { return term_; }
  [[nodiscard]] Index commit() const { return commit_; }
  // Leads, and has applied all that earlier leaders had committed.
  [[nodiscard]] bool settled() const {
    return leads() && applied_ == commit_ && term_at(commit_) == term_;
  }
  [[nodiscard]] Index end() const { return last(); }  // of the log, committed or not
  // Called when this node has become leader.
  std::function<void()> elected;

 private:
  enum class Role { follower, candidate, leader };
  struct Entry {
    Index term = 0;
    Json command;
  };
  struct Waiting {
    Index term;
    std::function<void(const Json&)> done;
  };
  struct Reading {
    std::uint64_t round;
    Index index;
    std::function<void()> ready;
  };
  struct Follower {
    Index match = 0, next = 1;
    Clock::time_point in_flight_until{};
    std::uint64_t round = 0;  // the last heartbeat round that it acknowledged
    Clock::time_point heard{};
  };

  [[nodiscard]] Index last() const { return base_ + log_.size(); }
  [[nodiscard]] Index term_at(Index index) const;
  [[nodiscard]] std::size_t majority() const;

  void load();
  void save_vote();
  void write_line(Index index);
  void flush();
  void append(Entry entry);
  void cut_after(Index index);

  void tick();
  void rest();
  void step_down(Index term);
  void stand();
  void become_leader();
  void on_vote(const Json& message);
  void on_voted(const Json& message);
  void on_append(const Json& message);
  void on_appended(const Json& message);
  void on_snapshot(const Json& message);
  void broadcast();
  void hurry() { wants_broadcast_ |= options_.at_once; }
  void send_entries(int peer, Follower& follower);
  void advance_commit();
  void serve_reads();
  void apply_committed();
  void take_snapshot();
  void store_snapshot(Index index, Index term, const Json& state);

  Loop& loop_;
  const RaftOptions options_;
  const Bugs& bugs_;
  Machine& machine_;
  Disk disk_;
  std::mt19937_64 random_{std::random_device{}()};

  // On disk.
  Index term_ = 0;
  int vote_ = 0;
  Index base_ = 0, base_term_ = 0;  // the last entry in the snapshot
  std::deque<Entry> log_;           // those behind it
  Json snapshot_;                   // {"index", "term", "state"}

  Role role_ = Role::follower;
  int leader_ = 0;
  Index commit_ = 0, applied_ = 0, durable_ = 0;
  Clock::time_point election_at_{}, heard_leader_{};
  std::map<int, bool> votes_;
  std::map<int, Follower> followers_;
  std::map<Index, Waiting> waiting_;
  std::deque<Reading> readings_;
  std::uint64_t round_ = 0;
  std::map<std::uint64_t, Clock::time_point> round_sent_;
  Clock::time_point lease_until_{}, beat_at_{}, greet_at_{};
  bool wants_broadcast_ = false, snapshotting_ = false;
  std::string unwritten_;                      // log lines not yet on disk
  std::vector<std::pair<int, Json>> replies_;  // sent once the disk has what they promise
};

}  // namespace bestiary
