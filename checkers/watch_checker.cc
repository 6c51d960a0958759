#include "checkers/watch_checker.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include <fmt/format.h>

#include "checkers/witness.h"

namespace ordeal::checkers {
namespace {

constexpr std::string_view promise =
    "a watch shows every change of the key once, in order, and goes on where it was left";

struct Shown {
  std::int64_t revision;
  Value value;
};

struct Answer {
  const Operation* op;
  std::int64_t after;  // the revision that was asked from; 0: the beginning
  std::vector<Shown> events;

  [[nodiscard]] std::int64_t last() const {
    return events.empty() ? after : std::max(after, events.back().revision);
  }
  [[nodiscard]] bool shows(std::int64_t revision) const {
    return std::any_of(events.begin(), events.end(),
                       [&](const Shown& event) { return event.revision == revision; });
  }
};

std::optional<Answer> answer_of(const Operation& op) {
  const Value::List* items = op.result.as_list();
  const std::int64_t* after = op.argument.as_integer();
  if (items == nullptr || (after == nullptr && !op.argument.is_nil())) return std::nullopt;
  Answer answer{&op, after == nullptr ? 0 : *after, {}};
  for (const Value& item : *items) {
    const Value::List* pair = item.as_list();
    if (pair == nullptr || pair->size() != 2 || pair->at(0).as_integer() == nullptr)
      return std::nullopt;
    answer.events.push_back({*pair->at(0).as_integer(), pair->at(1)});
  }
  return answer;
}

// A write, and where it was seen.
struct Write {
  const Operation* op = nullptr;  // null: nobody asked for it
  bool twice = false;             // written by several operations: not told apart
  std::optional<std::int64_t> revision;
  const Answer* seen = nullptr;  // the first answer that shows it
};

class Key {
 public:
  Key(const History& history, const KeyGroup& group) : history_(history), group_(group) {}

  // Nothing when all is well; `undecided` says why it cannot be told.
  [[nodiscard]] std::optional<Finding> judge(std::string& undecided) {
    for (const Operation* op : group_.ops) {
      if (op->outcome == Outcome::fail) continue;
      if (op->function == Function::watch) {
        if (op->outcome != Outcome::ok) continue;
        auto answer = answer_of(*op);
        if (!answer) {
          undecided = name_of(*op) + " did not answer with a list of [revision, value]";
          return std::nullopt;
        }
        answers_.push_back(std::move(*answer));
      } else {
        Write& write = writes_[op->argument];
        write.twice = write.op != nullptr;
        write.op = op;
      }
    }
    std::sort(answers_.begin(), answers_.end(),
              [](const Answer& a, const Answer& b) { return a.op->completed < b.op->completed; });
    for (const Answer& answer : answers_)
      if (auto found = take(answer)) return found;
    if (auto found = against_time()) return found;
    if (auto found = left_out()) return found;
    return never_shown();
  }

 private:
  // One answer by itself and beside those before it.
  std::optional<Finding> take(const Answer& answer) {
    std::int64_t before = answer.after;
    for (const Shown& event : answer.events) {
      const std::string what =
          fmt::format("{} at revision {}", to_text(event.value), event.revision);
      if (event.revision <= before) {
        const bool again = event.revision <= answer.after || event.revision == before;
        return finding(
            again ? FindingKind::duplicate : FindingKind::out_of_order, {}, answer,
            event.revision <= answer.after
                ? fmt::format("showed {} to one that had seen all up to {}", what, answer.after)
                : fmt::format("showed {} after revision {}", what, before),
            "the revisions of its answer must grow, from the one that was asked from");
      }
      before = event.revision;
      Write& write = writes_[event.value];
      if (!write.twice && (write.op == nullptr || write.op->invoked > answer.op->completed))
        return finding(FindingKind::phantom_read, {write.op}, answer, "showed " + what,
                       write.op == nullptr ? "nobody wrote that, or its write certainly failed"
                                           : "it was written only after it was shown");
      const auto [known, is_new] = by_revision_.try_emplace(event.revision, event.value, &answer);
      if (!(known->second.first == event.value))
        return finding(
            FindingKind::out_of_order, {known->second.second->op}, answer,
            fmt::format("showed {}, and {} to another", what, to_text(known->second.first)),
            "a revision has one value");
      if (write.twice) continue;
      if (write.revision && *write.revision != event.revision)
        return finding(FindingKind::duplicate, {write.op, write.seen->op}, answer,
                       fmt::format("showed {}, and at revision {} before", what, *write.revision),
                       "it was written once, so it is one event");
      if (!write.revision) write.seen = &answer;
      write.revision = event.revision;
    }
    return std::nullopt;
  }

  // Revisions against the times of the writes.
  std::optional<Finding> against_time() const {
    const Write* latest = nullptr;  // of those with smaller revisions, the one asked for last
    for (const auto& [revision, shown] : by_revision_) {
      const Write& write = writes_.at(shown.first);
      if (write.twice) continue;
      if (latest != nullptr && write.op->completed < latest->op->invoked &&
          write.op->outcome == Outcome::ok)
        return finding(FindingKind::out_of_order, {write.op, latest->op, latest->seen->op},
                       *write.seen,
                       fmt::format("showed {} behind {}, which was written later",
                                   to_text(shown.first), to_text(latest->op->argument)),
                       fmt::format("{} was over {} before {} began, and has the greater revision",
                                   name_of(*write.op), gap_between(*write.op, *latest->op),
                                   name_of(*latest->op)));
      if (latest == nullptr || write.op->invoked > latest->op->invoked) latest = &write;
    }
    return std::nullopt;
  }

