#pragma once
// Multi-Paxos (Lamport 2001) for one shard: a leader is prepared once for all slots to come, and
// then has batches of commands accepted, several slots at a time. What is chosen is handed to the
// machine through a queue of bounded length. Single-threaded; each turn of the loop first writes to
// disk, then sends what depends on it.
//
// Ballots are round * 16 + node, so no two nodes share one.

#include <deque>
#include <map>
#include <random>
#include <set>

#include "tests/bestiary/service.h"

namespace bestiary {

using Ballot = std::uint64_t;

// The names of the bugs in here.
[[nodiscard]] const std::vector<std::string>& paxos_bugs();

struct PaxosOptions {
  int id = 1, shard = 0;
  std::vector<int> peers;  // numbers of the others
  std::string folder;
  Index snapshot_every = 200;  // slots
  Milliseconds heartbeat{80};
  Milliseconds election{500}, stagger{0}, jitter{400};  // as those of Raft
};

class Paxos {
 public:
  Paxos(Loop& loop, const PaxosOptions& options, const Bugs& bugs, Machine& machine);

  void on_message(const Json& message);
  void turn();  // after each batch of messages

  // Leader only, nothing otherwise: `done` is called with the answer once the command is applied,
  // and never when the leader is deposed before.
  void propose(const Json& command, Done done);

  [[nodiscard]] bool leads() const { return role_ == Role::leader; }
  [[nodiscard]] int leader() const { return leader_; }  // 0: nobody known
  [[nodiscard]] Index round() const { return promised_ / 16; }
  [[nodiscard]] Index chosen() const { return chosen_; }

 private:
  enum class Role { follower, candidate, leader };
  struct Accepted {
    Ballot ballot = 0;
    Json batch;  // of commands; empty: nothing to do
  };
  struct Command {
    Json command;
    Done done;
  };

  [[nodiscard]] std::size_t majority() const { return (options_.peers.size() + 1) / 2 + 1; }
  [[nodiscard]] std::string file(const char* kind) const;

  void load();
  void promise(Ballot ballot);
  void accept(Index slot, Ballot ballot, const Json& batch);
  void flush();

  void tick();
  void rest();
  void follow(Ballot seen);
  void stand();
  void lead();
  void on_prepare(const Json& message);
  void on_promise(const Json& message);
  void on_accept(const Json& message);
  void on_accepted(const Json& message);
  void on_chosen(const Json& message);
  void on_snapshot(const Json& message);

  void send(int to, Json message);
  void send_all(const Json& message);
  void send_chosen(int to, Index from, std::size_t most);
  void propose_slot(Index slot, const Json& batch);
  void propose_batches();
  void count_votes();
  void hand_over();
  void apply_some();
  void apply(Index slot);
  void take_snapshot();

  Loop& loop_;
  const PaxosOptions options_;
  const Bugs& bugs_;
  Machine& machine_;
  Disk disk_;
  std::mt19937_64 random_{std::random_device{}()};

  // On disk.
  Ballot promised_ = 0;
  std::map<Index, Accepted> accepted_;  // behind the snapshot
  Index base_ = 0;                      // the last slot in the snapshot
  Json snapshot_;                       // {"slot", "state"}

  Role role_ = Role::follower;
  int leader_ = 0;
  Ballot ballot_ = 0, seen_ = 0;  // our own last, and the highest heard of
  Index chosen_ = 0;              // every slot up to it is, and we know with which batch
  Clock::time_point election_at_{}, beat_at_{}, ask_at_{};

  // As a candidate and leader.
  std::set<int> promises_;
  std::map<Index, Accepted> reported_;  // what those who promised had accepted
  Index next_slot_ = 1;
  std::map<Index, std::set<int>> votes_;
  std::map<Index, Clock::time_point> sent_;
  std::deque<Command> pending_;
  std::map<Index, std::vector<Done>> waiting_;

  // What is chosen, on its way to the machine.
  std::deque<Index> queue_, overflow_;
  Index handed_ = 0, applied_ = 0;
  bool applies_later_ = false;
  std::map<int, Clock::time_point> helped_;  // when a peer was last sent our snapshot

  std::string unwritten_;                     // lines of the log not yet on disk
  std::vector<std::pair<int, Json>> outbox_;  // sent once the disk has what they promise
};

}  // namespace bestiary
