#include "checkers/set_checker.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "checkers/orders.h"
#include "checkers/witness.h"

namespace ordeal::checkers {
namespace {

constexpr std::string_view promise = "linearizable sets: a read has all that was added before it";

using Elements = std::unordered_set<Value, ValueHash>;

struct Read {
  const Operation* op;
  Elements elements;
};

// One that a read has and another has not.
const Value* missing(const Read& has, const Read& lacks) {
  for (const Value& element : *has.op->result.as_list())
    if (lacks.elements.count(element) == 0) return &element;
  return nullptr;
}

class Key {
 public:
  Key(const History& history, const KeyGroup& group) : history_(history), group_(group) {}

  // Nothing when the key is right; why it is undecided, in `undecided`.
  [[nodiscard]] std::optional<Finding> judge(std::string& undecided) {
    if (!collect(undecided)) return std::nullopt;
    if (auto finding = check_elements()) return finding;
    std::stable_sort(reads_.begin(), reads_.end(), [](const Read& a, const Read& b) {
      return a.elements.size() < b.elements.size();
    });
    if (auto finding = check_chain()) return finding;
    return check_groups();
  }

 private:
  bool collect(std::string& undecided) {
    for (const Operation* op : group_.ops) {
      if (op->function == Function::add) {
        if (!adds_.emplace(op->argument, op).second) {
          undecided = fmt::format("{} was added twice; elements must be added once each",
                                  to_text(op->argument));
          return false;
        }
      } else if (op->outcome == Outcome::ok) {
        // A set without elements may be answered as a key that is not there.
        static const Value::List none;
        const Value::List* list = op->result.is_nil() ? &none : op->result.as_list();
        if (list == nullptr) {
          undecided = name_of(*op) + " did not answer with a list";
          return false;
        }
        reads_.push_back({op, Elements(list->begin(), list->end())});
      }
    }
    return true;
  }

  const Operation* adder(const Value& element) const {
    const auto found = adds_.find(element);
    return found == adds_.end() ? nullptr : found->second;
  }

  // What is there was asked for, before the read was over, and is there once.
  std::optional<Finding> check_elements() const {
    for (const Read& read : reads_) {
      if (read.op->result.is_nil()) continue;
      const Value::List& list = *read.op->result.as_list();
      for (const Value& element : list) {
        const Operation* add = adder(element);
        if (add != nullptr && add->outcome != Outcome::fail && add->invoked < read.op->completed)
          continue;
        const std::string why = add == nullptr                  ? "nobody ever added it"
                                : add->outcome == Outcome::fail ? "its add had failed"
                                                                : "its add began only later";
        return finding(FindingKind::phantom_read, {add, read.op}, *read.op, {element},
                       fmt::format("a read of {} had {} although {}", key(), to_text(element), why),
                       fmt::format("{} has {}, but {}", name_of(*read.op), to_text(element), why));
      }
      if (list.size() == read.elements.size()) continue;
      Elements seen;
      for (const Value& element : list) {
        if (seen.insert(element).second) continue;
        return finding(
            FindingKind::duplicate, {adder(element), read.op}, *read.op, {element},
            fmt::format("a read of {} had {} more than once", key(), to_text(element)),
            fmt::format("{} was added once, by {}", to_text(element), name_of(*adder(element))));
      }
    }
    return std::nullopt;
  }

  std::optional<Finding> check_chain() const {
    for (std::size_t i = 1; i < reads_.size(); ++i) {
      const Value* lost =
          reads_[i - 1].op->result.is_nil() ? nullptr : missing(reads_[i - 1], reads_[i]);
      if (lost == nullptr) continue;
      const Value* other = missing(reads_[i], reads_[i - 1]);
      if (other == nullptr) continue;  // the same size and not the same: cannot be
      const Operation& later =
          reads_[i].op->completed > reads_[i - 1].op->completed ? *reads_[i].op : *reads_[i - 1].op;
      return finding(
          kind_of_loss(*lost, *reads_[i].op),
          {adder(*lost), adder(*other), reads_[i - 1].op, reads_[i].op}, later, {*lost, *other},
          fmt::format("two reads of {} saw adds in opposite orders: one has {} and not {}, the "
                      "other {} and not {}",
                      key(), to_text(*lost), to_text(*other), to_text(*other), to_text(*lost)),
          fmt::format("{} has {} without {}, {} has {} without {}: whichever was added first, one "
                      "of them lacks it",
                      name_of(*reads_[i - 1].op), to_text(*lost), to_text(*other),
                      name_of(*reads_[i].op), to_text(*other), to_text(*lost)));
    }
    return std::nullopt;
  }

