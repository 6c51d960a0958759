// raftkv: registers, lists, sets, locks, transactions and watches on Raft. Correct by default;
// --bug=NAME makes it wrong in one way. Clients may speak to any node, which forwards to the leader
// and asks again when the leader changes: a session's numbers keep that from being done twice.
//
//   request  {"id":1,"s":SESSION,"q":NUMBER,"f":"cas","k":KEY,"v":[1,2],"timeout_ms":900}
//   answer   {"id":1,"ok":true,"value":...} or {"id":1,"fail":"cas-mismatch"}

#include <algorithm>
#include <iostream>
#include <set>

#include "tests/bestiary/raft.h"

namespace bestiary {
namespace {

constexpr std::size_t most_events = 1000, most_sessions = 500;
constexpr Milliseconds lock_ttl{5000};

const std::vector<std::string> bugs = {
    "stale-read",         "lease-margin", "vote-not-persisted",      "ack-before-fsync",
    "commit-old-term",    "double-apply", "snapshot-tail",           "snapshot-no-dedup",
    "truncate-committed", "no-log-check", "read-index-no-heartbeat", "two-majorities",
    "write-skew",         "dirty-read",   "cas-lost-update",         "lock-lease",
    "watch-skip"};

const std::set<std::string> reading = {"read", "members", "watch"};

Json ok(const Json& value = nullptr) { return {{"ok", true}, {"value", value}}; }
Json fail(const char* code) { return {{"fail", code}}; }

class Store final : public Machine {
 public:
  explicit Store(const Bugs& chosen) : bugs_(chosen) {}

  Json apply(Index index, const Json& command) override {
    if (!command.contains("s")) return perform(index, command);  // our own
    const std::string& session = command.at("s").get_ref<const std::string&>();
    const std::uint64_t number = command.at("q");
    const auto known = sessions_.find(session);
    if (known != sessions_.end() && number <= known->second.number && !bugs_.has("double-apply"))
      return number == known->second.number ? known->second.answer : Json();
    const Json answer = perform(index, command);
    sessions_[session] = {number, index, answer};
    forget_sessions();
    return answer;
  }

  [[nodiscard]] Json look(const std::string& function, const std::string& key,
                          const Json& argument) const {
    if (function == "members") {
      const auto found = sets_.find(key);
      return ok(found == sets_.end() ? Json::array() : found->second);
    }
    if (function == "watch") {
      Json seen = Json::array();
      for (const Event& event : events_)
        if (event.key == key && event.revision > argument)
          seen.push_back({event.revision, event.value});
      return ok(seen);
    }
    const auto found = values_.find(key);
    return ok(found == values_.end() ? Json() : found->second);
  }

  // Lock key -> token of the hold.
  [[nodiscard]] const std::map<std::string, Index>& locks() const { return locks_; }

  [[nodiscard]] Json save() const override {
    Json sessions = Json::object(), events = Json::array();
    for (const auto& [name, session] : sessions_)
      sessions[name] = {session.number, session.at, session.answer};
    for (const Event& event : events_) events.push_back({event.revision, event.key, event.value});
    return {{"values", values_},
            {"sets", sets_},
            {"locks", locks_},
            {"events", events},
            {"sessions", sessions}};
  }

  void load(const Json& state) override {
    state.at("values").get_to(values_);
    state.at("sets").get_to(sets_);
    state.at("locks").get_to(locks_);
    events_.clear();
    for (const Json& event : state.at("events"))
      events_.push_back({event.at(0), event.at(1), event.at(2)});
    sessions_.clear();
    const Json sessions = state.value("sessions", Json::object());
    for (const auto& [name, session] : sessions.items())
      sessions_[name] = {session.at(0), session.at(1), session.at(2)};
  }

 private:
  struct Session {
    std::uint64_t number;
    Index at;
    Json answer;
  };
  struct Event {
    Index revision;
    std::string key;
    Json value;
  };

  void put(Index index, const std::string& key, const Json& value) {
    values_[key] = value;
    events_.push_back({index, key, value});
    if (events_.size() > most_events) events_.pop_front();
  }

