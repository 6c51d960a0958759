#include "checkers/steps_checker.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "checkers/witness.h"

namespace ordeal::checkers {
namespace {

// The words of the two kinds.
struct Words {
  std::string_view begin, good, bad;       // deeds: do/-/undo, try/confirm/cancel
  std::string_view ended_good, ended_bad;  // committed, compensated
  std::string_view promise;
};
constexpr Words saga_words = {
    "do",          "",
    "undo",        "committed",
    "compensated", "each saga ends once: every step done, or every done step undone, last first"};
constexpr Words tcc_words = {
    "try",
    "confirm",
    "cancel",
    "confirmed",
    "cancelled",
    "each transaction is confirmed on every branch or cancelled on every branch, once"};

struct Deed {
  std::string place, what;
};

struct Fault {
  FindingKind kind;
  std::string what;  // of the transaction: "was undone at b before a"
};

// One ledger, as far as it can be judged by itself.
class Ledger {
 public:
  Ledger(const Words& words, std::vector<Deed> deeds) : words_(words), deeds_(std::move(deeds)) {}

  [[nodiscard]] std::optional<Fault> judge() {
    for (const Deed& deed : deeds_)
      if (auto fault = take(deed)) return fault;
    return std::nullopt;
  }

  // With all steps of the transaction; `answered` is how it ended, empty: as the ledger says.
  [[nodiscard]] std::optional<Fault> judge_end(const std::vector<std::string>& steps,
                                               const std::string& answered) const {
    const std::string& end = answered.empty() ? end_ : answered;
    if (end.empty()) return std::nullopt;
    if (!end_.empty() && end_ != end)
      return Fault{FindingKind::both_ways,
                   fmt::format("was answered as {} and is {} in its ledger", answered, end_)};
    for (const std::string& step : steps) {
      const auto at = places_.find(step);
      const std::string_view state = at == places_.end() ? std::string_view() : at->second;
      const bool good = state == (words_.good.empty() ? words_.begin : words_.good);
      const bool bad = state.empty() || state == words_.bad;
      if (end == words_.ended_good ? !good : !bad)
        return Fault{FindingKind::half_done,
                     fmt::format("is {}, but {} is {}", end, step,
                                 state.empty() ? "untouched" : fmt::format("left at {}", state))};
    }
    return std::nullopt;
  }

  [[nodiscard]] bool ended() const { return !end_.empty(); }
  [[nodiscard]] bool empty() const { return deeds_.empty(); }
  [[nodiscard]] std::size_t size() const { return deeds_.size(); }

 private:
  std::optional<Fault> take(const Deed& deed) {
    if (deed.place == "-") {
      if (!end_.empty())
        return Fault{FindingKind::duplicate, fmt::format("ended twice: {}, {}", end_, deed.what)};
      end_ = deed.what;
      return std::nullopt;
    }
    std::string_view& state = places_[deed.place];
    const std::string said = fmt::format("{} of {}", deed.what, deed.place);
    if (std::count_if(deeds_.begin(), deeds_.end(), [&](const Deed& other) {
          return other.place == deed.place && other.what == deed.what;
        }) > 1)
      return Fault{FindingKind::duplicate, "had more than one " + said};
    if (deed.what == words_.begin) {
      if (!state.empty())
        return Fault{FindingKind::out_of_order, fmt::format("had a {} after its {}", said, state)};
      order_.push_back(deed.place);
    } else {
      if (state.empty())
        return Fault{FindingKind::out_of_order,
                     fmt::format("had a {} without a {}", said, words_.begin)};
      if (state != words_.begin || (!ways_.empty() && ways_ != deed.what))
        return Fault{FindingKind::both_ways,
                     fmt::format("had a {} after a {}", said, ways_.empty() ? state : ways_)};
      if (words_.good.empty()) {
        if (order_.back() != deed.place)
          return Fault{
              FindingKind::out_of_order,
              fmt::format("had the {} before that of {}, which came later", said, order_.back())};
        order_.pop_back();
      }
      ways_ = deed.what;
    }
    state = deed.what;
    return std::nullopt;
  }

  const Words& words_;
  std::vector<Deed> deeds_;
  std::map<std::string, std::string_view> places_;  // what happened there last
  std::vector<std::string> order_;                  // begun and not undone, sagas only
  std::string_view ways_;                           // confirm or cancel, once there was one
  std::string end_;
};

std::optional<std::vector<Deed>> deeds_of(const Operation& read) {
  const Value::List* items = read.result.as_list();
  if (items == nullptr) return std::nullopt;
  std::vector<Deed> deeds;
  for (const Value& item : *items) {
    const Value::List* parts = item.as_list();
    if (parts == nullptr || parts->size() != 3 || parts->at(2).as_string() == nullptr)
      return std::nullopt;
    deeds.push_back({to_text(parts->at(1)), *parts->at(2).as_string()});
  }
  return deeds;
}

class Transaction {
 public:
  Transaction(const History& history, const KeyGroup& group, const Words& words,
              Nanoseconds last_asked, const StepsOptions& options)
      : history_(history),
        group_(group),
        words_(words),
        quiet_(last_asked + options.settle),
        stuck_(options.stuck) {
    for (const Operation* op : group.ops) {
      if (op->function != options.function) continue;
      asked_ = op;
      if (const Value::List* list = op->argument.as_list())
        for (const Value& step : *list) steps_.push_back(to_text(step));
    }
  }