  // Operations in the sequence that the reads force, with the number of their group.
  struct Placed {
    const Operation* op;
    std::size_t group;
  };
  [[nodiscard]] std::vector<Placed> place() const {
    std::vector<Placed> sequence;
    Elements seen;
    std::size_t group = 0;
    for (std::size_t i = 0; i < reads_.size(); ++i) {
      const bool grows = reads_[i].elements.size() > seen.size();
      if (grows) ++group;
      for (const Value& element : reads_[i].elements)
        if (seen.insert(element).second) sequence.push_back({adder(element), group});
      if (grows) ++group;
      sequence.push_back({reads_[i].op, group});
    }
    ++group;
    for (const auto& [element, add] : adds_)
      if (add->outcome == Outcome::ok && seen.count(element) == 0) sequence.push_back({add, group});
    return sequence;
  }

  std::optional<Finding> check_groups() const {
    const std::vector<Placed> sequence = place();
    const Operation* latest = nullptr;  // of earlier groups: who began last
    const Operation* latest_here = nullptr;
    for (std::size_t i = 0; i < sequence.size(); ++i) {
      if (i > 0 && sequence[i].group != sequence[i - 1].group &&
          (latest == nullptr || latest_here->invoked > latest->invoked))
        latest = latest_here;
      if (i == 0 || sequence[i].group != sequence[i - 1].group) latest_here = nullptr;
      const Operation& op = *sequence[i].op;
      const bool is_over = op.outcome == Outcome::ok && op.completed != never;
      if (latest != nullptr && is_over && op.completed < latest->invoked)
        return contradiction(op, *latest);
      if (latest_here == nullptr || op.invoked > latest_here->invoked) latest_here = &op;
    }
    return std::nullopt;
  }

  // `early` was over before `late` began, but what reads saw puts `late` first.
  [[nodiscard]] Finding contradiction(const Operation& early, const Operation& late) const {
    if (late.function == Function::members) {
      const Read& read =
          *std::find_if(reads_.begin(), reads_.end(), [&](const Read& r) { return r.op == &late; });
      const Value* lacked =
          early.function == Function::add ? &early.argument : missing(read_of(early), read);
      ORDEAL_CHECK(lacked != nullptr,
                   "a read that saw all of an earlier one does not contradict it");
      const Value element = *lacked;
      const std::string proof =
          early.function == Function::add ? "had been acknowledged" : "had been seen";
      return finding(
          kind_of_loss(element, late), {adder(element), &early, &late}, late, {element},
          fmt::format("a read of {} lacked {} although it {} {} before", key(), to_text(element),
                      proof, gap_between(early, late)),
          fmt::format("{} was over {} before {} began, and it shows that {} was there",
                      name_of(early), gap_between(early, late), name_of(late), to_text(element)));
    }
    // An add that began after `early` was over and that a read without early's element has seen.
    for (const Read& read : reads_) {
      if (early.function != Function::add || read.elements.count(late.argument) == 0 ||
          read.elements.count(early.argument) != 0)
        continue;
      return finding(
          kind_of_loss(early.argument, *read.op), {&early, &late, read.op}, *read.op,
          {early.argument, late.argument},
          fmt::format(
              "a read of {} had {} and lacked {}, which had been acknowledged before {} was "
              "added",
              key(), to_text(late.argument), to_text(early.argument), to_text(late.argument)),
          fmt::format("{} was over {} before {} began, so whoever sees {} must see {}",
                      name_of(early), gap_between(early, late), name_of(late),
                      to_text(late.argument), to_text(early.argument)));
    }
    return finding(FindingKind::nonlinearizable, {&early, &late}, late, {late.argument},
                   fmt::format("the reads and adds of {} fit no order", key()),
                   fmt::format("{} was over before {} began, but reads saw them the other way",
                               name_of(early), name_of(late)));
  }

