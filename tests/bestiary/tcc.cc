// tcc: transactions of several branches that are tried, and then all confirmed or all cancelled, by
// a coordinator (the Raft leader) over a replicated book. A branch whose name begins with ! refuses
// its try. Tries may be slow: one that comes after its cancel is turned away, by the tombstone that
// the cancel left. Correct by default; --bug=NAME makes it wrong in one way.

#include <algorithm>
#include <random>
#include <set>

#include "tests/bestiary/service.h"

namespace bestiary {
namespace {

const std::vector<std::string> bugs = {"hanging-try", "empty-cancel", "key-expires",
                                       "confirm-lost"};
constexpr Milliseconds patience{60};  // until a transaction whose tries are not all in is cancelled

enum Branch { untouched, tried, confirmed, cancelled };
enum Status { trying, confirming, cancelling, over };

struct Transaction {
  std::vector<std::string> names;
  std::vector<int> branches;
  int status = trying;
  bool good = false;            // how it ended
  Json ledger = Json::array();  // [id, place, deed]
  [[nodiscard]] bool all(int state) const {
    return std::all_of(branches.begin(), branches.end(), [&](int b) { return b == state; });
  }
};

class Book final : public Machine {
 public:
  explicit Book(const Bugs& chosen) : bugs_(chosen) {}

  // tcc {k, v: names}, decide {k, yes}, try/confirm/cancel {k, n}.
  Json apply(Index, const Json& command) override {
    const std::string key = command.at("k").dump();
    const std::string deed = command.at("f");
    if (deed == "tcc") {
      if (book_.count(key) != 0) return Json();
      Transaction& fresh = book_[key];
      command.at("v").get_to(fresh.names);
      fresh.branches.assign(fresh.names.size(), untouched);
      return Json();
    }
    Transaction& now = book_.at(key);
    if (deed == "decide") {
      // Only what is still open can be decided, and only by what is in the book.
      if (now.status == trying && (!command.at("yes").get<bool>() || now.all(tried)))
        now.status = command.at("yes").get<bool>() ? confirming : cancelling;
    } else if (deed == "end") {
      end(command, now);
    } else {
      act(command, now);
    }
    return Json();
  }

  [[nodiscard]] const Transaction* find(const std::string& key) const {
    const auto found = book_.find(key);
    return found == book_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] std::vector<std::string> unfinished() const {
    std::vector<std::string> keys;
    for (const auto& [key, transaction] : book_)
      if (transaction.status != over) keys.push_back(key);
    return keys;
  }

  [[nodiscard]] Json save() const override {
    Json all = Json::object();
    for (const auto& [key, t] : book_) all[key] = {t.names, t.branches, t.status, t.good, t.ledger};
    return all;
  }
  void load(const Json& state) override {
    book_.clear();
    for (const auto& [key, saved] : state.items()) {
      Transaction& t = book_[key];
      saved.at(0).get_to(t.names);
      saved.at(1).get_to(t.branches);
      saved.at(2).get_to(t.status);
      saved.at(3).get_to(t.good);
      t.ledger = saved.at(4);
    }
  }

 private:
  void act(const Json& command, Transaction& now) {
    const std::size_t n = command.at("n");
    int& branch = now.branches[n];
    const std::string deed = command.at("f");
    const auto note = [&] { now.ledger.push_back({command.at("k"), now.names[n], deed}); };
    if (deed == "try") {
      const bool late = branch == cancelled;
      const bool again = branch == tried && now.status == trying;
      const bool wanted = branch == untouched || (late && bugs_.has("hanging-try")) ||
                          (again && command.value("resent", false) && bugs_.has("key-expires"));
      if (!wanted || now.names[n].front() == '!') return;
      if (!late) branch = tried;
      note();
    }
    if (deed == "confirm" && branch == tried && now.status == confirming) {
      branch = confirmed;
      note();
    }
    if (deed == "cancel" && now.status == cancelling && branch != cancelled) {
      // Of a try that never came only the tombstone is kept.
      if (branch == tried || bugs_.has("empty-cancel")) note();
      branch = cancelled;
    }
    if (now.status == confirming && now.all(confirmed)) end(command, now);
    if (now.status == cancelling && now.all(cancelled)) end(command, now);
  }

