// saga: orders that take several steps, each with a compensation, driven by a coordinator (the Raft
// leader) over a replicated book. A step whose name begins with ! fails: what was done before is
// undone, last first. Whoever leads next goes on where the last coordinator died. Correct by
// default; --bug=NAME makes it wrong in one way.

#include <algorithm>
#include <set>

#include "tests/bestiary/service.h"

namespace bestiary {
namespace {

const std::vector<std::string> bugs = {"compensation-skipped", "compensated-twice",
                                       "compensation-order", "half-visible"};

enum Status { running, undoing, committed, compensated };

struct Saga {
  std::vector<std::string> steps;
  std::size_t done = 0;           // steps 0..done-1 were done
  std::vector<std::size_t> left;  // of those, the ones to undo, next last
  Status status = running;
  Json ledger = Json::array();  // [id, place, deed]
  [[nodiscard]] bool over() const { return status == committed || status == compensated; }
};

class Book final : public Machine {
 public:
  explicit Book(const Bugs& chosen) : bugs_(chosen) {}

  // begin {k, v: steps}, do {k, n}, undo {k, n}, close {k}. Each says what it expects to find, so a
  // coordinator that was deposed and does not know it changes nothing.
  Json apply(Index, const Json& command) override {
    const std::string key = command.at("k").dump();
    const std::string deed = command.at("f");
    if (deed == "saga") {
      if (sagas_.count(key) == 0)
        sagas_[key].steps = command.at("v").get<std::vector<std::string>>();
      return Json();
    }
    Saga& saga = sagas_.at(key);
    const auto note = [&](const std::string& place, const char* what) {
      saga.ledger.push_back({command.at("k"), place, what});
    };
    if (deed == "do" && saga.status == running && command.at("n") == saga.done) {
      if (saga.steps[saga.done].front() == '!') {
        saga.status = undoing;
        for (std::size_t i = 0; i < saga.done; ++i) saga.left.push_back(i);
        if (bugs_.has("half-visible")) note("-", "compensated");
      } else {
        note(saga.steps[saga.done++], "do");
        if (saga.done == saga.steps.size()) saga.status = committed;
        if (saga.status == committed) note("-", "committed");
      }
    }
    if (deed == "undo" && saga.status == undoing) {
      const std::size_t step = command.at("n");
      const auto at = std::find(saga.left.begin(), saga.left.end(), step);
      if (at != saga.left.end())
        saga.left.erase(at);
      else if (!bugs_.has("compensated-twice"))
        return Json();
      note(saga.steps[step], "undo");
    }
    const bool closes = saga.status == undoing && (saga.left.empty() || deed == "close");
    if (closes) {
      saga.status = compensated;
      if (!bugs_.has("half-visible")) note("-", "compensated");
    }
    return Json();
  }

  [[nodiscard]] const Saga* find(const std::string& key) const {
    const auto found = sagas_.find(key);
    return found == sagas_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] std::vector<std::string> unfinished() const {
    std::vector<std::string> keys;
    for (const auto& [key, saga] : sagas_)
      if (!saga.over()) keys.push_back(key);
    return keys;
  }

  [[nodiscard]] Json save() const override {
    Json all = Json::object();
    for (const auto& [key, saga] : sagas_)
      all[key] = {saga.steps, saga.done, saga.left, static_cast<int>(saga.status), saga.ledger};
    return all;
  }
  void load(const Json& state) override {
    sagas_.clear();
    for (const auto& [key, saved] : state.items()) {
      Saga& saga = sagas_[key];
      saved.at(0).get_to(saga.steps);
      saved.at(1).get_to(saga.done);
      saved.at(2).get_to(saga.left);
      saga.status = static_cast<Status>(saved.at(3).get<int>());
      saga.ledger = saved.at(4);
    }
  }

 private:
  const Bugs& bugs_;
  std::map<std::string, Saga> sagas_;
};

class Coordinator final : public Service {
 public:
  Coordinator(const Values& values, const Bugs& chosen, Book& book)
      : Service(values, chosen, book), bugs_(chosen), book_(book) {}

 private:
  void serve(const Json& request, Done done) override {
    const Json key = request.at("k");
    if (request.at("f") == "ledger") {
      raft_.read([this, key, done = std::move(done)] {
        const Saga* saga = book_.find(key.dump());
        done(ok(saga == nullptr ? Json::array() : saga->ledger));
      });
      return;
    }
    Json begin = command_of(request);
    raft_.propose(begin, [this, key, done = std::move(done)](const Json&) {
      waiting_.emplace(key.dump(), done);
      drive(key.dump());
    });
  }

  void elected() override {
    driven_.clear();
    waiting_.clear();
    inherited_.clear();
    takes_over_ = true;
  }

  // What the last coordinator left, once everything that it did is known here.
  void lead() override {
    if (takes_over_ && !raft_.settled()) return;
    if (takes_over_) {
      takes_over_ = false;
      for (const std::string& key : book_.unfinished()) inherited_.insert(key);
    }
    for (const std::string& key : book_.unfinished()) drive(key);
  }

  void drive(const std::string& key) {
    const Saga& saga = *book_.find(key);
    if (saga.over()) {
      const auto [first, last] = waiting_.equal_range(key);
      for (auto at = first; at != last; ++at)
        at->second(ok(saga.status == committed ? "committed" : "compensated"));
      waiting_.erase(first, last);
      return;
    }
    if (driven_.insert(key).second) step(key);
  }

  // The next step of a saga; each goes on when the one before is in the book.
  void step(const std::string& key) {
    const Saga& saga = *book_.find(key);
    if (saga.over()) {
      driven_.erase(key);
      return drive(key);
    }
    Json command = {{"f", "do"}, {"k", Json::parse(key)}, {"n", saga.done}};
    if (saga.status == undoing) command = undo_of(key, saga);
    raft_.propose(command, [this, key](const Json&) {
      // A step takes its time, as a call to another service does.
      loop_.after(Milliseconds(20), [this, key] {
        if (raft_.leads() && driven_.count(key) != 0) step(key);
      });
    });
  }

  Json undo_of(const std::string& key, const Saga& saga) {
    const bool inherited = inherited_.count(key) != 0;
    Json command = {{"f", "undo"}, {"k", Json::parse(key)}};
    command["n"] = saga.left.empty() ? 0 : saga.left.back();
    if (inherited && bugs_.has("compensation-order") && !saga.left.empty())
      command["n"] = saga.left.front();
    if (inherited && bugs_.has("compensation-skipped")) command["f"] = "close";
    if (inherited && bugs_.has("compensated-twice")) {
      // It is not known here what was undone: once more from the last step on.
      inherited_.erase(key);
      command["n"] = saga.done - 1;
    }
    return command;
  }

  const Bugs& bugs_;
  Book& book_;
  std::multimap<std::string, Done> waiting_;  // clients, by saga
  std::set<std::string> driven_;              // sagas with a step under way
  std::set<std::string> inherited_;           // begun by a coordinator before this one
  bool takes_over_ = false;
};

}  // namespace
}  // namespace bestiary

int main(int argc, char** argv) {
  const auto values = bestiary::parse(argc, argv, {});
  const bestiary::Bugs chosen(values.at("bug"), bestiary::bugs, bestiary::raft_bugs());
  bestiary::Book book(chosen);
  bestiary::Coordinator(values, chosen, book).run();
}
