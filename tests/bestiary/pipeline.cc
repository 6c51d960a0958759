// pipeline: an event pipeline on Raft. Producers send events to partitions; one group of consumers
// polls what comes after the last acknowledged offset and acknowledges it once it is processed: at
// least once, in order within a partition. Correct by default; --bug=NAME makes it wrong in one
// way.

#include "tests/bestiary/service.h"

namespace bestiary {
namespace {

const std::vector<std::string> bugs = {"acked-event-lost", "ack-before-processing",
                                       "pending-dropped", "order-broken"};

// The events of a partition that are not acknowledged, and the offset of the first of them.
struct Partition {
  Index first = 1;
  std::deque<Json> events;
  [[nodiscard]] Index end() const { return first + events.size(); }
};

class Pipeline final : public Machine {
 public:
  explicit Pipeline(const Bugs& chosen) : bugs_(chosen) {}

  Json apply(Index index, const Json& command) override {
    if (!command.contains("s")) return acknowledge(command);  // our own
    if (const Json* known = sessions_.known(command)) return *known;
    Json answer = fail("unsupported");
    if (command.at("f") == "ack") answer = acknowledge(command);
    if (command.at("f") == "send") {
      partitions_[command.at("k").dump()].events.push_back(command.at("v"));
      answer = ok();
    }
    sessions_.remember(index, command, answer);
    return answer;
  }

  // Up to `most` events (null: all) from offset `from` on, but none that is acknowledged.
  [[nodiscard]] Json after(const std::string& key, Index from, const Json& most) const {
    Json found = Json::array();
    const auto at = partitions_.find(key);
    if (at == partitions_.end()) return found;
    const Partition& partition = at->second;
    for (Index i = std::max(from, partition.first); i < partition.end(); ++i) {
      if (!most.is_null() && found.size() >= most.get<std::size_t>()) break;
      found.push_back({i, partition.events[i - partition.first]});
    }
    return found;
  }
  [[nodiscard]] const std::map<std::string, Partition>& partitions() const { return partitions_; }

  [[nodiscard]] Json save() const override {
    Json all = Json::object();
    for (const auto& [key, partition] : partitions_) {
      if (bugs_.has("order-broken")) {
        // Events by their text, as if that kept their order.
        std::map<std::string, Json> by_text;
        for (const Json& event : partition.events) by_text[event.dump()] = event;
        Json sorted = Json::array();
        for (const auto& [text, event] : by_text) sorted.push_back(event);
        all[key] = {partition.first, sorted};
      } else {
        all[key] = {partition.first, partition.events};
      }
    }
    return {{"partitions", all}, {"sessions", sessions_.save()}};
  }

  void load(const Json& state) override {
    partitions_.clear();
    for (const auto& [key, saved] : state.at("partitions").items())
      partitions_[key] = {saved.at(0), saved.at(1).get<std::deque<Json>>()};
    sessions_.load(state.value("sessions", Json::object()));
  }

 private:
  Json acknowledge(const Json& command) {
    Partition& partition = partitions_[command.at("k").dump()];
    const Index offset = command.at("v");
    while (partition.first <= offset && !partition.events.empty()) {
      partition.events.pop_front();
      ++partition.first;
    }
    return ok();
  }

  const Bugs& bugs_;
  std::map<std::string, Partition> partitions_;
  Sessions sessions_;
};

class Node final : public Service {
 public:
  Node(const Values& values, const Bugs& chosen, Pipeline& pipeline)
      : Service(values, chosen, pipeline), bugs_(chosen), pipeline_(pipeline) {}

 private:
  void serve(const Json& request, Done done) override {
    if (request.at("f") != "poll") {
      if (bugs_.has("acked-event-lost") && request.at("f") == "send") {
        raft_.propose(command_of(request), {});
        return done(ok());  // it is in the leader's log, after all
      }
      return raft_.propose(command_of(request), std::move(done));
    }
    const Json key = request.at("k"), most = request.at("v");
    raft_.read([this, key, most, done = std::move(done)] {
      const auto dropped = dropped_.find(key.dump());
      const Json found =
          pipeline_.after(key.dump(), dropped == dropped_.end() ? 1 : dropped->second, most);
      if (bugs_.has("ack-before-processing") && !found.empty())
        raft_.propose({{"f", "ack"}, {"k", key}, {"v", found.back().at(0)}}, {});
      done(ok(found));
    });
  }

  void elected() override {
    if (!bugs_.has("pending-dropped")) return;
    // What the last leader had handed out is taken to be processed.
    dropped_.clear();
    for (const auto& [key, partition] : pipeline_.partitions()) dropped_[key] = partition.end();
  }

  const Bugs& bugs_;
  Pipeline& pipeline_;
  std::map<std::string, Index> dropped_;  // bug: where polls begin
};

}  // namespace
}  // namespace bestiary

int main(int argc, char** argv) {
  const auto values = bestiary::parse(argc, argv, {});
  const bestiary::Bugs chosen(values.at("bug"), bestiary::bugs, bestiary::raft_bugs());
  bestiary::Pipeline pipeline(chosen);
  bestiary::Node(values, chosen, pipeline).run();
}
