// paxos-shards: registers and sets on several shards, each a machine of its own on multi-Paxos, led
// by a node of its own. Keys are routed to shards; clients may speak to any node. Correct by
// default; --bug=NAME makes it wrong in one way (paxos.cc).

#include <algorithm>

#include "tests/bestiary/paxos.h"

namespace bestiary {
namespace {

// What a shard keeps.
class Shard final : public Machine {
 public:
  Json apply(Index index, const Json& command) override {
    if (const Json* known = sessions_.known(command)) return *known;
    const Json answer = perform(command);
    sessions_.remember(index, command, answer);
    return answer;
  }
  [[nodiscard]] Json save() const override {
    return {{"values", values_}, {"sets", sets_}, {"sessions", sessions_.save()}};
  }
  void load(const Json& state) override {
    values_ = state.at("values").get<std::map<std::string, Json>>();
    sets_ = state.at("sets").get<std::map<std::string, Json>>();
    sessions_.load(state.at("sessions"));
  }

 private:
  // Reads, too, go through the log: what they see is what was chosen before them.
  Json perform(const Json& command) {
    const std::string& function = command.at("f").get_ref<const std::string&>();
    const std::string key = command.at("k").dump();
    const Json& argument = command.at("v");
    if (function == "read") {
      const auto found = values_.find(key);
      return ok(found == values_.end() ? Json() : found->second);
    }
    if (function == "write") {
      values_[key] = argument;
      return ok();
    }
    if (function == "cas") {
      Json& value = values_[key];
      if (value != argument.at(0)) return fail("cas-mismatch");
      value = argument.at(1);
      return ok();
    }
    if (function == "add") {
      sets_.try_emplace(key, Json::array()).first->second.push_back(argument);
      return ok();
    }
    if (function == "members") {
      const auto found = sets_.find(key);
      return ok(found == sets_.end() ? Json::array() : found->second);
    }
    return fail("unsupported");
  }

  std::map<std::string, Json> values_, sets_;
  Sessions sessions_;
};

class Node {
 public:
  Node(const std::map<std::string, std::string>& values, const Bugs& bugs)
      : id_(std::stoi(values.at("id"))), shards_(std::stoul(values.at("shards"))) {
    PaxosOptions options;
    options.id = id_;
    options.folder = values.at("data");
    options.snapshot_every = std::stoull(values.at("snapshot"));
    for (const auto& [peer, address] : members(values.at("peers"))) {
      if (peer == id_) continue;
      loop_.add_peer(peer, address);
      options.peers.push_back(peer);
    }
    for (Shard& shard : shards_) {
      groups_.push_back(std::make_unique<Paxos>(loop_, options, bugs, shard));
      ++options.shard;
    }
    const auto port = [&](const char* name) {
      return static_cast<std::uint16_t>(std::stoi(values.at(name)));
    };
    loop_.listen(port("port"), [this](Connection from, const Json& m) { on_client(from, m); });
    loop_.listen(port("peer_port"), [this](Connection, const Json& m) { on_peer(m); });
    loop_.serve_status(port("status_port"), [this] { return status(); });
    loop_.each_turn([this] {
      for (const auto& group : groups_) group->turn();
    });
    tick();
  }

  [[noreturn]] void run() { loop_.run(); }

 private:
  struct Pending {
    Connection client = 0;
    Json request;
    Clock::time_point give_up{}, ask_again{};
    int asked = 0;  // the leader that it was sent to
  };

  // Of its first shard, as that of the whole.
  [[nodiscard]] Json status() const {
    Index chosen = 0;
    for (const auto& group : groups_) chosen += group->chosen();
    return {{"leader", groups_.front()->leader()},
            {"term", groups_.front()->round()},
            {"commit", chosen},
            {"version", "1"}};
  }

  [[nodiscard]] Paxos& group_of(const Json& request) {
    std::uint64_t hash = 14695981039346656037U;  // FNV-1a: the same on every node
    for (const char c : request.at("k").dump())
      hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
    return *groups_[hash % groups_.size()];
  }

  void on_client(Connection from, const Json& request) {
    const std::uint64_t ticket = ++tickets_;
    pending_[ticket] = {
        from, request, Clock::now() + Milliseconds(request.value("timeout_ms", 1000)), {}, 0};
    ask(ticket);
  }

  void ask(std::uint64_t ticket) {
    Pending& pending = pending_.at(ticket);
    pending.asked = group_of(pending.request).leader();
    pending.ask_again = Clock::now() + Milliseconds(300);
    if (pending.asked == 0) return;
    if (pending.asked != id_)
      return loop_.tell(pending.asked,
                        {{"t", "ask"}, {"from", id_}, {"n", ticket}, {"r", pending.request}});
    propose(pending.request, [this, ticket](const Json& answer) { on_answer(ticket, answer); });
  }

  void propose(const Json& request, Done done) {
    group_of(request).propose({{"s", request.at("s")},
                               {"q", request.at("q")},
                               {"f", request.at("f")},
                               {"k", request.at("k")},
                               {"v", request.at("v")}},
                              std::move(done));
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
    if (type != "ask") return groups_.at(message.at("shard"))->on_message(message);
    const int from = message.at("from");
    const Json ticket = message.at("n");
    propose(message.at("r"), [this, from, ticket](const Json& answer) {
      loop_.tell(from, {{"t", "answer"}, {"n", ticket}, {"a", answer}});
    });
  }

  void tick() {
    loop_.after(Milliseconds(50), [this] { tick(); });
    const auto now = Clock::now();
    std::vector<std::uint64_t> again;
    for (auto next = pending_.begin(); next != pending_.end();) {
      const auto at = next++;
      if (now >= at->second.give_up) {
        pending_.erase(at);
      } else if (now >= at->second.ask_again ||
                 group_of(at->second.request).leader() != at->second.asked) {
        again.push_back(at->first);
      }
    }
    for (const std::uint64_t ticket : again)
      if (pending_.count(ticket) != 0) ask(ticket);
  }

  const int id_;
  Loop loop_;
  std::vector<Shard> shards_;
  std::vector<std::unique_ptr<Paxos>> groups_;  // one a shard
  // From a random number on: answers to what it asked before a restart are not ours.
  std::uint64_t tickets_ = std::random_device{}();
  std::map<std::uint64_t, Pending> pending_;
};

}  // namespace
}  // namespace bestiary

int main(int argc, char** argv) {
  const auto values = bestiary::Service::parse(argc, argv, {{"shards", "3"}});
  const bestiary::Bugs bugs(values.at("bug"), bestiary::paxos_bugs(), {});
  bestiary::Node(values, bugs).run();
}
