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
  Node(const Values& values, const Bugs& bugs)
      : shards_(std::stoul(values.at("shards"))),
        groups_(groups(values, bugs)),
        desk_(loop_, values, ways()) {
    loop_.each_turn([this] {
      for (const auto& group : groups_) group->turn();
    });
  }

  [[noreturn]] void run() { loop_.run(); }

 private:
  using Groups = std::vector<std::unique_ptr<Paxos>>;

  [[nodiscard]] Groups groups(const Values& values, const Bugs& bugs) {
    PaxosOptions options;
    options.id = std::stoi(values.at("id"));
    options.folder = values.at("data");
    options.snapshot_every = std::stoull(values.at("snapshot"));
    options.heartbeat = Milliseconds(std::stoi(values.at("heartbeat")));
    options.election = Milliseconds(std::stoi(values.at("election")));
    options.stagger = Milliseconds(std::stoi(values.at("stagger")));
    options.jitter = Milliseconds(std::stoi(values.at("jitter")));
    for (const auto& [peer, address] : members(values.at("peers"))) {
      if (peer == options.id) continue;
      loop_.add_peer(peer, address);
      options.peers.push_back(peer);
    }
    Groups made;
    for (Shard& shard : shards_) {
      made.push_back(std::make_unique<Paxos>(loop_, options, bugs, shard));
      ++options.shard;
    }
    return made;
  }

  [[nodiscard]] Desk::Ways ways() {
    Desk::Ways ways;
    ways.leader = [this](const Json& request) { return group_of(request).leader(); };
    ways.serve = [this](const Json& request, Done done) {
      group_of(request).propose(command_of(request), std::move(done));
    };
    ways.other_message = [this](const Json& message) {
      groups_.at(message.at("shard"))->on_message(message);
    };
    ways.status = [this] { return status(); };
    return ways;
  }

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

  Loop loop_;
  std::vector<Shard> shards_;
  Groups groups_;  // one a shard
  Desk desk_;
};

}  // namespace
}  // namespace bestiary

int main(int argc, char** argv) {
  const auto values = bestiary::parse(argc, argv, {{"shards", "3"}});
  const bestiary::Bugs bugs(values.at("bug"), bestiary::paxos_bugs(), {});
  bestiary::Node(values, bugs).run();
}
