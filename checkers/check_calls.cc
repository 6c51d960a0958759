#include "checkers/check_calls.h"

#include <unordered_map>

#include <fmt/format.h>

#include "checkers/appends.h"
#include "checkers/containers.h"
#include "checkers/linearizability.h"
#include "checkers/second_opinion.h"

namespace ordeal::checkers {

namespace {

constexpr Nanoseconds time_to_shrink = 5s;  // one finding, and all of them after the deadline
constexpr std::size_t most_told = 12;       // calls in the words of a finding

bool grows_by_append(const ModelKind& model) { return model.name == "kv" || model.name == "list"; }

std::optional<bool> decide_fast(const std::vector<Call>& calls, const ModelKind& model) {
  if (model.name == "queue") return decide_queue(calls);
  if (model.name == "stack") return decide_stack(calls);
  if (model.name == "priority-queue") return decide_priority_queue(calls);
  if (model.name == "counter") return decide_counter(calls);
  if (grows_by_append(model)) return decide_appends(calls);
  return std::nullopt;
}

bool is_pair(const Value& value) {
  return value.as_list() != nullptr && value.as_list()->size() == 2;
}

bool is_deeds(const Value& value) {
  const auto* deeds = value.as_list();
  return deeds != nullptr && std::ranges::all_of(*deeds, [](const Value& deed) {
           return deed.as_list() != nullptr && deed.as_list()->size() == 3;
         });
}

// Whether the call has the arguments that its model reads: one that has not can be neither right
// nor wrong.
bool is_well_formed(const Call& call, const ModelKind& model) {
  switch (call.act) {
    case Act::cas:
    case Act::mismatch:
      return is_pair(call.argument);
    case Act::enqueue:
    case Act::push:
      return !call.argument.is_nil();  // nil is the answer of an empty container
    case Act::insert:
    case Act::increment:
      return call.argument.as_integer() != nullptr;
    case Act::extract:
      return call.result.is_nil() || call.result.as_integer() != nullptr;
    case Act::txn:
      return is_deeds(call.argument) && (!call.is_certain() || is_deeds(call.result));
    case Act::read:
      return model.name != "counter" || !call.is_certain() || call.result.as_integer() != nullptr;
    default:
      return true;
  }
}

// What had begun by that event; what completed later is unknown.
std::vector<Call> prefix_of(const std::vector<Call>& calls, EventIndex end) {
  std::vector<Call> prefix;
  for (const Call& call : calls) {
    if (call.invoked > end) break;
    prefix.push_back(call);
    if (call.completed <= end) continue;
    prefix.back().completed = never;
    prefix.back().result = {};
  }
  return prefix;
}

class Shrinker {
 public:
  // `first_took`: how long the verdict took; no step is given much more.
  Shrinker(const ModelKind& model, const Budget& budget, Nanoseconds first_took)
      : model_(model), budget_(budget), step_limit_(10 * first_took + 20ms) {}

