#include "tests/bestiary/paxos.h"

#include <algorithm>

namespace bestiary {
namespace {

constexpr Milliseconds tick_every{20}, resend_after{250}, ask_every{100};
constexpr std::size_t most_commands = 64;  // in a batch
constexpr Index most_slots = 8;            // under way
constexpr std::size_t most_told = 200;     // slots in a message
constexpr std::size_t queue_length = 16;   // slots between chosen and applied
constexpr std::size_t most_applied = 8;    // slots in a turn

}  // namespace

const std::vector<std::string>& paxos_bugs() {
  static const std::vector<std::string> names = {"promise-not-persisted", "wrong-value",
                                                 "drop-when-full", "reorder-when-full"};
  return names;
}

Paxos::Paxos(Loop& loop, const PaxosOptions& options, const Bugs& bugs, Machine& machine)
    : loop_(loop), options_(options), bugs_(bugs), machine_(machine), disk_(options.folder) {
  load();
  rest();
  // At first each shard is led by another node.
  const bool first = static_cast<std::size_t>(options_.shard) % (options_.peers.size() + 1) + 1 ==
                     static_cast<std::size_t>(options_.id);
  if (first) election_at_ = Clock::now() + Milliseconds(100);
  loop_.after(tick_every, [this] { tick(); });
}

// --- the disk -------------------------------------------------------------------------------

std::string Paxos::file(const char* kind) const { return kind + std::to_string(options_.shard); }

void Paxos::load() {
  snapshot_ = disk_.document(file("snapshot"));
  if (snapshot_.is_object()) {
    base_ = snapshot_.at("slot");
    machine_.load(snapshot_.at("state"));
  }
  chosen_ = handed_ = applied_ = base_;
  for (const Json& line : disk_.lines(file("log"))) {
    const Ballot ballot = line.at("b");
    // To accept is to promise, too; with the bug a restart forgets both.
    if (!bugs_.has("promise-not-persisted")) promised_ = std::max(promised_, ballot);
    seen_ = std::max(seen_, ballot);
    if (line.contains("s") && line.at("s") > base_)
      accepted_[line.at("s")] = {ballot, line.at("v")};
  }
}

void Paxos::promise(Ballot ballot) {
  promised_ = ballot;
  seen_ = std::max(seen_, ballot);
  unwritten_ += Json{{"b", ballot}}.dump() + "\n";
}

void Paxos::accept(Index slot, Ballot ballot, const Json& batch) {
  accepted_[slot] = {ballot, batch};
  unwritten_ += Json{{"b", ballot}, {"s", slot}, {"v", batch}}.dump() + "\n";
}

void Paxos::flush() {
  if (unwritten_.empty()) return;
  disk_.append(file("log"), unwritten_);
  unwritten_.clear();
}

// --- who leads ------------------------------------------------------------------------------

void Paxos::rest() {
  const auto place = std::count_if(options_.peers.begin(), options_.peers.end(),
                                   [this](int peer) { return peer < options_.id; });
  const auto jitter = static_cast<std::uint64_t>(options_.jitter.count());
  election_at_ = Clock::now() + options_.election + place * options_.stagger +
                 Milliseconds(random_() % (jitter + 1));
}

void Paxos::tick() {
  loop_.after(tick_every, [this] { tick(); });
  if (role_ != Role::leader && Clock::now() >= election_at_) stand();
  if (role_ != Role::leader || Clock::now() < beat_at_) return;
  beat_at_ = Clock::now() + options_.heartbeat;
  send_all({{"t", "accept"}, {"b", ballot_}, {"slots", Json::array()}, {"chosen", chosen_}});
  for (const auto& [slot, at] : sent_)
    if (Clock::now() >= at + resend_after) propose_slot(slot, accepted_.at(slot).batch);
}

// Somebody has a ballot that is higher than ours.
void Paxos::follow(Ballot seen) {
  seen_ = std::max(seen_, seen);
  if (role_ == Role::follower) return;
  role_ = Role::follower;
  if (leader_ == options_.id) leader_ = 0;
  pending_.clear();
  waiting_.clear();
  votes_.clear();
  sent_.clear();
  rest();
}

void Paxos::stand() {
  role_ = Role::candidate;
  leader_ = 0;
  ballot_ = (std::max(promised_, seen_) / 16 + 1) * 16 + static_cast<Ballot>(options_.id);
  promise(ballot_);
  loop_.note("stands for shard " + std::to_string(options_.shard) + " with ballot " +
             std::to_string(ballot_) + " from slot " + std::to_string(chosen_ + 1));
  promises_ = {options_.id};
  reported_.clear();
  for (const auto& [slot, known] : accepted_)
    if (slot > chosen_) reported_[slot] = known;
  rest();
  send_all({{"t", "prepare"}, {"b", ballot_}, {"from_slot", chosen_ + 1}});
  if (promises_.size() >= majority()) lead();
}

void Paxos::on_prepare(const Json& message) {
  const int from = message.at("from");
  const Ballot ballot = message.at("b");
  if (ballot <= promised_) return send(from, {{"t", "higher"}, {"b", promised_}});
  const Index first = message.at("from_slot");
  if (first <= base_)
    return send_chosen(from, first, 1);  // it is behind: to lead, it must catch up
  follow(ballot);
  promise(ballot);
  rest();
  Json known = Json::array();
  for (auto at = accepted_.lower_bound(first); at != accepted_.end(); ++at)
    known.push_back({at->first, at->second.ballot, at->second.batch});
  send(from, {{"t", "promise"}, {"b", ballot}, {"accepted", known}});
}

void Paxos::on_promise(const Json& message) {
  if (role_ != Role::candidate || message.at("b") != ballot_) return;
  for (const Json& one : message.at("accepted")) {
    const Index slot = one.at(0);
    if (slot <= chosen_) continue;
    const Accepted told{one.at(1), one.at(2)};
    const auto known = reported_.find(slot);
    // What has the highest ballot may be chosen, and must be proposed again. With the bug, it is
    // what was heard of first.
    if (known == reported_.end() ||
        (told.ballot > known->second.ballot && !bugs_.has("wrong-value")))
      reported_[slot] = told;
  }
  promises_.insert(message.at("from").get<int>());
  if (promises_.size() >= majority()) lead();
}

void Paxos::lead() {
  role_ = Role::leader;
  leader_ = options_.id;
  loop_.note("leads shard " + std::to_string(options_.shard) + " with ballot " +
             std::to_string(ballot_) + " from slot " + std::to_string(chosen_ + 1));
  votes_.clear();
  sent_.clear();
  waiting_.clear();
  beat_at_ = {};
  next_slot_ = reported_.empty() ? chosen_ + 1 : std::max(chosen_, reported_.rbegin()->first) + 1;
  for (Index slot = chosen_ + 1; slot < next_slot_; ++slot) {
    const auto told = reported_.find(slot);
    propose_slot(slot, told == reported_.end() ? Json::array() : told->second.batch);
  }
}

// --- what is chosen -------------------------------------------------------------------------

void Paxos::propose(const Json& command, Done done) {
  if (role_ == Role::leader) pending_.push_back({command, std::move(done)});
}

// Also once more, when nobody answered.
void Paxos::propose_slot(Index slot, const Json& batch) {
  const auto known = accepted_.find(slot);
  if (known == accepted_.end() || known->second.ballot != ballot_) accept(slot, ballot_, batch);
  votes_[slot].insert(options_.id);  // nothing is sent or counted before it is on the disk
  sent_[slot] = Clock::now();
  send_all({{"t", "accept"},
            {"b", ballot_},
            {"slots", Json::array({Json::array({slot, batch})})},
            {"chosen", chosen_}});
}

void Paxos::propose_batches() {
  while (role_ == Role::leader && !pending_.empty() && next_slot_ <= chosen_ + most_slots) {
    Json batch = Json::array();
    std::vector<Done>& waiting = waiting_[next_slot_];
    for (; !pending_.empty() && batch.size() < most_commands; pending_.pop_front()) {
      batch.push_back(pending_.front().command);
      waiting.push_back(std::move(pending_.front().done));
    }
    propose_slot(next_slot_++, batch);
  }
}

void Paxos::on_accept(const Json& message) {
  const int from = message.at("from");
  const Ballot ballot = message.at("b");
  if (ballot < promised_) return send(from, {{"t", "higher"}, {"b", promised_}});
  if (ballot > promised_) {
    follow(ballot);
    promise(ballot);
  }
  leader_ = from;
  rest();
  Json taken = Json::array();
  for (const Json& one : message.at("slots")) {
    const Index slot = one.at(0);
    const auto known = accepted_.find(slot);
    const bool again = known != accepted_.end() && known->second.ballot == ballot;
    if (slot <= chosen_ && !again) {
      send_chosen(from, slot, 1);  // it has missed that, or been superseded
      continue;
    }
    if (!again) accept(slot, ballot, one.at(1));
    taken.push_back(slot);
  }
  if (!taken.empty()) send(from, {{"t", "accepted"}, {"b", ballot}, {"slots", taken}});
  // What we accepted from this leader is what it had chosen.
  const Index theirs = message.at("chosen");
  while (chosen_ < theirs) {
    const auto next = accepted_.find(chosen_ + 1);
    if (next == accepted_.end() || next->second.ballot != ballot) break;
    ++chosen_;
  }
  if (chosen_ < theirs && Clock::now() >= ask_at_) {
    ask_at_ = Clock::now() + ask_every;
    send(from, {{"t", "learn"}, {"from_slot", chosen_ + 1}});
  }
}

void Paxos::on_accepted(const Json& message) {
  if (role_ != Role::leader || message.at("b") != ballot_) return;
  for (const Json& slot : message.at("slots")) {
    const auto votes = votes_.find(slot.get<Index>());
    if (votes != votes_.end()) votes->second.insert(message.at("from").get<int>());
  }
}

void Paxos::count_votes() {
  if (role_ != Role::leader) return;
  const Index before = chosen_;
  for (auto next = votes_.find(chosen_ + 1);
       next != votes_.end() && next->second.size() >= majority(); next = votes_.find(chosen_ + 1))
    ++chosen_;
  votes_.erase(votes_.begin(), votes_.upper_bound(chosen_));
  sent_.erase(sent_.begin(), sent_.upper_bound(chosen_));
  if (chosen_ != before) beat_at_ = {};  // the others learn of it
}

void Paxos::send_chosen(int to, Index from, std::size_t most) {
  if (from <= base_) {
    Clock::time_point& helped = helped_[to];
    if (Clock::now() < helped + resend_after) return;
    helped = Clock::now();
    return send(to, {{"t", "snapshot"}, {"s", snapshot_}});
  }
  Json slots = Json::array();
  for (Index slot = from; slot <= chosen_ && slots.size() < most; ++slot)
    slots.push_back({slot, accepted_.at(slot).ballot, accepted_.at(slot).batch});
  if (!slots.empty()) send(to, {{"t", "chosen"}, {"slots", slots}});
}

void Paxos::on_chosen(const Json& message) {
  for (const Json& one : message.at("slots")) {
    const Index slot = one.at(0);
    const Ballot ballot = one.at(1);
    if (slot != chosen_ + 1) continue;
    if (ballot > ballot_) follow(ballot);  // chosen under a later leader than us
    const auto known = accepted_.find(slot);
    if (known == accepted_.end() || known->second.ballot < ballot) accept(slot, ballot, one.at(2));
    ++chosen_;
  }
}

void Paxos::on_snapshot(const Json& message) {
  const Json& snapshot = message.at("s");
  const Index slot = snapshot.at("slot");
  if (slot <= chosen_) return;
  follow(seen_);
  snapshot_ = snapshot;
  base_ = chosen_ = handed_ = applied_ = slot;
  queue_.clear();
  overflow_.clear();
  machine_.load(snapshot.at("state"));
  take_snapshot();
}

// --- what is applied ------------------------------------------------------------------------

// As far as the queue is long: what is chosen can wait.
void Paxos::hand_over() {
  for (; handed_ < chosen_; ++handed_) {
    if (queue_.size() < queue_length) {
      queue_.push_back(handed_ + 1);
    } else if (bugs_.has("reorder-when-full")) {
      overflow_.push_back(handed_ + 1);  // for later, while what comes next overtakes it
    } else if (!bugs_.has("drop-when-full")) {
      return;
    }
  }
}

void Paxos::apply_some() {
  hand_over();
  for (std::size_t done = 0; done < most_applied && !(queue_.empty() && overflow_.empty());
       ++done) {
    std::deque<Index>& from = queue_.empty() ? overflow_ : queue_;
    const Index slot = from.front();
    from.pop_front();
    apply(slot);
  }
  if (queue_.empty() && overflow_.empty() && handed_ == chosen_) {
    applied_ = handed_;
    if (applied_ >= base_ + options_.snapshot_every) {
      snapshot_ = {{"slot", applied_}, {"state", machine_.save()}};
      base_ = applied_;
      take_snapshot();
    }
  } else if (!applies_later_) {
    applies_later_ = true;
    loop_.after(Milliseconds(2), [this] { applies_later_ = false; });  // the next turn
  }
}

void Paxos::apply(Index slot) {
  const auto waiting = waiting_.find(slot);
  const Json& batch = accepted_.at(slot).batch;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const Json answer = machine_.apply(slot, batch.at(i));
    if (waiting != waiting_.end() && i < waiting->second.size()) waiting->second[i](answer);
  }
  if (waiting != waiting_.end()) waiting_.erase(waiting);
}

