#include "tests/bestiary/raft.h"

#include <algorithm>

namespace bestiary {
namespace {

constexpr Milliseconds tick_every{20};
constexpr Milliseconds resend_after{250}, greet_every{300};
constexpr std::size_t most_entries = 200;  // in a message
constexpr const char* log_file = "log";
constexpr const char* vote_file = "vote";
constexpr const char* snapshot_file = "snapshot";

}  // namespace

const std::vector<std::string>& raft_bugs() {
  static const std::vector<std::string> names = {
      "stale-read",      "lease-margin",   "vote-not-persisted",     "ack-before-fsync",
      "commit-old-term", "snapshot-tail",  "snapshot-no-dedup",      "truncate-committed",
      "no-log-check",    "two-majorities", "read-index-no-heartbeat"};
  return names;
}

Raft::Raft(Loop& loop, const RaftOptions& options, const Bugs& bugs, Machine& machine)
    : loop_(loop), options_(options), bugs_(bugs), machine_(machine), disk_(options.folder) {
  for (const auto& [id, address] : options.members)
    if (id != options.id) loop.add_peer(id, address);
  load();
  rest();
  heard_leader_ =
      Clock::now();  // perhaps: what was promised to a leader before a crash still holds
  loop_.after(tick_every, [this] { tick(); });
}

// --- the disk -------------------------------------------------------------------------------

void Raft::load() {
  snapshot_ = disk_.document(snapshot_file);
  if (snapshot_.is_object()) {
    base_ = snapshot_.at("index");
    base_term_ = snapshot_.at("term");
    machine_.load(snapshot_.at("state"));
  }
  commit_ = applied_ = base_;
  std::string kept;
  for (const Json& line : disk_.lines(log_file)) {
    const Index index = line.at("i");
    if (index <= base_ || index > last() + 1) continue;
    log_.resize(index - base_ - 1);  // a line replaces those from its index on
    if (line.contains("c")) log_.push_back({line.at("t"), line.at("c")});
  }
  for (Index index = base_ + 1; index <= last(); ++index) write_line(index);
  disk_.replace(log_file, unwritten_);  // without a torn end
  unwritten_.clear();
  durable_ = last();
  // With the bug the term is forgotten with the vote, and begins at 0 again.
  if (!bugs_.has("vote-not-persisted")) term_ = term_at(last());
  const Json vote = disk_.document(vote_file);
  if (vote.is_object()) {
    term_ = vote.at("term");
    vote_ = vote.at("vote");
  }
}

void Raft::save_vote() {
  if (bugs_.has("vote-not-persisted")) return;
  disk_.replace(vote_file, Json{{"term", term_}, {"vote", vote_}}.dump());
}

void Raft::write_line(Index index) {
  const Entry& entry = log_[index - base_ - 1];
  unwritten_ += Json{{"i", index}, {"t", entry.term}, {"c", entry.command}}.dump() + "\n";
}

void Raft::flush() {
  if (unwritten_.empty()) return;
  disk_.append(log_file, unwritten_, !bugs_.has("ack-before-fsync"));
  unwritten_.clear();
  durable_ = last();
}

void Raft::append(Entry entry) {
  log_.push_back(std::move(entry));
  write_line(last());
}

void Raft::cut_after(Index index) {
  if (index >= last()) return;
  log_.resize(index - base_);
  unwritten_ += Json{{"i", index + 1}}.dump() + "\n";
  durable_ = std::min(durable_, index);
}

Index Raft::term_at(Index index) const {
  if (index == base_) return base_term_;
  if (index < base_ || index > last()) return 0;
  return log_[index - base_ - 1].term;
}

// --- elections ------------------------------------------------------------------------------

std::size_t Raft::majority() const {
  std::size_t all = options_.members.size();
  if (bugs_.has("two-majorities") && role_ == Role::leader) {
    // Members that are silent are removed, by a majority of those that are left.
    all = 1;
    for (const auto& [id, follower] : followers_)
      if (Clock::now() - follower.heard < Milliseconds(1000)) ++all;
  }
  return all / 2 + 1;
}

void Raft::rest() {
  const auto place = std::distance(options_.members.begin(), options_.members.find(options_.id));
  const auto jitter = static_cast<std::uint64_t>(options_.jitter.count());
  election_at_ = Clock::now() + options_.election + place * options_.stagger +
                 Milliseconds(random_() % (jitter + 1));
}

void Raft::tick() {
  loop_.after(tick_every, [this] { tick(); });
  if (role_ != Role::leader && Clock::now() >= election_at_) stand();
  if (role_ == Role::leader && Clock::now() >= beat_at_) wants_broadcast_ = true;
  // Connections between followers are kept warm, so that one that is cut is known to be.
  if (Clock::now() < greet_at_) return;
  greet_at_ = Clock::now() + greet_every;
  for (const auto& [id, address] : options_.members)
    if (id != options_.id) loop_.tell(id, {{"t", "hello"}});
}

void Raft::step_down(Index term) {
  if (term > term_) {
    term_ = term;
    vote_ = 0;
    leader_ = 0;
    save_vote();
  }
  if (role_ == Role::leader) {
    loop_.note("no longer leads: there is term " + std::to_string(term));
    rest();
  }
  role_ = Role::follower;
  waiting_.clear();
  readings_.clear();
}

void Raft::stand() {
  role_ = Role::candidate;
  leader_ = 0;
  ++term_;
  vote_ = options_.id;
  save_vote();
  loop_.note("stands for term " + std::to_string(term_));
  votes_.clear();
  votes_[options_.id] = true;
  rest();
  if (votes_.size() >= majority()) return become_leader();
  for (const auto& [id, address] : options_.members)
    if (id != options_.id)
      loop_.tell(id, {{"t", "vote"},
                      {"from", options_.id},
                      {"term", term_},
                      {"last", last()},
                      {"lastt", term_at(last())}});
}

void Raft::on_vote(const Json& message) {
  const Index term = message.at("term");
  const int from = message.at("from");
  // Whoever hears a leader elects no other: that is what leases rest on.
  const bool has_leader = Clock::now() - heard_leader_ < options_.election;
  if (role_ == Role::leader ? term <= term_ : has_leader) return;
  if (term > term_) step_down(term);
  const Index last_term = message.at("lastt");
  const bool is_current =
      last_term > term_at(last()) || (last_term == term_at(last()) && message.at("last") >= last());
  const bool grant = term == term_ && role_ == Role::follower && (vote_ == 0 || vote_ == from) &&
                     (is_current || bugs_.has("no-log-check"));
  if (grant) {
    vote_ = from;
    save_vote();
    rest();
  }
  loop_.tell(from, {{"t", "voted"}, {"from", options_.id}, {"term", term_}, {"yes", grant}});
}

void Raft::on_voted(const Json& message) {
  const Index term = message.at("term");
  if (term > term_) return step_down(term);
  if (role_ != Role::candidate || term < term_ || !message.at("yes").get<bool>()) return;
  votes_[message.at("from")] = true;
  if (votes_.size() >= majority()) become_leader();
}

void Raft::become_leader() {
  role_ = Role::leader;
  leader_ = options_.id;
  loop_.note("leads term " + std::to_string(term_) + " from entry " + std::to_string(last()));
  followers_.clear();
  for (const auto& [id, address] : options_.members) {
    if (id == options_.id) continue;
    followers_[id].next = last() + 1;
    followers_[id].heard = Clock::now();
  }
  round_sent_.clear();
  lease_until_ = {};
  // An entry of this term, since only those are committed by counting (figure 8).
  if (!bugs_.has("commit-old-term")) append({term_, Json()});
  wants_broadcast_ = true;
  if (elected) elected();
}

// --- replication ----------------------------------------------------------------------------

void Raft::propose(const Json& command, std::function<void(const Json&)> done) {
  if (role_ != Role::leader) return;
  append({term_, command});
  waiting_[last()] = {term_, std::move(done)};
  hurry();
}

void Raft::broadcast() {
  wants_broadcast_ = false;
  beat_at_ = Clock::now() + options_.heartbeat;
  round_sent_[++round_] = Clock::now();
  if (round_sent_.size() > 1000) round_sent_.erase(round_sent_.begin());
  for (auto& [id, follower] : followers_) send_entries(id, follower);
}

void Raft::send_entries(int peer, Follower& follower) {
  const bool in_flight = Clock::now() < follower.in_flight_until;
  const Index prev = in_flight && follower.match >= base_ ? follower.match : follower.next - 1;
  if (prev < base_) {
    if (in_flight) return;
    loop_.tell(peer, {{"t", "snap"}, {"from", options_.id}, {"term", term_}, {"s", snapshot_}});
    follower.in_flight_until = Clock::now() + resend_after;
    return;
  }
  Json entries = Json::array();
  for (Index i = prev + 1; !in_flight && i <= last() && entries.size() < most_entries; ++i)
    entries.push_back({term_at(i), log_[i - base_ - 1].command});
  if (!entries.empty()) follower.in_flight_until = Clock::now() + resend_after;
  loop_.tell(peer, {{"t", "app"},
                    {"from", options_.id},
                    {"term", term_},
                    {"prev", prev},
                    {"prevt", term_at(prev)},
                    {"ents", std::move(entries)},
                    {"commit", commit_},
                    {"r", round_}});
}

void Raft::on_append(const Json& message) {
  const Index term = message.at("term");
  const int from = message.at("from");
  Json reply = {{"t", "appd"}, {"from", options_.id}, {"r", message.at("r")}, {"match", 0}};
  if (term >= term_) {
    if (term > term_ || role_ != Role::follower) step_down(term);
    leader_ = from;
    heard_leader_ = Clock::now();
    rest();
    const Index prev = message.at("prev");
    const Json& entries = message.at("ents");
    // What the snapshot has is committed, and so the same.
    const bool fits = prev < base_ || (prev <= last() && term_at(prev) == message.at("prevt"));
    if (fits) {
      Index at = prev;
      for (const Json& entry : entries) {
        if (++at <= base_) continue;
        const Index entry_term = entry.at(0);
        if (at <= last() && term_at(at) == entry_term) continue;
        cut_after(at - 1);
        append({entry_term, entry.at(1)});
      }
      if (bugs_.has("truncate-committed")) cut_after(std::max(at, base_));
      commit_ = std::max(commit_, std::min(message.at("commit").get<Index>(), at));
      reply["match"] = at;
    } else {
      reply["hint"] = std::min(last(), prev == 0 ? 0 : prev - 1);
    }
  }
  reply["term"] = term_;
  replies_.emplace_back(from, std::move(reply));
}

void Raft::on_appended(const Json& message) {
  if (message.at("term") > term_) return step_down(message.at("term"));
  if (role_ != Role::leader || message.at("term") < term_) return;
  Follower& follower = followers_[message.at("from")];
  follower.heard = Clock::now();
  follower.round = std::max(follower.round, message.at("r").get<std::uint64_t>());
  if (message.contains("hint")) {
    follower.next = std::max(follower.match, message.at("hint").get<Index>()) + 1;
    follower.in_flight_until = {};
    return send_entries(message.at("from"), follower);
  }
  const Index match = message.at("match");
  if (match <= follower.match) return;
  follower.match = match;
  follower.next = match + 1;
  follower.in_flight_until = {};
  if (follower.next <= last()) hurry();
}

void Raft::advance_commit() {
  if (role_ != Role::leader) return;
  std::vector<Index> matches = {durable_};
  for (const auto& [id, follower] : followers_) matches.push_back(follower.match);
  std::sort(matches.rbegin(), matches.rend());
  const Index agreed = matches[std::min(majority(), matches.size()) - 1];
  if (agreed <= commit_) return;
  if (term_at(agreed) != term_ && !bugs_.has("commit-old-term")) return;
  commit_ = agreed;
  hurry();  // the others learn of it
}

void Raft::apply_committed() {
  for (; applied_ < std::min(commit_, last());) {
    ++applied_;
    const Entry& entry = log_[applied_ - base_ - 1];
    const Json answer = entry.command.is_null() ? Json() : machine_.apply(applied_, entry.command);
    const auto waiting = waiting_.find(applied_);
    if (waiting == waiting_.end()) continue;
    const bool same = waiting->second.term == entry.term;
    const auto done = std::move(waiting->second.done);
    waiting_.erase(waiting);
    if (same && done) done(answer);
  }
  if (applied_ - base_ >= options_.snapshot_every) take_snapshot();
}

// --- reads ----------------------------------------------------------------------------------

void Raft::read(std::function<void()> ready) {
  if (role_ != Role::leader) return;
  if (bugs_.has("stale-read")) return ready();  // it was leader a moment ago
  const bool knows_commit = term_at(commit_) == term_ || bugs_.has("commit-old-term");
  if (knows_commit && bugs_.has("read-index-no-heartbeat") && applied_ >= commit_) return ready();
  if (knows_commit && options_.lease_reads && Clock::now() < lease_until_ && applied_ >= commit_)
    return ready();
  readings_.push_back({round_ + 1, commit_, std::move(ready)});
  hurry();
}

// Reads are served once a majority has acknowledged a round that was sent after they came in.
void Raft::serve_reads() {
  if (role_ != Role::leader) return;
  std::vector<std::uint64_t> rounds = {round_};
  for (const auto& [id, follower] : followers_) rounds.push_back(follower.round);
  std::sort(rounds.rbegin(), rounds.rend());
  const std::uint64_t agreed = rounds[std::min(majority(), rounds.size()) - 1];
  const auto sent = round_sent_.find(agreed);
  if (sent != round_sent_.end()) {
    // Nobody who acknowledged that round elects another leader before this is over.
    const auto lease = sent->second + options_.election - options_.lease_margin;
    lease_until_ = std::max(lease_until_, lease);
    if (bugs_.has("lease-margin"))
      lease_until_ = std::max(lease_until_, sent->second + 5 * options_.election);
  }
  if (term_at(commit_) != term_ && !bugs_.has("commit-old-term")) return;
  while (!readings_.empty() && readings_.front().round <= agreed) {
    // A read that came before this term's first commit waits for what that makes visible.
    if (applied_ < std::max(readings_.front().index, commit_)) return;
    const auto ready = std::move(readings_.front().ready);
    readings_.pop_front();
    ready();
  }
}

// --- snapshots ------------------------------------------------------------------------------

void Raft::take_snapshot() {
  if (snapshotting_) return;
  if (!bugs_.has("snapshot-tail"))
    return store_snapshot(applied_, term_at(applied_), machine_.save());
  // Written in the background, and labelled with what is applied once that is done.
  snapshotting_ = true;
  loop_.after(Milliseconds(60), [this, state = machine_.save()] {
    snapshotting_ = false;
    if (applied_ > base_) store_snapshot(applied_, term_at(applied_), state);
  });
}

void Raft::store_snapshot(Index index, Index term, const Json& state) {
  snapshot_ = {{"index", index}, {"term", term}, {"state", state}};
  if (bugs_.has("snapshot-no-dedup")) snapshot_["state"].erase("sessions");
  disk_.replace(snapshot_file, snapshot_.dump());
  const bool continues = index <= last() && term_at(index) == term;
  if (continues) {
    log_.erase(log_.begin(), log_.begin() + static_cast<std::ptrdiff_t>(index - base_));
  } else {
    log_.clear();
  }
  base_ = index;
  base_term_ = term;
  unwritten_.clear();
  for (Index i = base_ + 1; i <= last(); ++i) write_line(i);
  disk_.replace(log_file, unwritten_);
  unwritten_.clear();
  durable_ = last();
}

void Raft::on_snapshot(const Json& message) {
  const Index term = message.at("term");
  if (term < term_) return;
  if (term > term_ || role_ != Role::follower) step_down(term);
  leader_ = message.at("from");
  heard_leader_ = Clock::now();
  rest();
  const Json& snapshot = message.at("s");
  const Index index = snapshot.at("index");
  if (index > applied_) {
    store_snapshot(index, snapshot.at("term"), snapshot.at("state"));
    machine_.load(snapshot.at("state"));
    commit_ = std::max(commit_, index);
    applied_ = index;
  }
  replies_.emplace_back(
      leader_,
      Json{{"t", "appd"}, {"from", options_.id}, {"term", term_}, {"r", 0}, {"match", index}});
}

// --- the turn -------------------------------------------------------------------------------

void Raft::on_message(const Json& message) {
  const std::string type = message.at("t");
  if (type == "vote") return on_vote(message);
  if (type == "voted") return on_voted(message);
  if (type == "app") return on_append(message);
  if (type == "appd") return on_appended(message);
  if (type == "snap") return on_snapshot(message);
}

void Raft::turn() {
  flush();
  for (const auto& [to, reply] : replies_) loop_.tell(to, reply);
  replies_.clear();
  advance_commit();
  apply_committed();
  serve_reads();
  if (role_ == Role::leader && wants_broadcast_) broadcast();
}

}  // namespace bestiary
