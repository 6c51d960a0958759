#include "checkers/pipeline_checker.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include <fmt/format.h>

#include "checkers/witness.h"

namespace ordeal::checkers {
namespace {

constexpr std::string_view promise = "events are delivered at least once, in order in a partition";

struct Delivery {
  const Operation* poll = nullptr;
  std::int64_t offset = 0;
};

class Partition {
 public:
  Partition(const History& history, const KeyGroup& group) : history_(history), group_(group) {}

  [[nodiscard]] std::optional<Finding> judge() {
    for (const Operation* op : group_.ops)
      if (op->function == Function::send) sends_[op->argument] = op;
    for (const Operation* op : group_.ops) {
      if (op->function != Function::poll || op->outcome != Outcome::ok) continue;
      polls_.push_back(op);
      if (auto finding = take(*op)) return finding;
    }
    for (const auto& check :
         {&Partition::check_order, &Partition::check_acknowledged, &Partition::check_lost})
      if (auto finding = (this->*check)()) return finding;
    return std::nullopt;
  }

 private:
  // What one poll shows by itself, and against the polls before it.
  std::optional<Finding> take(const Operation& poll) {
    std::int64_t last = 0;
    for (const Value& item : *poll.result.as_list()) {
      const std::int64_t* offset = item.as_list()->at(0).as_integer();
      const Value& event = item.as_list()->at(1);
      if (offset == nullptr || *offset <= last)
        return finding(
            FindingKind::out_of_order, {&poll}, poll,
            fmt::format("a poll of {} answered with offsets that do not ascend", key()),
            fmt::format("{} has {} after {}", name_of(poll), to_text(item.as_list()->at(0)), last));
      last = *offset;
      const auto sent = sends_.find(event);
      const Operation* send = sent == sends_.end() ? nullptr : sent->second;
      if (send == nullptr || send->outcome == Outcome::fail || send->invoked > poll.completed)
        return finding(
            FindingKind::phantom_read, {send, &poll}, poll,
            fmt::format("event {} of {} was delivered and not sent", to_text(event), key()),
            fmt::format("{} delivered {}, which nobody had sent by then", name_of(poll),
                        to_text(event)));
      const auto [at, is_new] = by_offset_.try_emplace(*offset, event, &poll);
      if (!is_new && !(at->second.first == event))
        return finding(FindingKind::out_of_order, {at->second.second, &poll}, poll,
                       fmt::format("offset {} of {} was event {} and then event {}", *offset, key(),
                                   to_text(at->second.first), to_text(event)),
                       "an offset names one event for ever");
      const auto [known, first] = delivered_.try_emplace(event, Delivery{&poll, *offset});
      if (!first && known->second.offset != *offset)
        return finding(FindingKind::duplicate, {send, known->second.poll, &poll}, poll,
                       fmt::format("event {} of {} was sent once and has offsets {} and {}",
                                   to_text(event), key(), known->second.offset, *offset),
                       fmt::format("{} sent it once", name_of(*send)));
    }
    return std::nullopt;
  }

  std::optional<Finding> check_order() const {
    // By offset: whoever was sent must not have begun after a later one was over.
    const Operation* latest = nullptr;
    for (const auto& [offset, entry] : by_offset_) {
      const Operation& send = *sends_.at(entry.first);
      if (latest != nullptr && send.outcome == Outcome::ok && send.completed < latest->invoked) {
        const Delivery& early = delivered_.at(send.argument);
        return finding(FindingKind::out_of_order,
                       {&send, latest, early.poll, delivered_.at(latest->argument).poll},
                       *early.poll,
                       fmt::format("event {} of {} was sent {} before {} and comes after it",
                                   to_text(send.argument), key(), gap_between(send, *latest),
                                   to_text(latest->argument)),
                       fmt::format("{} was over before {} began, but its offset {} is greater",
                                   name_of(send), name_of(*latest), offset));
      }
      if (latest == nullptr || send.invoked > latest->invoked) latest = &send;
    }
    return std::nullopt;
  }

