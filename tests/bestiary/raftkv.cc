// raftkv: registers, lists, sets, queues, locks, banks, transactions and watches on Raft. Correct
// by default; --bug=NAME makes it wrong in one way. Clients may speak to any node, which forwards
// to the leader and asks again when the leader changes: a session's numbers keep that from being
// done twice.

#include <algorithm>
#include <iostream>
#include <set>

#include "tests/bestiary/service.h"

namespace bestiary {
namespace {

constexpr std::size_t most_events = 1000;  // for watches; older ones are compacted
// A hold lasts so many turns of its leader's timer, 50 ms each: no clock that leaps shortens it.
constexpr int lock_turns = 100;

const std::vector<std::string> bugs = {"double-apply",    "write-skew", "dirty-read",
                                       "cas-lost-update", "lock-lease", "watch-skip"};

const std::set<std::string> reading = {"read", "members", "watch", "balances"};

class Store final : public Machine {
 public:
  explicit Store(const Bugs& chosen) : bugs_(chosen) {}

  Json apply(Index index, const Json& command) override {
    if (!command.contains("s")) return perform(index, command);  // our own
    const Json* known = sessions_.known(command);
    if (known != nullptr && !bugs_.has("double-apply")) return *known;
    const Json answer = perform(index, command);
    sessions_.remember(index, command, answer);
    return answer;
  }

  [[nodiscard]] Json look(const std::string& function, const std::string& key,
                          const Json& argument) const {
    if (function == "members") {
      const auto found = sets_.find(key);
      return ok(found == sets_.end() ? Json::array() : found->second);
    }
    if (function == "balances") {
      Json all = Json::array();
      const auto bank = banks_.find(key);
      if (bank == banks_.end()) return ok(all);
      for (const auto& [account, balance] : bank->second)
        all.push_back({Json::parse(account), balance});
      return ok(all);
    }
    if (function == "watch") {
      const Index after = argument.is_null() ? 0 : argument.get<Index>();
      if (compacted_ > after) return fail("compacted");
      Json seen = Json::array();
      for (const Event& event : events_)
        if (event.key == key && event.revision > after)
          seen.push_back({event.revision, event.value});
      return ok(seen);
    }
    const auto found = values_.find(key);
    return ok(found == values_.end() ? Json() : found->second);
  }

  // Lock key -> token of the hold.
  [[nodiscard]] const std::map<std::string, Index>& locks() const { return locks_; }

  [[nodiscard]] Json save() const override {
    Json events = Json::array();
    for (const Event& event : events_) events.push_back({event.revision, event.key, event.value});
    return {{"values", values_},       {"sets", sets_},
            {"queues", queues_},       {"locks", locks_},
            {"banks", banks_},         {"events", events},
            {"compacted", compacted_}, {"sessions", sessions_.save()}};
  }

  void load(const Json& state) override {
    state.at("values").get_to(values_);
    state.at("sets").get_to(sets_);
    state.at("queues").get_to(queues_);
    state.at("locks").get_to(locks_);
    state.at("banks").get_to(banks_);
    state.at("compacted").get_to(compacted_);
    events_.clear();
    for (const Json& event : state.at("events"))
      events_.push_back({event.at(0), event.at(1), event.at(2)});
    sessions_.load(state.value("sessions", Json::object()));
  }

 private:
  struct Event {
    Index revision;
    std::string key;
    Json value;
  };

