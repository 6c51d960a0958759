// Models by search, the fast paths of containers, and right orders, against the twin that tries
// all orders, on random small histories.

#include <map>

#include <catch2/catch.hpp>

#include "checkers/appends.h"
#include "checkers/check_calls.h"
#include "checkers/containers.h"
#include "checkers/second_opinion.h"
#include "core/random.h"
#include "tests/checkers/script.h"

namespace ordeal::checkers::test {

namespace {

const Budget plenty = {Deadline::after(100h), std::size_t{1} << 30U};

// All orders of all choices of unknown calls.
class Force {
 public:
  Force(const ModelKind& model, const std::vector<Call>& calls) : model_(model), calls_(calls) {}
  bool extend() {
    if (!order_.empty() && !model_.replay(calls_, order_)) return false;
    bool is_complete = true;
    for (std::uint32_t i = 0; i < calls_.size(); ++i) {
      is_complete = is_complete && (has(i) || !calls_[i].is_certain());
    }
    if (is_complete) return true;
    for (std::uint32_t i = 0; i < calls_.size(); ++i) {
      if (has(i) || !may_be_next(i)) continue;
      order_.push_back(i);
      if (extend()) return true;
      order_.pop_back();
    }
    return false;
  }

 private:
  bool has(std::uint32_t i) const { return std::ranges::find(order_, i) != order_.end(); }
  bool may_be_next(std::uint32_t i) const {
    for (std::uint32_t k = 0; k < calls_.size(); ++k) {
      if (!has(k) && calls_[k].completed < calls_[i].invoked) return false;
    }
    return true;
  }