  void end(const Json& command, Transaction& now) {
    if (now.status != confirming && now.status != cancelling) return;
    now.good = now.status == confirming;
    now.status = over;
    now.ledger.push_back({command.at("k"), "-", now.good ? "confirmed" : "cancelled"});
  }

  const Bugs& bugs_;
  std::map<std::string, Transaction> book_;
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
        const Transaction* found = book_.find(key.dump());
        done(ok(found == nullptr ? Json::array() : found->ledger));
      });
      return;
    }
    raft_.propose(command_of(request), [this, key, done = std::move(done)](const Json&) {
      waiting_.emplace(key.dump(), done);
      if (book_.find(key.dump())->status == over) return answer(key.dump());
      if (begun_.try_emplace(key.dump(), Clock::now()).second) send_tries(key.dump(), false);
    });
  }

  void elected() override {
    begun_.clear();
    waiting_.clear();
    takes_over_ = true;
  }

  void lead() override {
    if (takes_over_ && !raft_.settled()) return;
    for (const std::string& key : book_.unfinished()) {
      const Transaction& now = *book_.find(key);
      // Tries of an earlier coordinator are sent again: their keys tell which are in.
      if (begun_.try_emplace(key, Clock::now()).second && now.status == trying)
        send_tries(key, true);
      if (takes_over_ && now.status == confirming && bugs_.has("confirm-lost"))
        propose({{"f", "end"}}, key);
      else
        push(key, now);
    }
    takes_over_ = false;
  }

  void propose(Json command, const std::string& key) {
    command["k"] = Json::parse(key);
    raft_.propose(command, [this, key](const Json&) {
      const Transaction& now = *book_.find(key);
      if (now.status == over) return answer(key);
      if (now.status == trying && now.all(tried)) propose({{"f", "decide"}, {"yes", true}}, key);
    });
  }

  // Every fifth try is slow, now and then slower than the coordinator's patience.
  void send_tries(const std::string& key, bool resent) {
    for (std::size_t n = 0; n < book_.find(key)->branches.size(); ++n) {
      const auto wait = random_() % 5 == 0 ? Milliseconds(random_() % 150) : Milliseconds(1);
      loop_.after(wait, [this, key, n, resent] {
        if (raft_.leads()) propose({{"f", "try"}, {"n", n}, {"resent", resent}}, key);
      });
    }
  }

  // What is decided is carried out, a branch at a time; what takes too long is cancelled.
  void push(const std::string& key, const Transaction& now) {
    if (now.status == trying) {
      if (now.all(tried))
        propose({{"f", "decide"}, {"yes", true}}, key);
      else if (Clock::now() - begun_.at(key) > patience)
        propose({{"f", "decide"}, {"yes", false}}, key);
      return;
    }
    const int wanted = now.status == confirming ? confirmed : cancelled;
    for (std::size_t n = 0; n < now.branches.size(); ++n) {
      if (now.branches[n] == wanted) continue;
      return propose({{"f", now.status == confirming ? "confirm" : "cancel"}, {"n", n}}, key);
    }
  }

  void answer(const std::string& key) {
    const auto [first, last] = waiting_.equal_range(key);
    for (auto at = first; at != last; ++at)
      at->second(ok(book_.find(key)->good ? "confirmed" : "cancelled"));
    waiting_.erase(first, last);
  }

  const Bugs& bugs_;
  Book& book_;
  std::mt19937_64 random_{std::random_device{}()};
  std::multimap<std::string, Done> waiting_;        // clients, by transaction
  std::map<std::string, Clock::time_point> begun_;  // transactions that this coordinator knows
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