  // The greatest acknowledged offset before each poll.
  std::optional<Finding> check_acknowledged() const {
    std::vector<const Operation*> acks;
    for (const Operation* op : group_.ops)
      if (op->function == Function::ack && op->outcome == Outcome::ok &&
          op->argument.as_integer() != nullptr)
        acks.push_back(op);
    std::sort(acks.begin(), acks.end(),
              [](auto* a, auto* b) { return a->completed < b->completed; });
    const Operation* greatest = nullptr;
    auto next = acks.begin();
    for (const Operation* poll : polls_) {
      for (; next != acks.end() && (*next)->completed < poll->invoked; ++next)
        if (greatest == nullptr || *(*next)->argument.as_integer() > acked(*greatest))
          greatest = *next;
      const Value::List& items = *poll->result.as_list();
      if (greatest == nullptr || items.empty()) continue;
      const std::int64_t first = *items.front().as_list()->at(0).as_integer();
      if (first <= acked(*greatest))
        return finding(
            FindingKind::duplicate, {greatest, poll}, *poll,
            fmt::format("offset {} of {} was delivered {} after {} had been "
                        "acknowledged as processed",
                        first, key(), gap_between(*greatest, *poll), acked(*greatest)),
            fmt::format("{} was over before {} began", name_of(*greatest), name_of(*poll)));
    }
    return std::nullopt;
  }

  std::optional<Finding> check_lost() const {
    for (const auto& [event, send] : sends_) {
      if (send->outcome != Outcome::ok || delivered_.count(event) != 0) continue;
      for (const Operation* poll : polls_) {
        if (poll->invoked < send->completed) continue;
        const Operation* later = nullptr;
        for (const Value& item : *poll->result.as_list()) {
          const Operation* other = sends_.at(item.as_list()->at(1));
          if (other->invoked > send->completed) later = other;
        }
        if (later == nullptr && !reached_end(*poll)) continue;
        return finding(FindingKind::lost_element, {send, later, poll}, *poll,
                       fmt::format("event {} of {} was acknowledged as sent and never delivered",
                                   to_text(event), key()),
                       later == nullptr ? fmt::format("{} began {} later and got all that was left",
                                                      name_of(*poll), gap_between(*send, *poll))
                                        : fmt::format("{} delivered {}, which was sent after it",
                                                      name_of(*poll), to_text(later->argument)));
      }
    }
    return std::nullopt;
  }

  static std::int64_t acked(const Operation& ack) { return *ack.argument.as_integer(); }
  static bool reached_end(const Operation& poll) {
    const std::int64_t* most = poll.argument.as_integer();
    return most == nullptr || poll.result.as_list()->size() < static_cast<std::size_t>(*most);
  }
  [[nodiscard]] std::string key() const { return "partition " + to_text(group_.key); }

  [[nodiscard]] Finding finding(FindingKind kind, std::vector<const Operation*> ops,
                                const Operation& breaks, std::string headline,
                                std::string reason) const {
    Finding made =
        finding_of(history_, group_, {kind, promise, std::move(headline), std::move(reason)},
                   std::move(ops), breaks);
    if (kind == FindingKind::lost_element)
      made.certainty_basis = fmt::format("no one of {} answered polls has it", polls_.size());
    made.diagnosis =
        fmt::format("{} events were sent, {} delivered", sends_.size(), delivered_.size());
    return made;
  }

  const History& history_;
  const KeyGroup& group_;
  std::vector<const Operation*> polls_;  // answered, by invocation
  std::unordered_map<Value, const Operation*, ValueHash> sends_;
  std::unordered_map<Value, Delivery, ValueHash> delivered_;
  std::map<std::int64_t, std::pair<Value, const Operation*>> by_offset_;
};

}  // namespace

CheckReport check_pipeline(const History& history, const CheckOptions& options) {
  (void)options;  // linear enough for any history that fits into memory
  const auto is_list = [](const Operation* op) {
    return op->function != Function::poll || op->outcome != Outcome::ok ||
           op->result.as_list() != nullptr;
  };
  return judge_keys("pipeline", history, {Function::send, Function::poll, Function::ack},
                    [&](const KeyGroup& group, KeyJudgement& key) {
                      if (std::all_of(group.ops.begin(), group.ops.end(), is_list))
                        key.add(Partition(history, group).judge());
                      else
                        key.undecided = "a poll was not answered with a list";
                    });
}

}  // namespace ordeal::checkers