  const ModelKind& model_;
  const std::vector<Call>& calls_;
  std::vector<std::uint32_t> order_;
};

using Draw = Value (*)(Act act, Rng& rng, int& fresh);
using Answers = std::vector<Value> (*)(Act act, const std::vector<Call>& so_far);

struct Subject {
  const char* model;
  std::vector<Act> acts;
  Draw argument;
  Answers answers;  // among which the right one is
  std::optional<bool> (*fast)(const std::vector<Call>& calls);
};

Value fresh_or_nil(Act act, Rng& rng, int& fresh) {
  if (act == Act::dequeue || act == Act::pop || act == Act::extract) return {};
  // Priorities must not all rise with time; now and then an element is put in twice.
  if (act == Act::insert) return Value(rng.between(1, 40));
  return rng.chance(0.03) ? Value(1) : Value(++fresh);
}
std::vector<Value> numbers(Act, const std::vector<Call>& so_far) {
  std::vector<Value> all = {Value()};
  for (int i = -3; i <= 12; ++i) all.emplace_back(i);
  for (const Call& call : so_far) all.push_back(call.argument);
  return all;
}
std::vector<Value> nothing(Act act, const std::vector<Call>& so_far) {
  return act == Act::dequeue || act == Act::pop || act == Act::extract || act == Act::read
             ? numbers(act, so_far)
             : std::vector<Value>{Value()};
}
Value register_argument(Act act, Rng& rng, int&) {
  if (act == Act::read) return {};
  if (act == Act::write) return Value(rng.between(1, 2));
  return Value::list({rng.chance(0.2) ? Value() : Value(rng.between(1, 2)), rng.between(1, 2)});
}
Value new_value(Act act, Rng& rng, int& fresh) {
  if (act == Act::read) return {};
  if (act == Act::write) return Value(++fresh);
  const int expected = fresh == 0 ? 0 : static_cast<int>(rng.between(1, fresh));
  return Value::list({expected == 0 ? Value() : Value(expected), ++fresh});
}
Value list_argument(Act act, Rng&, int& fresh) {
  return act == Act::read ? Value() : Value(++fresh);
}
std::vector<Value> lists(Act act, const std::vector<Call>& so_far) {
  if (act != Act::read && act != Act::members) return {Value()};
  std::vector<Value> all = {Value()};
  Value::List whole;
  all.emplace_back(whole);
  for (const Call& call : so_far) {
    if (call.act == Act::read || call.act == Act::members) continue;
    whole.push_back(call.argument);
    all.emplace_back(whole);
  }
  return all;
}
// Any of the first elements, all of them, one that nobody added, one twice.
std::vector<Value> subsets(const std::vector<Call>& so_far) {
  Value::List elements;
  for (const Call& call : so_far) {
    if (call.act == Act::add && elements.size() < 4) elements.push_back(call.argument);
  }
  std::vector<Value> all = lists(Act::members, so_far);
  for (std::size_t chosen = 1; chosen < std::size_t{1} << elements.size(); ++chosen) {
    Value::List some;
    for (std::size_t i = 0; i < elements.size(); ++i) {
      if ((chosen >> i & 1U) != 0) some.push_back(elements[i]);
    }
    all.emplace_back(some);
  }
  elements.emplace_back(99);
  all.emplace_back(elements);
  elements.back() = elements.front();
  all.emplace_back(elements);
  return all;
}
std::vector<Value> yes_or_no(Act act, const std::vector<Call>& so_far) {
  if (act == Act::contains) return {Value(true), Value(false)};
  if (act == Act::members) return subsets(so_far);
  return {Value(), Value(), Value(true), Value(false)};
}
Value element(Act act, Rng& rng, int& fresh) {
  if (act == Act::members) return {};
  return act == Act::add && rng.chance(0.8) ? Value(++fresh) : Value(rng.between(1, 4));
}
Value one_of_two(Act, Rng& rng, int&) { return {rng.between(1, 2)}; }
Value one_or_more(Act act, Rng& rng, int&) {
  if (act == Act::read) return {};
  return rng.chance(0.9) ? Value(1) : Value(rng.between(-2, 3));
}
// What a counter can have been, and a little more.
std::vector<Value> counts(Act act, const std::vector<Call>& so_far) {
  if (act != Act::read) return {Value()};
  std::vector<Value> all;
  int least = 0;
  int most = 0;
  for (const Call& call : so_far) {
    const std::int64_t* by = call.argument.as_integer();
    if (by != nullptr) (*by < 0 ? least : most) += static_cast<int>(*by);
  }
  for (int i = least; i <= most + 1; ++i) all.emplace_back(i);
  return all;
}
Value none(Act, Rng&, int&) { return {}; }
std::vector<Value> tokens(Act act, const std::vector<Call>&) {
  return act == Act::acquire ? std::vector<Value>{Value(), Value(1), Value(2), Value(3)}
                             : std::vector<Value>{Value()};
}

Value text_or_number(Act act, Rng& rng, int& fresh) {
  if (act == Act::read) return {};
  return rng.chance(0.5) ? Value(std::string(1, static_cast<char>('a' + rng.below(2))))
                         : Value(++fresh);
}
std::vector<Value> grown(Act act, const std::vector<Call>& so_far) {
  if (act != Act::read) return {Value()};
  std::vector<Value> all = {Value(), Value(""), Value(Value::List())};
  Value::List whole;
  std::string text;
  for (const Call& call : so_far) {
    if (call.act == Act::read) continue;
    if (call.act == Act::write) {
      all.push_back(call.argument);
      whole.clear();
      text.clear();
    }
    whole.push_back(call.argument);
    if (call.argument.as_string() != nullptr) text += *call.argument.as_string();
    all.emplace_back(whole);
    all.emplace_back(text);
  }
  return all;
}
// Each text once, now and then not; and answers of up to three of the first four in any order.
Value new_text(Act act, Rng& rng, int& fresh) {
  if (act == Act::read) return {};
  return Value(std::string(1, rng.chance(0.03) ? 'a' : static_cast<char>('a' + ++fresh)));
}
// Few pieces, written again and again.
Value old_text(Act act, Rng& rng, int&) {
  if (act == Act::read) return {};
  return Value(std::string(1, static_cast<char>('a' + rng.below(3))));
}
// One begins another.
Value any_text(Act act, Rng& rng, int&) {
  if (act == Act::read) return {};
  return Value(rng.pick(std::vector<std::string>{"a", "b", "ab"}));
}
Value old_element(Act act, Rng& rng, int&) {
  return act == Act::read ? Value() : Value(rng.between(1, 3));
}
std::vector<Value> texts(Act act, const std::vector<Call>& so_far) {
  if (act != Act::read) return {Value()};
  std::vector<std::string> pieces = {"", "?"};
  for (const Call& call : so_far) {
    if (call.act != Act::read && pieces.size() < 6) pieces.push_back(*call.argument.as_string());
  }
  std::vector<Value> all = {Value()};
  for (const std::string& a : pieces) {
    for (const std::string& b : pieces) {
      for (const std::string& c : pieces) all.emplace_back(a + b + c);
    }
  }
  return all;
}
Value written(Act act, Rng& rng, int&) {
  return act == Act::read ? Value() : Value(rng.between(1, 2));
}
std::vector<Value> revisions(Act act, const std::vector<Call>& so_far) {
  std::vector<Value> all = {Value()};
  for (int revision = 1; revision <= 8; ++revision) {
    if (act == Act::write) all.emplace_back(revision);
    for (const Call& call : so_far) {
      if (act == Act::read) all.push_back(Value::list({call.argument, revision}));
    }
  }
  return all;
}

std::optional<bool> fast_set(const std::vector<Call>& calls) {
  const auto decision = decide_set(calls, plenty);
  return decision ? std::optional(decision->answer == Decision::Answer::valid) : std::nullopt;
}

const std::vector<Subject> subjects = {
    {"kv", {Act::read, Act::write, Act::append}, text_or_number, grown, {}},
    {"kv", {Act::read, Act::write, Act::append, Act::append}, new_text, texts, decide_appends},
    {"kv", {Act::read, Act::write, Act::append, Act::append}, old_text, texts, {}},
    {"kv", {Act::read, Act::read, Act::write, Act::append}, old_text, grown, {}},
    {"kv", {Act::read, Act::write, Act::append, Act::append}, any_text, grown, {}},
    {"list", {Act::read, Act::append}, old_element, lists, {}},
    {"revisioned-store", {Act::read, Act::write}, written, revisions, {}},
    {"register", {Act::read, Act::write, Act::cas, Act::mismatch}, register_argument, nothing, {}},
    {"register", {Act::read, Act::read, Act::write, Act::cas}, new_value, nothing, {}},
    {"list", {Act::read, Act::append}, list_argument, lists, decide_appends},
    {"mutex", {Act::acquire, Act::release}, none, tokens, {}},
    {"owned-mutex", {Act::acquire, Act::release}, none, nothing, {}},
    {"counter", {Act::increment, Act::increment, Act::read}, one_or_more, counts, decide_counter},
    {"set", {Act::add, Act::remove, Act::contains}, element, yes_or_no, fast_set},
    {"set", {Act::add, Act::remove, Act::contains}, one_of_two, yes_or_no, fast_set},
    {"set", {Act::add, Act::add, Act::members}, element, yes_or_no, fast_set},
    {"queue", {Act::enqueue, Act::dequeue}, fresh_or_nil, nothing, decide_queue},
    {"stack", {Act::push, Act::pop}, fresh_or_nil, nothing, decide_stack},
    {"priority-queue", {Act::insert, Act::extract}, fresh_or_nil, nothing, decide_priority_queue},
};

struct Tally {
  std::size_t valid = 0;
  std::size_t invalid = 0;
  std::size_t fast = 0;
};

// Calls of a truthful container, asked by concurrent processes, now and then with a lie.
std::vector<Call> draw(const Subject& subject, const ModelKind& model, Rng& rng) {
  const double unknown = rng.chance(0.4) ? 0 : 0.2;
  const double lies = rng.chance(0.4) ? 0 : 0.2;
  const std::size_t most = 2 + rng.below(7);
  const std::size_t processes = 1 + rng.below(4);
  std::vector<Call> calls;
  std::map<std::size_t, std::pair<std::uint32_t, bool>> pending;  // call, and whether it is done
  std::vector<std::uint32_t> order;
  EventIndex now = 0;
  int fresh = 0;
  for (int turns = 0; turns < 200 && (calls.size() < most || !pending.empty()); ++turns) {
    const std::size_t p = rng.below(processes);
    const auto entry = pending.find(p);
    if (entry == pending.end()) {
      if (calls.size() == most) continue;
      Call call;
      call.invoked = now++;
      call.process = static_cast<Process>(p);
      call.act = rng.pick(subject.acts);
      call.argument = subject.argument(call.act, rng, fresh);
      pending[p] = {static_cast<std::uint32_t>(calls.size()), false};
      calls.push_back(call);
      continue;
    }
    const std::uint32_t at = entry->second.first;
    Call& call = calls[at];
    if (!entry->second.second) {
      // With `completed` set the model looks at the answer.
      call.completed = now;
      auto answers = subject.answers(call.act, calls);
      rng.shuffle(answers);
      order.push_back(at);
      bool found = false;
      for (std::size_t i = 0; i < answers.size() && !found; ++i) {
        call.result = answers[i];
        found = model.replay(calls, order);
      }
      call.completed = never;
      if (!found) order.pop_back();
      if (rng.chance(lies)) call.result = rng.pick(answers);
      entry->second.second = found || rng.chance(0.3);
      if (rng.chance(0.05) && found) order.pop_back();  // lost
    } else {
      if (rng.chance(unknown)) {
        call.result = {};
      } else {
        call.completed = now++;
      }
      pending.erase(entry);
    }
  }
  for (Call& call : calls) {
    if (!call.is_certain()) call.result = {};
  }
  return calls;
}

std::string told(const std::vector<Call>& calls) {
  std::string text;
  for (const Call& call : calls) {
    text += "  [" + std::to_string(call.invoked) + ", " +
            (call.is_certain() ? std::to_string(call.completed) : "...") + "] " + to_text(call) +
            "\n";
  }
  return text;
}

bool is_of_malformed(const std::string& why) {
  return why.find("has not the arguments") != std::string::npos;
}

bool is_well_found(const std::vector<Call>& calls, const ModelKind& model) {
  const CheckReport report = check_calls(calls, model, {});
  if (std::ranges::any_of(report.undecided, is_of_malformed, &CheckReport::Undecided::why)) {
    return true;
  }
  return report.answer == CheckReport::Answer::invalid && report.findings.size() == 1 &&
         report.findings.front().certainty == Certainty::proven;
}

// The first thing that is wrong, empty when nothing is.
std::string compare(const Subject& subject, std::uint64_t seed, const std::vector<Call>& calls,
                    Tally& tally) {
  const ModelKind& model = *model_named(subject.model);
  const bool possible = Force(model, calls).extend();
  ++(possible ? tally.valid : tally.invalid);
  std::vector<std::uint32_t> order;
  const Decision decision = model.decide(calls, plenty, &order);
  if (decision.answer != (possible ? Decision::Answer::valid : Decision::Answer::invalid)) {
    return "search";
  }
  if (possible && !is_right_order(model, calls, order)) return "its order";
  const Decision unordered = decide_calls(calls, model, plenty);
  if (unordered.answer != decision.answer && !is_of_malformed(unordered.why)) {
    return "without an order";
  }
  // What another program thinks of the calls, and of the finding.
  if (seed % 4 == 0 && some_order_exists(calls, subject.model) != possible) return "second opinion";
  if (seed % 16 == 0 && !possible && !is_well_found(calls, model)) return "its finding";
  if (subject.fast == nullptr) return "";
  const auto quick = subject.fast(calls);
  if (quick) ++tally.fast;
  return quick && *quick != possible ? "the fast path" : "";
}

}  // namespace

TEST_CASE("models, containers and their orders agree with trying all orders") {
  const std::uint64_t histories = histories_to_try(60'000);
  std::vector<Tally> tallies(subjects.size());
  for (std::uint64_t seed = 1; seed <= histories; ++seed) {
    for (std::size_t i = 0; i < subjects.size(); ++i) {
      Rng rng(seed);
      const std::vector<Call> calls = draw(subjects[i], *model_named(subjects[i].model), rng);
      const std::string complaint = compare(subjects[i], seed, calls, tallies[i]);
      if (complaint.empty()) continue;
      FAIL(subjects[i].model << " seed " << seed << ": " << complaint << "\n" << told(calls));
    }
  }
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    INFO(subjects[i].model);
    CHECK(tallies[i].valid > histories / 20);
    CHECK(tallies[i].invalid > histories / 20);
    if (subjects[i].fast != nullptr) CHECK(tallies[i].fast > histories / 6);
  }
}

}  // namespace ordeal::checkers::test