  void put(Index index, const std::string& key, const Json& value) {
    values_[key] = value;
    events_.push_back({index, key, value});
    if (events_.size() <= most_events) return;
    compacted_ = events_.front().revision;
    events_.pop_front();
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
      // Not looked for first: that a session's request is done once is what keeps it single.
      sets_.try_emplace(key, Json::array()).first->second.push_back(argument);
      return ok();
    }
    if (function == "enqueue") {
      queues_[key].push_back(argument);
      return ok();
    }
    if (function == "dequeue") {
      std::deque<Json>& queue = queues_[key];
      if (queue.empty()) return ok();
      const Json first = queue.front();
      queue.pop_front();
      return ok(first);
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
    if (function == "transfer") return transfer(command);
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

  // [from, to, amount], if that much is there; from null: money that comes in.
  Json transfer(const Json& command) {
    std::map<std::string, std::int64_t>& bank = banks_[command.at("k").dump()];
    const Json& from = command.at("v").at(0);
    const std::int64_t amount = command.at("v").at(2);
    if (!from.is_null()) {
      const std::int64_t there = command.value("seen", bank[from.dump()]);
      if (there < amount) return fail("insufficient");
      bank[from.dump()] -= amount;
    }
    bank[command.at("v").at(1).dump()] += amount;
    return ok();
  }

  const Bugs& bugs_;
  std::map<std::string, Json> values_, sets_;
  std::map<std::string, std::map<std::string, std::int64_t>> banks_;  // balances of accounts
  std::map<std::string, std::deque<Json>> queues_;
  std::map<std::string, Index> locks_;
  Sessions sessions_;
  std::deque<Event> events_;
  Index compacted_ = 0;
};

class Node final : public Service {
 public:
  Node(const Values& values, const Bugs& chosen, Store& store)
      : Service(values, chosen, store), bugs_(chosen), store_(store) {}

 private:
  void serve(const Json& request, Done done) override {
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
    Json command = command_of(request);
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
    if (bugs_.has("write-skew") && function == "transfer" && !argument.at(0).is_null()) {
      command["seen"] = 0;
      const Json now = store_.look("balances", key, {}).at("value");
      for (const Json& one : now)
        if (one.at(0) == argument.at(0)) command["seen"] = one.at(1);
    }
    if (bugs_.has("write-skew") && function == "txn") {
      command["seen"] = Json::array();
      for (const Json& step : argument)
        command["seen"].push_back(store_.look("read", step.at(1).dump(), {}).at("value"));
    }
    raft_.propose(command, std::move(done));
  }

  // Where a watch goes on. With the bug, one that a leader does not know goes on at now.
  Json watched_from(const std::string& function, const std::string& session, const std::string& key,
                    const Json& argument) {
    if (function != "watch" || !bugs_.has("watch-skip")) return argument;
    const Index now = argument.is_null() ? 0 : raft_.commit();
    const Index since = watchers_.try_emplace(session + key, now).first->second;
    return argument.is_null() ? argument : Json(std::max<Index>(since, argument));
  }

  void elected() override {
    fresh_.clear();
    watchers_.clear();
    turns_left_.clear();
    elected_at_ = raft_.end();
  }

  void lead() override { expire_locks(); }

  // The leader counts from when it first sees a hold, so an election only makes holds longer.
  void expire_locks() {
    for (const auto& [key, token] : store_.locks()) {
      // With the bug, a hold that an earlier leader granted has no time left.
      const bool forgotten = bugs_.has("lock-lease") && token < elected_at_;
      int& left = turns_left_.try_emplace(token, forgotten ? 0 : lock_turns).first->second;
      if (--left > 0) continue;
      left = lock_turns;  // asked for
      raft_.propose({{"f", "release"}, {"k", Json::parse(key)}, {"v", token}}, {});
    }
    if (turns_left_.size() > 10000) turns_left_.clear();
  }

  const Bugs& bugs_;
  Store& store_;
  std::map<Index, int> turns_left_;  // of holds, by token
  Index elected_at_ = 0;
  std::map<std::string, Json> fresh_;      // bug: what was proposed and not yet committed
  std::map<std::string, Index> watchers_;  // bug: sessions that this leader knows, and since when
};

}  // namespace
}  // namespace bestiary

int main(int argc, char** argv) {
  const auto values = bestiary::parse(argc, argv, {});
  const bestiary::Bugs chosen(values.at("bug"), bestiary::bugs, bestiary::raft_bugs());
  bestiary::Store store(chosen);
  bestiary::Node(values, chosen, store).run();
}
