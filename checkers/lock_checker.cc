#include "checkers/lock_checker.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "checkers/witness.h"

namespace ordeal::checkers {
namespace {

constexpr std::string_view promise = "mutual exclusion, with fencing tokens that grow";

struct Hold {
  const Operation* acquire = nullptr;
  const Operation* release = nullptr;  // asked for; null: never
  Nanoseconds ends{};                  // by the clock, at the latest

  // Certain at the moment at which `other` was answered, which was later than our answer.
  [[nodiscard]] bool covers(const Hold& other) const {
    const bool released = release != nullptr && release->invoked < other.acquire->completed;
    return !released && other.acquire->completed_at < ends;
  }
};

// The holds of the key, each with the first release of it: by the process that holds it, or by one
// that holds nothing itself and has its token. A token may be handed on, to a client that takes the
// place of another.
std::vector<Hold> holds_of(const KeyGroup& group, Nanoseconds lasts) {
  std::vector<Hold> holds;
  std::map<Process, std::size_t> open;
  for (const Operation* op : group.ops) {
    if (op->function == Function::acquire) {
      if (op->outcome != Outcome::ok) continue;
      open[op->process] = holds.size();
      holds.push_back({op, nullptr, op->invoked_at + lasts});
      continue;
    }
    if (const auto own = open.find(op->process); own != open.end()) {
      holds[own->second].release = op;
      open.erase(own);
      continue;
    }
    std::erase_if(open, [&](const auto& other) {
      Hold& hold = holds[other.second];
      if (!(hold.acquire->result == op->argument)) return false;
      hold.release = op;
      return true;
    });
  }
  return holds;
}

class Key {
 public:
  Key(const History& history, const KeyGroup& group, std::vector<Hold> holds)
      : history_(history), group_(group), holds_(std::move(holds)) {}

  // By answer: the hold that lasts longest among those before is the one to look at, for time and
  // for releases apart; so both are kept.
  [[nodiscard]] std::optional<Finding> overlap() {
    std::sort(holds_.begin(), holds_.end(), [](const Hold& a, const Hold& b) {
      return a.acquire->completed < b.acquire->completed;
    });
    std::vector<const Hold*> current;
    for (const Hold& hold : holds_) {
      std::erase_if(current, [&](const Hold* other) { return !other->covers(hold); });
      // Answered so late that it may be over itself.
      if (hold.acquire->completed_at >= hold.ends) continue;
      if (!current.empty()) return two_holders(*current.front(), hold);
      current.push_back(&hold);
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<Finding> stale_token() {
    std::vector<const Operation*> by_answer, by_request;
    for (const Hold& hold : holds_)
      if (hold.acquire->result.as_integer() != nullptr) by_answer.push_back(hold.acquire);
    by_request = by_answer;
    std::sort(by_answer.begin(), by_answer.end(),
              [](auto* a, auto* b) { return a->completed < b->completed; });
    std::sort(by_request.begin(), by_request.end(),
              [](auto* a, auto* b) { return a->invoked < b->invoked; });
    const Operation* greatest = nullptr;
    auto over = by_answer.begin();
    for (const Operation* op : by_request) {
      for (; over != by_answer.end() && (*over)->completed < op->invoked; ++over)
        if (greatest == nullptr || token(**over) > token(*greatest)) greatest = *over;
      if (greatest == nullptr || token(*op) > token(*greatest)) continue;
      return finding(FindingKind::stale_token, {greatest, op}, *op,
                     fmt::format("lock {} was granted with token {} although token {} had been "
                                 "given out {} before",
                                 key(), token(*op), token(*greatest), gap_between(*greatest, *op)),
                     fmt::format("{} was over before {} began, so its token must be the smaller "
                                 "one; it is {}",
                                 name_of(*greatest), name_of(*op), token(*greatest)));
    }
    return std::nullopt;
  }

 private:
  static std::int64_t token(const Operation& op) { return *op.result.as_integer(); }
  [[nodiscard]] std::string key() const { return to_text(group_.key); }

  [[nodiscard]] Finding two_holders(const Hold& first, const Hold& second) const {
    const std::string until =
        first.release == nullptr
            ? std::string("and never released it")
            : fmt::format("and asked to release it only {} later",
                          to_text(first.release->invoked_at - second.acquire->completed_at));
    return finding(FindingKind::two_holders, {first.acquire, second.acquire, first.release},
                   *second.acquire,
                   fmt::format("lock {} was granted to process {} while process {} held it, {}",
                               key(), second.acquire->process, first.acquire->process, until),
                   fmt::format("{} was answered with the lock {} before {} was, {}; it had been "
                               "asked for less than its promised time ago",
                               name_of(*first.acquire),
                               to_text(second.acquire->completed_at - first.acquire->completed_at),
                               name_of(*second.acquire), until));
  }

  [[nodiscard]] Finding finding(FindingKind kind, const std::vector<const Operation*>& ops,
                                const Operation& breaks, std::string headline,
                                std::string reason) const {
    Finding made = finding_of(history_, group_,
                              {kind, promise, std::move(headline), std::move(reason)}, ops, breaks);
    made.certainty_basis =
        "it follows from the times and the order of the operations shown alone; no second program "
        "was asked";
    made.diagnosis = fmt::format("{} holds of this lock were granted", holds_.size());
    return made;
  }

  const History& history_;
  const KeyGroup& group_;
  std::vector<Hold> holds_;
};

}  // namespace

CheckReport check_lock(const History& history, const CheckOptions& options,
                       const LockOptions& lock) {
  (void)options;  // linear enough for any history that fits into memory
  return judge_keys("lock", history, {Function::acquire, Function::release},
                    [&](const KeyGroup& group, KeyJudgement& judgement) {
                      Key key(history, group, holds_of(group, lock.lasts));
                      judgement.add(key.overlap());
                      judgement.add(key.stale_token());
                    });
}

}  // namespace ordeal::checkers