// The snapshot as it is, and the log behind it.
void Paxos::take_snapshot() {
  accepted_.erase(accepted_.begin(), accepted_.upper_bound(base_));
  votes_.erase(votes_.begin(), votes_.upper_bound(base_));
  sent_.erase(sent_.begin(), sent_.upper_bound(base_));
  disk_.replace(file("snapshot"), snapshot_.dump());
  unwritten_ = Json{{"b", promised_}}.dump() + "\n";
  for (const auto& [slot, known] : accepted_)
    unwritten_ += Json{{"b", known.ballot}, {"s", slot}, {"v", known.batch}}.dump() + "\n";
  disk_.replace(file("log"), unwritten_);
  unwritten_.clear();
}

// --- messages -------------------------------------------------------------------------------

void Paxos::send(int to, Json message) {
  message["from"] = options_.id;
  message["shard"] = options_.shard;
  outbox_.emplace_back(to, std::move(message));
}

void Paxos::send_all(const Json& message) {
  for (const int peer : options_.peers) send(peer, message);
}

void Paxos::on_message(const Json& message) {
  const std::string type = message.at("t");
  if (type == "prepare") return on_prepare(message);
  if (type == "promise") return on_promise(message);
  if (type == "accept") return on_accept(message);
  if (type == "accepted") return on_accepted(message);
  if (type == "learn") return send_chosen(message.at("from"), message.at("from_slot"), most_told);
  if (type == "chosen") return on_chosen(message);
  if (type == "snapshot") return on_snapshot(message);
  if (type == "higher" && message.at("b") > ballot_) return follow(message.at("b"));
}

void Paxos::turn() {
  propose_batches();
  flush();
  for (const auto& [to, message] : outbox_) loop_.tell(to, message);
  outbox_.clear();
  count_votes();
  apply_some();
}

}  // namespace bestiary