  Json perform(Index index, const Json& command) {
    const std::string& function = command.at("f").get_ref<const std::string&>();
    const std::string key = command.at("k").dump();
    const Json& argument = command.at("v");
    if (function == "write") {
      put(index, key, argument);
      return ok();
    }
    if (function == "cas") {
      if (values_[key] != argument.at(0)) return fail("cas-mismatch");
      put(index, key, argument.at(1));
      return ok();
    }
    if (function == "append") {
      if (!values_[key].is_array()) values_[key] = Json::array();
      values_[key].push_back(argument);
      return ok();
    }
    if (function == "add") {
      Json& members = sets_.try_emplace(key, Json::array()).first->second;
      if (std::find(members.begin(), members.end(), argument) == members.end() ||
          bugs_.has("double-apply"))
        members.push_back(argument);
      return ok();
    }
    if (function == "acquire") {
      if (locks_.count(key) != 0) return fail("lock-held");
      locks_[key] = index;
      return ok(index);
    }
    if (function == "release") {
      const auto held = locks_.find(key);
      if (held == locks_.end() || held->second != argument) return fail("not-held");
      locks_.erase(held);
      return ok();
    }
    if (function == "txn") return transact(index, command);
    return fail("unsupported");
  }

  Json transact(Index index, const Json& command) {
    Json results = Json::array();
    for (std::size_t i = 0; i < command.at("v").size(); ++i) {
      Json step = command.at("v").at(i);
      const std::string key = step.at(1).dump();
      if (step.at(0) == "write") put(index, key, step.at(2));
      if (step.at(0) == "append") {
        if (!values_[key].is_array()) values_[key] = Json::array();
        values_[key].push_back(step.at(2));
      }
      // What the leader read before the command was replicated.
      if (step.at(0) == "read")
        step[2] = command.contains("seen") ? command.at("seen").at(i) : values_[key];
      results.push_back(std::move(step));
    }
    return ok(results);
  }

  void forget_sessions() {
    if (sessions_.size() <= most_sessions) return;
    const auto oldest =
        std::min_element(sessions_.begin(), sessions_.end(),
                         [](const auto& a, const auto& b) { return a.second.at < b.second.at; });
    sessions_.erase(oldest);
  }

  const Bugs& bugs_;
  std::map<std::string, Json> values_, sets_;
  std::map<std::string, Index> locks_;
  std::map<std::string, Session> sessions_;
  std::deque<Event> events_;
};

class Node {
 public:
  Node(const std::map<std::string, std::string>& values, const RaftOptions& options)
      : bugs_(values.at("bug"), bugs),
        id_(options.id),
        store_(bugs_),
        raft_(loop_, options, bugs_, store_) {
    const auto port = [&](const char* name) {
      return static_cast<std::uint16_t>(std::stoi(values.at(name)));
    };
    loop_.listen(port("port"), [this](Connection from, const Json& m) { on_client(from, m); });
    loop_.listen(port("peer_port"), [this](Connection, const Json& m) { on_peer(m); });
    loop_.serve_status(port("status_port"), [this] {
      return Json{{"leader", raft_.leader()},
                  {"term", raft_.term()},
                  {"commit", raft_.commit()},
                  {"version", "1"}};
    });
    loop_.each_turn([this] { raft_.turn(); });
    raft_.elected = [this] { elected(); };
    tick();
  }

  [[noreturn]] void run() { loop_.run(); }

 private:
  struct Pending {
    Connection client;
    Json request;
    Clock::time_point give_up{}, ask_again{};
    int asked = 0;  // the leader that it was sent to
  };

  void on_client(Connection from, const Json& request) {
    Pending pending;
    pending.client = from;
    pending.request = request;
    pending.give_up = Clock::now() + Milliseconds(request.value("timeout_ms", 1000));
    const std::uint64_t ticket = ++tickets_;
    pending_[ticket] = std::move(pending);
    ask(ticket);
  }

  // To the leader, if one is known; tick() asks again.
  void ask(std::uint64_t ticket) {
    Pending& pending = pending_.at(ticket);
    pending.asked = raft_.leader();
    pending.ask_again = Clock::now() + Milliseconds(300);
    if (pending.asked == 0) return;
    if (pending.asked == id_) {
      const Json request = pending.request;
      return serve(request, [this, ticket](const Json& answer) { on_answer(ticket, answer); });
    }
    loop_.tell(pending.asked, {{"t", "ask"}, {"from", id_}, {"n", ticket}, {"r", pending.request}});
  }

  void on_answer(std::uint64_t ticket, const Json& answer) {
    const auto found = pending_.find(ticket);
    if (found == pending_.end() || !answer.is_object()) return;
    Json reply = answer;
    reply["id"] = found->second.request.at("id");
    loop_.answer(found->second.client, reply);
    pending_.erase(found);
  }

  void on_peer(const Json& message) {
    const std::string type = message.at("t");
    if (type == "answer") return on_answer(message.at("n"), message.at("a"));
    if (type != "ask") return raft_.on_message(message);
    const int from = message.at("from");
    const Json ticket = message.at("n");
    serve(message.at("r"), [this, from, ticket](const Json& answer) {
      loop_.tell(from, {{"t", "answer"}, {"n", ticket}, {"a", answer}});
    });
  }