  // Events that were shown to others, and not by an answer that passes over them or comes too late.
  std::optional<Finding> left_out() const {
    std::vector<const Write*> acknowledged;
    for (const auto& [value, write] : writes_)
      if (!write.twice && write.op != nullptr && write.op->outcome == Outcome::ok && write.revision)
        acknowledged.push_back(&write);
    std::sort(acknowledged.begin(), acknowledged.end(),
              [](auto* a, auto* b) { return a->op->completed < b->op->completed; });
    std::vector<const Answer*> by_request;
    for (const Answer& answer : answers_) by_request.push_back(&answer);
    std::sort(by_request.begin(), by_request.end(),
              [](auto* a, auto* b) { return a->op->invoked < b->op->invoked; });
    auto over = acknowledged.begin();
    const Write* newest = nullptr;  // the greatest revision acknowledged before
    std::optional<Finding> first;
    for (const Answer* answer : by_request) {
      for (; over != acknowledged.end() && (*over)->op->completed < answer->op->invoked; ++over)
        if (newest == nullptr || *(*over)->revision > *newest->revision) newest = *over;
      auto found = skipped(*answer);
      if (!found && newest != nullptr && *newest->revision > answer->last())
        found = finding(FindingKind::stale_read, {newest->op, newest->seen->op}, *answer,
                        fmt::format("left out {} at revision {}, which was acknowledged {} before",
                                    to_text(newest->op->argument), *newest->revision,
                                    gap_between(*newest->op, *answer->op)),
                        fmt::format("{} was over before {} began; others were shown it",
                                    name_of(*newest->op), name_of(*answer->op)));
      if (found && (!first || found->bad_prefix_events < first->bad_prefix_events)) first = found;
    }
    return first;
  }

  std::optional<Finding> skipped(const Answer& answer) const {
    auto known = by_revision_.upper_bound(answer.after);
    for (const Shown& event : answer.events) {
      if (known->first != event.revision)
        return finding(FindingKind::lost_element,
                       {writes_.at(known->second.first).op, known->second.second->op}, answer,
                       fmt::format("went from revision {} to {} without {} at {}", answer.after,
                                   event.revision, to_text(known->second.first), known->first),
                       fmt::format("{} was shown that event between them",
                                   name_of(*known->second.second->op)));
      ++known;
    }
    return std::nullopt;
  }

  // Acknowledged, and shown to nobody, not even to one that asked from the beginning.
  std::optional<Finding> never_shown() const {
    const Write* lost = nullptr;
    for (const auto& [value, write] : writes_) {
      if (write.twice || write.op == nullptr || write.revision) continue;
      if (write.op->outcome != Outcome::ok) continue;
      if (lost == nullptr || write.op->completed < lost->op->completed) lost = &write;
    }
    if (lost == nullptr) return std::nullopt;
    for (const Answer& answer : answers_) {
      if (answer.after != 0 || answer.op->invoked < lost->op->completed) continue;
      return finding(FindingKind::lost_element, {lost->op}, answer,
                     fmt::format("never showed {}, which was acknowledged {} before",
                                 to_text(lost->op->argument), gap_between(*lost->op, *answer.op)),
                     fmt::format("{} was over before {} asked for everything", name_of(*lost->op),
                                 name_of(*answer.op)));
    }
    return std::nullopt;
  }

  [[nodiscard]] Finding finding(FindingKind kind, const std::vector<const Operation*>& beside,
                                const Answer& breaks, const std::string& headline,
                                std::string reason) const {
    std::vector<const Operation*> ops = {breaks.op};
    const Operation* last = breaks.op;  // to be answered
    for (const Operation* op : beside) {
      ops.push_back(op);
      if (op != nullptr && op->completed != never && op->completed >= last->completed) last = op;
    }
    Finding made =
        finding_of(history_, group_,
                   {kind, promise, fmt::format("a watch of {} {}", to_text(group_.key), headline),
                    std::move(reason)},
                   std::move(ops), *last);
    made.diagnosis = fmt::format("{} answers showed {} events of this key", answers_.size(),
                                 by_revision_.size());
    return made;
  }

  const History& history_;
  const KeyGroup& group_;
  std::vector<Answer> answers_;  // by answer
  std::unordered_map<Value, Write, ValueHash> writes_;
  std::map<std::int64_t, std::pair<Value, const Answer*>> by_revision_;
};

}  // namespace

CheckReport check_watch(const History& history, const CheckOptions& options) {
  (void)options;  // linear enough for any history that fits into memory
  return judge_keys("watch", history, {Function::write, Function::watch},
                    [&](const KeyGroup& group, KeyJudgement& key) {
                      key.add(Key(history, group).judge(key.undecided));
                    });
}

}  // namespace ordeal::checkers