  [[nodiscard]] std::optional<Finding> judge(std::string& undecided) const {
    std::size_t most = 0;
    const Operation* longest = nullptr;
    const Operation* open = nullptr;  // the first quiet read of the ledger as it is now
    std::size_t open_size = 0;
    for (const Operation* op : group_.ops) {
      if (op->function != Function::ledger || op->outcome != Outcome::ok) continue;
      const auto deeds = deeds_of(*op);
      if (!deeds) {
        undecided = name_of(*op) + " did not answer with a list of [id, place, deed]";
        return std::nullopt;
      }
      Ledger ledger(words_, *deeds);
      auto fault = ledger.judge();
      const bool answered =
          asked_ != nullptr && asked_->outcome == Outcome::ok && asked_->completed < op->invoked;
      const std::string* how = answered ? asked_->result.as_string() : nullptr;
      if (!fault) fault = ledger.judge_end(steps_, how == nullptr ? "" : *how);
      if (!fault && answered && !ledger.ended())
        fault = Fault{FindingKind::half_done,
                      "was answered as " + to_text(asked_->result) + " and has not ended"};
      if (!fault && longest != nullptr && longest->completed < op->invoked && ledger.size() < most)
        return finding(FindingKind::lost_element, {asked_, longest, op}, *op,
                       fmt::format("{} {} has {} deeds in its ledger and had {} before", kind(),
                                   key(), ledger.size(), most));
      if (!fault && op->invoked_at >= quiet_ && !ledger.ended() && !ledger.empty()) {
        if (open == nullptr || ledger.size() != open_size) open = op;
        open_size = ledger.size();
        const Nanoseconds watched = op->invoked_at - open->completed_at;
        if (watched >= stuck_)
          return finding(FindingKind::half_done, {asked_, open, op}, *op,
                         fmt::format("{} {} never ended: its ledger is open and the same for {}, "
                                     "and no other is under way",
                                     kind(), key(), to_text(watched)));
        undecided = fmt::format("it had not ended when the run did, and was watched for {} only",
                                to_text(std::max(watched, Nanoseconds::zero())));
      } else if (ledger.ended()) {
        undecided.clear();
      }
      if (fault)
        return finding(fault->kind, {asked_, op}, *op,
                       fmt::format("{} {} {}", kind(), key(), fault->what));
      if (ledger.size() > most) {
        most = ledger.size();
        longest = op;
      }
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] std::string key() const { return to_text(group_.key); }
  [[nodiscard]] std::string_view kind() const {
    return words_.good.empty() ? "saga" : "transaction";
  }

  [[nodiscard]] Finding finding(FindingKind what, const std::vector<const Operation*>& ops,
                                const Operation& breaks, std::string headline) const {
    Finding made =
        finding_of(history_, group_,
                   {what, words_.promise, std::move(headline),
                    fmt::format("the ledger that {} read says so by itself{}", name_of(breaks),
                                ops.size() > 2 ? ", beside what was read before" : "")},
                   ops, breaks);
    if (what == FindingKind::half_done && breaks.invoked_at >= quiet_)
      made.certainty_basis += ": the run was over and the cluster whole when it was read";
    made.diagnosis = fmt::format("its ledger: {}", to_text(breaks.result));
    return made;
  }

  const History& history_;
  const KeyGroup& group_;
  const Words& words_;
  const Nanoseconds quiet_, stuck_;
  const Operation* asked_ = nullptr;
  std::vector<std::string> steps_;
};

}  // namespace

CheckReport check_steps(const History& history, const CheckOptions& options,
                        const StepsOptions& steps) {
  (void)options;  // linear in the deeds that were read
  Nanoseconds last_asked{};
  for (const Operation& op : history.operations)
    if (op.function == steps.function) last_asked = std::max(last_asked, op.invoked_at);
  const Words& words = steps.function == Function::saga ? saga_words : tcc_words;
  return judge_keys(
      to_text(steps.function), history, {steps.function, Function::ledger},
      [&](const KeyGroup& group, KeyJudgement& key) {
        key.add(Transaction(history, group, words, last_asked, steps).judge(key.undecided));
      });
}

}  // namespace ordeal::checkers