  // As the leader; otherwise nothing, and whoever asked asks again.
  void serve(const Json& request, std::function<void(const Json&)> done) {
    if (!raft_.leads()) return;
    const std::string function = request.at("f");
    const std::string key = request.at("k").dump();
    const Json argument = request.at("v");
    if (reading.count(function) != 0) {
      if (bugs_.has("dirty-read") && function == "read" && fresh_.count(key) != 0)
        return done(ok(fresh_.at(key)));
      return raft_.read([this, function, key, argument, done = std::move(done),
                         session = request.at("s").get<std::string>()] {
        done(store_.look(function, key, watched_from(function, session, key, argument)));
      });
    }
    Json command = {{"s", request.at("s")},
                    {"q", request.at("q")},
                    {"f", function},
                    {"k", request.at("k")},
                    {"v", argument}};
    if (bugs_.has("dirty-read") && function == "write") {
      fresh_[key] = argument;
      done = [this, key, argument, done = std::move(done)](const Json& answer) {
        if (fresh_[key] == argument) fresh_.erase(key);
        done(answer);
      };
    }
    if (bugs_.has("cas-lost-update") && function == "cas") {
      if (store_.look("read", key, {}).at("value") != argument.at(0))
        return done(fail("cas-mismatch"));
      command["f"] = "write";
      command["v"] = argument.at(1);
    }
    if (bugs_.has("write-skew") && function == "txn") {
      command["seen"] = Json::array();
      for (const Json& step : argument)
        command["seen"].push_back(store_.look("read", step.at(1).dump(), {}).at("value"));
    }
    raft_.propose(command, std::move(done));
  }

  // Where a watch goes on. With the bug, a leader that does not know the session begins at now.
  Json watched_from(const std::string& function, const std::string& session, const std::string& key,
                    const Json& argument) {
    if (function != "watch" || !bugs_.has("watch-skip")) return argument;
    const bool known = !watchers_.insert(session + key).second;
    return known ? argument : Json(raft_.commit());
  }

  void elected() {
    fresh_.clear();
    watchers_.clear();
    expiry_.clear();
    elected_at_ = raft_.end();
  }

  void tick() {
    loop_.after(Milliseconds(50), [this] { tick(); });
    const auto now = Clock::now();
    for (auto next = pending_.begin(); next != pending_.end();) {
      const auto at = next++;
      if (now >= at->second.give_up) {
        pending_.erase(at);
      } else if (now >= at->second.ask_again || raft_.leader() != at->second.asked) {
        ask(at->first);
      }
    }
    if (raft_.leads()) expire_locks(now);
  }

  // The leader's clock begins when it first sees a hold, so an election only makes holds longer.
  void expire_locks(Clock::time_point now) {
    for (const auto& [key, token] : store_.locks()) {
      // With the bug, a hold that an earlier leader granted has no time left.
      const auto ttl = bugs_.has("lock-lease") && token < elected_at_ ? Milliseconds(0) : lock_ttl;
      const auto expires = expiry_.try_emplace(token, now + ttl).first->second;
      if (now < expires) continue;
      expiry_[token] = now + lock_ttl;  // asked for
      raft_.propose({{"f", "release"}, {"k", Json::parse(key)}, {"v", token}}, {});
    }
    if (expiry_.size() > 10000) expiry_.clear();
  }

  Loop loop_;
  const Bugs bugs_;
  const int id_;
  Store store_;
  Raft raft_;
  std::uint64_t tickets_ = 0;
  std::map<std::uint64_t, Pending> pending_;
  std::map<Index, Clock::time_point> expiry_;  // of holds, by token
  Index elected_at_ = 0;
  std::map<std::string, Json> fresh_;  // bug: what was proposed and not yet committed
  std::set<std::string> watchers_;     // bug: sessions that this leader knows
};

}  // namespace
}  // namespace bestiary

int main(int argc, char** argv) {
  const auto values = bestiary::arguments(argc, argv,
                                          {{"id", "1"},
                                           {"peers", "1=127.0.0.1:7001"},
                                           {"data", "data"},
                                           {"port", "7000"},
                                           {"peer_port", "7001"},
                                           {"status_port", "7002"},
                                           {"bug", "none"},
                                           {"reads", "index"},
                                           {"snapshot", "500"}});
  bestiary::RaftOptions options;
  options.id = std::stoi(values.at("id"));
  options.members = bestiary::members(values.at("peers"));
  options.folder = values.at("data");
  options.lease_reads = values.at("reads") == "lease";
  options.snapshot_every = std::stoull(values.at("snapshot"));
  bestiary::Node(values, options).run();
}
