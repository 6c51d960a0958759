#include "checkers/bank_checker.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "checkers/witness.h"

namespace ordeal::checkers {
namespace {

constexpr std::string_view promise =
    "transfers only move money that is there; every read sees all accounts at one moment";
constexpr std::int64_t most_money = std::int64_t{1} << 40U;  // of one item; sums stay exact
constexpr std::size_t most_sums = 4096;  // of unknown deposits; then the sum is not judged

using Balances = std::map<std::string, std::int64_t>;  // by the account's text; missing: nothing

struct Transfer {
  const Operation* op;
  std::string from, to;  // from empty: money that comes in
  std::int64_t amount;
};

struct Read {
  const Operation* op;
  Balances balances;

  [[nodiscard]] std::int64_t in(const std::string& account) const {
    const auto found = balances.find(account);
    return found == balances.end() ? 0 : found->second;
  }
  [[nodiscard]] std::int64_t sum() const {
    std::int64_t total = 0;
    for (const auto& [account, balance] : balances) total += balance;
    return total;
  }
};

const std::int64_t* money(const Value& value) {
  const std::int64_t* amount = value.as_integer();
  return amount != nullptr && *amount >= -most_money && *amount <= most_money ? amount : nullptr;
}

std::optional<Transfer> transfer_of(const Operation& op) {
  const Value::List* parts = op.argument.as_list();
  if (parts == nullptr || parts->size() != 3) return std::nullopt;
  const std::int64_t* amount = money(parts->at(2));
  if (amount == nullptr || *amount < 0) return std::nullopt;
  return Transfer{&op, parts->at(0).is_nil() ? "" : to_text(parts->at(0)), to_text(parts->at(1)),
                  *amount};
}

std::optional<Read> read_of(const Operation& op) {
  const Value::List* items = op.result.as_list();
  if (items == nullptr) return std::nullopt;
  Read read{&op, {}};
  for (const Value& item : *items) {
    const Value::List* pair = item.as_list();
    if (pair == nullptr || pair->size() != 2 || money(pair->at(1)) == nullptr) return std::nullopt;
    if (!read.balances.emplace(to_text(pair->at(0)), *money(pair->at(1))).second)
      return std::nullopt;
  }
  return read;
}

// What may and what must have happened between two answers.
struct Between {
  std::vector<const Transfer*> possible;  // all that may have
  std::vector<const Transfer*> certain;   // of those, what must have
};

class Bank {
 public:
  Bank(const History& history, const KeyGroup& group) : history_(history), group_(group) {}

  // Nothing when all is well; `undecided` says why it cannot be told.
  [[nodiscard]] std::optional<Finding> judge(std::string& undecided) {
    for (const Operation* op : group_.ops) {
      if (op->outcome == Outcome::fail) continue;
      if (op->function == Function::transfer) {
        auto transfer = transfer_of(*op);
        if (!transfer) {
          undecided = name_of(*op) + " does not ask for [from, to, amount]";
          return std::nullopt;
        }
        transfers_.push_back(std::move(*transfer));
      } else if (op->outcome == Outcome::ok) {
        auto read = read_of(*op);
        if (!read) {
          undecided = name_of(*op) + " did not answer with a list of [account, balance]";
          return std::nullopt;
        }
        reads_.push_back(std::move(*read));
      }
    }
    return first_violation();
  }

 private:
  // Each read beside the one, of those answered before it was asked for, that was asked for last.
  std::optional<Finding> first_violation() {
    std::vector<const Read*> answered;
    for (const Read& read : reads_) answered.push_back(&read);
    std::sort(answered.begin(), answered.end(),
              [](auto* a, auto* b) { return a->op->completed < b->op->completed; });
    auto over = answered.begin();
    std::vector<const Transfer*> open;  // not certainly over when the earlier read was asked for
    auto next = transfers_.begin();
    const Read* earlier = nullptr;
    for (const Read& read : reads_) {
      for (; over != answered.end() && (*over)->op->completed < read.op->invoked; ++over)
        if (earlier == nullptr || (*over)->op->invoked > earlier->op->invoked) earlier = *over;
      for (; next != transfers_.end() && next->op->invoked < read.op->completed; ++next)
        open.push_back(&*next);
      std::erase_if(open, [&](const Transfer* transfer) {
        return earlier != nullptr && transfer->op->outcome == Outcome::ok &&
               transfer->op->completed < earlier->op->invoked;
      });
      Between between;
      for (const Transfer* transfer : open) {
        const Operation& op = *transfer->op;
        if (op.invoked > read.op->completed) continue;
        between.possible.push_back(transfer);
        const bool after = earlier == nullptr || op.invoked > earlier->op->completed;
        if (op.outcome == Outcome::ok && after && op.completed < read.op->invoked)
          between.certain.push_back(transfer);
      }
      if (auto found = judge_read(earlier, read, between)) return found;
    }
    return std::nullopt;
  }

  std::optional<Finding> judge_read(const Read* earlier, const Read& read, const Between& between) {
    for (const auto& [account, balance] : read.balances)
      if (balance < 0)
        return finding(nullptr, read, {}, fmt::format("account {} was at {}", account, balance),
                       "no transfer may take more than is there, so no balance is below zero");
    if (auto found = judge_accounts(earlier, read, between)) return found;
    return judge_sum(earlier, read, between);
  }