  [[nodiscard]] const Read& read_of(const Operation& op) const {
    return *std::find_if(reads_.begin(), reads_.end(), [&](const Read& r) { return r.op == &op; });
  }

  // Stale when somebody saw it later, lost when many looked and nobody did.
  [[nodiscard]] FindingKind kind_of_loss(const Value& element, const Operation& without) const {
    for (const Read& read : reads_)
      if (read.op->invoked > without.invoked && read.elements.count(element) != 0)
        return FindingKind::stale_read;
    return FindingKind::lost_element;
  }

  [[nodiscard]] std::string key() const {
    return (group_.key.as_integer() != nullptr ? "key " : "") + to_text(group_.key);
  }

  // Answers are cut down to the elements concerned: elements of a set do not touch each other, so
  // what is left is as impossible as the whole.
  [[nodiscard]] Finding finding(FindingKind kind, std::vector<const Operation*> ops,
                                const Operation& breaks, const std::vector<Value>& concerned,
                                std::string headline, std::string reason) const {
    Finding made =
        finding_of(history_, group_, {kind, promise, std::move(headline), std::move(reason)},
                   std::move(ops), breaks);
    for (WitnessOperation& op : made.witness) {
      const Value::List* all = op.result.as_list();
      if (op.request.function != Function::members || all == nullptr) continue;
      Value::List shown;
      for (const Value& element : *all)
        if (std::find(concerned.begin(), concerned.end(), element) != concerned.end())
          shown.push_back(element);
      op.result = Value(std::move(shown));
    }
    certify(made);
    std::size_t later_without = 0;
    for (const Read& read : reads_)
      if (read.op->invoked > breaks.invoked && read.elements.count(concerned.front()) == 0)
        ++later_without;
    made.diagnosis = fmt::format(
        "{} later reads lack {} too; answers are shown cut down to the elements concerned",
        later_without, to_text(concerned.front()));
    made.unknown_on_key = static_cast<std::size_t>(
        std::count_if(group_.ops.begin(), group_.ops.end(), [](const Operation* op) {
          return op->outcome == Outcome::info && op->function == Function::add;
        }));
    return made;
  }

  static void certify(Finding& made) {
    const auto step = [](const Value& state, const WitnessOperation& op) -> std::optional<Value> {
      Value::List members = *state.as_list();
      if (op.request.function == Function::add) {
        members.push_back(op.request.argument);
        return Value(std::move(members));
      }
      const Value::List* seen = op.result.as_list();
      const bool same = seen == nullptr
                            ? members.empty()
                            : seen->size() == members.size() &&
                                  std::is_permutation(seen->begin(), seen->end(), members.begin());
      return same ? std::optional<Value>(state) : std::nullopt;
    };
    const auto possible = some_order_fits(made.witness, Value(Value::List{}), step);
    made.certainty = possible && !*possible ? Certainty::proven : Certainty::suspected;
    made.certainty_basis = fmt::format("{} operations, {}", made.witness.size(),
                                       made.certainty == Certainty::proven
                                           ? "apart from the checker's reasoning all orders of "
                                             "them were tried: none fits"
                                           : "by the checker's reasoning");
  }

  const History& history_;
  const KeyGroup& group_;
  std::unordered_map<Value, const Operation*, ValueHash> adds_;
  std::vector<Read> reads_;
};

}  // namespace

CheckReport check_set(const History& history, const CheckOptions& options) {
  return judge_keys("set", history, {Function::add, Function::members},
                    [&](const KeyGroup& group, KeyJudgement& key) {
                      if (options.deadline.passed())
                        key.undecided = "time ran out; allow the checker more";
                      else
                        key.add(Key(history, group).judge(key.undecided));
                    });
}

}  // namespace ordeal::checkers