  // The shortest impossible prefix, and what of it is left.
  std::vector<Call> run(const std::vector<Call>& calls) {
    std::vector<EventIndex> ends;
    for (const Call& call : calls) {
      if (call.is_certain()) ends.push_back(call.completed);
    }
    std::ranges::sort(ends);
    std::size_t low = 0;
    std::size_t high = ends.size() - 1;
    while (low < high) {
      const std::size_t middle = low + (high - low) / 2;
      if (is_impossible(prefix_of(calls, ends[middle]))) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    std::vector<Call> core = prefix_of(calls, ends[high]);
    broken_at_ = ends[high];
    for (std::size_t length = core.size() / 2;; length /= 2) {
      const std::size_t before = core.size();
      leave_out(core, std::max<std::size_t>(length, 1));
      // What goes may take others with it.
      if (length <= 1 && core.size() == before) break;
    }
    return core;
  }
  [[nodiscard]] EventIndex broken_at() const { return broken_at_; }
  // Whether no call that may be left out is left in it.
  [[nodiscard]] bool is_minimal() const { return is_minimal_; }

 private:
  bool is_impossible(const std::vector<Call>& calls) {
    const Budget step = {Deadline::after(step_limit_).sooner(budget_.deadline), budget_.memory,
                         budget_.threads};
    const Decision decision = decide_calls(calls, model_, step);
    if (decision.answer == Decision::Answer::unknown) is_minimal_ = false;
    return decision.answer == Decision::Answer::invalid;
  }
  // Calls that go together: on one element, or one that only looks or was never seen.
  [[nodiscard]] std::vector<std::vector<std::size_t>> groups(const std::vector<Call>& calls) const {
    std::vector<std::vector<std::size_t>> groups;
    std::unordered_map<Value, std::size_t, ValueHash> places;
    const auto unseen = grows_by_append(model_) ? unseen_writes(calls) : std::vector<bool>();
    for (std::size_t i = 0; i < calls.size(); ++i) {
      const Value& element = calls[i].argument.is_nil() ? calls[i].result : calls[i].argument;
      const bool whole = calls[i].act == Act::members || calls[i].act == Act::contains;
      // An unknown removal may have taken any element: it stays.
      if (model_.only_looks(calls[i]) || (!unseen.empty() && unseen[i])) groups.push_back({i});
      if (!model_.is_elementwise || whole || element.is_nil()) continue;
      const auto [entry, added] = places.try_emplace(element, groups.size());
      if (added) groups.emplace_back();
      groups[entry->second].push_back(i);
    }
    return groups;
  }
  void leave_out(std::vector<Call>& core, std::size_t length) {
    is_minimal_ = true;  // as the last time shows
    // Sets read as a whole name their elements: those stay.
    const bool has_whole =
        std::ranges::any_of(core, [](const Call& call) { return call.act == Act::members; });
    const auto all = groups(core);
    std::vector<bool> kept(core.size(), true);
    const auto selected = [&](const std::vector<bool>& wanted) {
      std::vector<Call> calls;
      for (std::size_t i = 0; i < core.size(); ++i) {
        if (wanted[i]) calls.push_back(core[i]);
      }
      return calls;
    };
    for (std::size_t start = 0; start < all.size(); start += length) {
      std::vector<bool> wanted = kept;
      for (std::size_t g = start; g < std::min(start + length, all.size()); ++g) {
        const bool looks = all[g].size() == 1 && model_.only_looks(core[all[g].front()]);
        if (has_whole && !looks) continue;
        for (const std::size_t i : all[g]) wanted[i] = false;
      }
      if (wanted != kept && is_impossible(selected(wanted))) kept = std::move(wanted);
    }
    core = selected(kept);
  }

  const ModelKind& model_;
  const Budget budget_;
  const Nanoseconds step_limit_;
  EventIndex broken_at_ = 0;
  bool is_minimal_ = true;
};

// The finding of calls that were found impossible, or the sentence of a defect when the second
// opinion disagrees.
Result<Finding> find(const std::vector<Call>& calls, const ModelKind& model, const Budget& budget,
                     Nanoseconds first_took) {
  Shrinker shrinker(model, budget, first_took);
  const std::vector<Call> core = shrinker.run(calls);
  const auto possible = some_order_exists(core, model.name);
  if (possible && *possible) {
    return error(
        "the checker found no order of {} calls on a {}, but trying all orders found one (the "
        "first is {}); please report this with the history",
        core.size(), model.name, to_text(core.front()));
  }
  Finding finding;
  finding.certainty = possible ? Certainty::proven : Certainty::suspected;
  finding.promise = fmt::format("a linearizable {}", model.name);
  if (!calls.empty() && model.is_per_key) finding.key = calls.front().key;
  finding.headline = fmt::format("no order of {} calls explains their answers", core.size());
  finding.certainty_basis = fmt::format(
      "{} calls, impossible by the checker's algorithms{}", core.size(),
      possible ? " and, apart from them, by trying all orders" : "; too many to try all orders");
  finding.diagnosis = "not looked into";
  finding.operations_on_key = calls.size();
  for (const Call& call : calls) finding.unknown_on_key += call.is_certain() ? 0U : 1U;
  finding.bad_prefix_events = std::size_t{shrinker.broken_at()} + 1;
  finding.signature = to_text(finding.kind);
  Reason reason;
  for (const Call& call : core) {
    reason.evidence.push_back(call.invoked);
    if (reason.evidence.size() > most_told) continue;
    reason.text +=
        fmt::format("{}{} [{}, {}]", reason.text.empty() ? "" : "; ", to_text(call), call.invoked,
                    call.is_certain() ? std::to_string(call.completed) : "...");
  }
  if (core.size() > most_told) reason.text += fmt::format("; and {} more", core.size() - most_told);
  finding.reasons = {
      std::move(reason),
      {fmt::format("No order of these agrees with real time and gives every answer{}.",
                   shrinker.is_minimal()
                       ? "; without any of those that may be left out, there is one"
                       : ". Fewer may be enough: there was no time to leave out more"),
       {}}};
  return finding;
}

std::vector<std::vector<Call>> split(const std::vector<Call>& calls, const ModelKind& model) {
  if (!model.is_per_key) return {calls};
  std::vector<std::vector<Call>> parts;
  std::unordered_map<Value, std::size_t, ValueHash> places;
  for (const Call& call : calls) {
    const auto [entry, added] = places.try_emplace(call.key, parts.size());
    if (added) parts.emplace_back();
    parts[entry->second].push_back(call);
  }
  return parts;
}

}  // namespace

Decision decide_calls(const std::vector<Call>& calls, const ModelKind& model,
                      const Budget& budget) {
  for (const Call& call : calls) {
    const bool is_known = std::ranges::find(model.acts, call.act) != model.acts.end();
    if (is_known && is_well_formed(call, model)) continue;
    if (is_known) {
      return {Decision::Answer::unknown,
              fmt::format("{} has not the arguments that a {} takes", to_text(call), model.name)};
    }
    return {Decision::Answer::unknown,
            fmt::format("{} is nothing that a {} does; choose another model", to_text(call),
                        model.name)};
  }
  if (budget.deadline.passed()) {
    return {Decision::Answer::unknown, "time ran out; allow the checker more"};
  }
  if (const auto valid = decide_fast(calls, model)) {
    return {*valid ? Decision::Answer::valid : Decision::Answer::invalid, {}};
  }
  if (model.name == "set") {
    if (auto decision = decide_set(calls, budget)) return *std::move(decision);
  }
  return model.decide(calls, budget, nullptr);
}

void find_orders(const std::vector<Call>& calls, const ModelKind& model, const Budget& budget,
                 const OnOrder& on_order) {
  for (const std::vector<Call>& part : split(calls, model)) {
    if (part.empty()) continue;
    std::vector<std::uint32_t> order;
    on_order(model.is_per_key ? part.front().key : Value(), part, order,
             model.decide(part, budget, &order).why);
  }
}

CheckReport check_calls(const std::vector<Call>& calls, const ModelKind& model,
                        const CheckOptions& options, const OnOrder& on_order) {
  const auto began = SteadyClock::now();
  const Budget budget = {options.deadline, options.memory_limit, options.threads};
  const auto latest = Deadline::at(options.deadline.when() + time_to_shrink);
  CheckReport report;
  report.checker = fmt::format("linearizable {}", model.name);
  std::size_t bad = 0;
  for (const std::vector<Call>& part : split(calls, model)) {
    if (part.empty()) continue;
    ++report.keys;
    const Value key = model.is_per_key ? part.front().key : Value();
    const auto first = SteadyClock::now();
    Decision decision = decide_calls(part, model, budget);
    const Nanoseconds first_took = SteadyClock::now() - first;
    if (on_order && decision.answer == Decision::Answer::valid) {
      find_orders(part, model, budget, on_order);
    }
    if (decision.answer == Decision::Answer::unknown) {
      report.undecided.push_back({key, std::move(decision.why)});
    } else if (decision.answer == Decision::Answer::invalid && ++bad <= most_findings) {
      const Budget to_shrink = {Deadline::after(time_to_shrink).sooner(latest),
                                options.memory_limit, options.threads};
      auto finding = find(part, model, to_shrink, first_took);
      if (finding) {
        report.findings.push_back(*std::move(finding));
        report.findings.back().number = static_cast<int>(report.findings.size());
      } else {
        report.undecided.push_back({key, finding.error().message, true});
        --bad;
      }
    }
  }
  report.keys_decided = report.keys - report.undecided.size();
  report.answer = bad > 0                     ? CheckReport::Answer::invalid
                  : !report.undecided.empty() ? CheckReport::Answer::unknown
                                              : CheckReport::Answer::valid;
  report.took = SteadyClock::now() - began;
  return report;
}

}  // namespace ordeal::checkers