  std::optional<Finding> judge_accounts(const Read* earlier, const Read& read,
                                        const Between& between) {
    struct Span {
      std::int64_t least, most;
    };
    std::map<std::string, Span> spans;
    const auto start = [&](const std::string& account) {
      const std::int64_t before = earlier == nullptr ? 0 : earlier->in(account);
      return Span{before, before};
    };
    if (earlier != nullptr)
      for (const auto& [account, balance] : earlier->balances)
        spans.emplace(account, start(account));
    for (const auto& [account, balance] : read.balances) spans.emplace(account, start(account));
    const std::set<const Transfer*> certain(between.certain.begin(), between.certain.end());
    for (const Transfer* transfer : between.possible) {
      const bool must = certain.count(transfer) != 0;
      Span& to = spans.try_emplace(transfer->to, start(transfer->to)).first->second;
      to.most += transfer->amount;
      if (must) to.least += transfer->amount;
      if (transfer->from.empty()) continue;
      Span& from = spans.try_emplace(transfer->from, start(transfer->from)).first->second;
      from.least -= transfer->amount;
      if (must) from.most -= transfer->amount;
    }
    for (const auto& [account, span] : spans) {
      const std::int64_t balance = read.in(account);
      if (balance >= span.least && balance <= span.most) continue;
      std::vector<const Transfer*> about;
      for (const Transfer* transfer : between.possible)
        if (transfer->from == account || transfer->to == account) about.push_back(transfer);
      const std::int64_t bound = balance < span.least ? span.least : span.most;
      return finding(
          earlier, read, about,
          fmt::format("account {} was at {}, {} the {} that it must have {}", account, balance,
                      balance < span.least ? "below" : "above", bound,
                      balance < span.least ? "at least" : "at most"),
          fmt::format("{}; {} transfers concern the account, and with those that certainly "
                      "happened{} it must be {} {}",
                      since(earlier), about.size(),
                      balance < span.least ? " and all that may have taken from it"
                                           : " and all that may have given to it",
                      balance < span.least ? "at least" : "at most", bound));
    }
    return std::nullopt;
  }

  std::optional<Finding> judge_sum(const Read* earlier, const Read& read, const Between& between) {
    std::int64_t certain = earlier == nullptr ? 0 : earlier->sum();
    const std::set<const Transfer*> must(between.certain.begin(), between.certain.end());
    std::set<std::int64_t> sums = {0};  // of the deposits that may have come in
    std::vector<const Transfer*> deposits;
    for (const Transfer* transfer : between.possible) {
      if (!transfer->from.empty()) continue;
      deposits.push_back(transfer);
      if (must.count(transfer) != 0) {
        certain += transfer->amount;
        continue;
      }
      std::set<std::int64_t> with = sums;
      for (const std::int64_t sum : sums) with.insert(sum + transfer->amount);
      sums = std::move(with);
      if (sums.size() > most_sums) return std::nullopt;
    }
    const std::int64_t total = read.sum();
    if (sums.count(total - certain) != 0) return std::nullopt;
    return finding(
        earlier, read, deposits,
        fmt::format("all accounts together held {} where {} was", total,
                    sums.size() == 1 ? std::to_string(certain)
                                     : fmt::format("{} to {}", certain, certain + *sums.rbegin())),
        fmt::format("{}; of the {} deposits since then, no choice makes the sum {}", since(earlier),
                    deposits.size(), total));
  }

  [[nodiscard]] static std::string since(const Read* earlier) {
    return earlier == nullptr ? std::string("the bank began empty")
                              : fmt::format("{} was answered before", name_of(*earlier->op));
  }

  [[nodiscard]] Finding finding(const Read* earlier, const Read& read,
                                const std::vector<const Transfer*>& transfers, std::string headline,
                                std::string reason) const {
    std::vector<const Operation*> shown = {read.op, earlier == nullptr ? nullptr : earlier->op};
    for (const Transfer* transfer : transfers) shown.push_back(transfer->op);
    Finding made =
        finding_of(history_, group_,
                   {FindingKind::money, promise,
                    fmt::format("bank {}: {}", to_text(group_.key), headline), std::move(reason)},
                   std::move(shown), *read.op);
    made.certainty_basis =
        "it follows from the operations shown, which are all that can matter; no second program "
        "was asked";
    made.diagnosis = fmt::format("{} reads of this bank were answered", reads_.size());
    return made;
  }

  const History& history_;
  const KeyGroup& group_;
  std::vector<Transfer> transfers_;  // by invocation, like reads_
  std::vector<Read> reads_;
};

}  // namespace

CheckReport check_bank(const History& history, const CheckOptions& options) {
  (void)options;  // what is under way at a time is little
  return judge_keys("bank", history, {Function::transfer, Function::balances},
                    [&](const KeyGroup& group, KeyJudgement& key) {
                      key.add(Bank(history, group).judge(key.undecided));
                    });
}

}  // namespace ordeal::checkers
