#include "nemesis/nemesis.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>

#include <fmt/core.h>

#include "core/json.h"
#include "nemesis/arena.h"
#include "nemesis/guard.h"

namespace ordeal::nemesis {

namespace {

using clusters::on_each;

constexpr Nanoseconds evidence_pause = 250ms;
constexpr Nanoseconds evidence_timeout = 2s;  // of one look; also what a stop may have to wait for
constexpr Nanoseconds healed_pause = 100ms;

std::string last_line(const clusters::Output& output) {
  const std::string& text = output.ok() || output.err.empty() ? output.out : output.err;
  const std::size_t end = text.find_last_not_of("\n ");
  if (end == std::string::npos) return fmt::format("exit status {}", output.exit_status);
  const std::size_t newline = text.rfind('\n', end);
  const std::size_t begin = newline == std::string::npos ? 0 : newline + 1;
  return text.substr(begin, end + 1 - begin);
}

// False when stop came first.
bool wait_until(Deadline deadline, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_until(lock, stop, deadline.when(), [] { return false; });
  return !stop.stop_requested();
}

}  // namespace

// A fault on one node, from the moment its undo is in the ledger until it is proven healed.
struct Active {
  int fault = 0;
  NodeAction action;
};

struct Nemesis::State {
  std::vector<clusters::Remote*> remotes;
  NemesisOptions options;
  RunClock clock;
  LineLog ledger;
  Arena arena;
  std::vector<std::unique_ptr<Guard>> guards;
  std::vector<Active> actives;
  std::function<void(const FaultRecord&)> observe;

  const std::string& name(std::size_t node) const { return remotes[node]->node().name; }

  Result<void> write(FaultRecord record) {
    record.at = clock.now();
    // What a node printed may be no UTF-8; such bytes are replaced.
    const std::string line = to_json(record).dump(-1, ' ', false, Json::error_handler_t::replace);
    Result<void> written = ledger.append(line);
    if (observe) observe(record);
    return written;
  }
  // For the records without which healing must go on.
  void note(int fault, FaultStep step, std::string node, std::string detail) {
    (void)write({fault, step, {}, std::move(node), std::move(detail), {}});
  }

  // What a command that proves something printed; an Error while it does not prove it.
  Result<std::string> look(std::size_t node, const std::string& command, Nanoseconds timeout) {
    const auto output = remotes[node]->run({command, {}, timeout});
    if (!output) return pass_on(output.error());
    if (!output->ok()) return error("{}", last_line(*output));
    return last_line(*output);
  }

  GuardOptions guard_options() const { return {options.directory, 2500ms, options.step_timeout}; }

  Result<NodeFacts> prepare_node(std::size_t node, const std::set<std::string>& kinds);
  void carry_out(const FaultSpec& spec, const std::stop_token& stop);
  Result<void> restore_guards(const FaultSpec& spec, const Injection& injection);
  bool register_undos(const FaultSpec& spec, const Injection& injection);
  bool inject(const FaultSpec& spec, const Injection& injection);
  void hold(const FaultSpec& spec, const Injection& injection, const std::stop_token& stop);
  std::string last_evidence(const Injection& injection);
  Result<std::string> undo(const Active& active);
  Result<void> heal(int fault, const std::string& detail);
};

Result<NodeFacts> Nemesis::State::prepare_node(std::size_t node,
                                               const std::set<std::string>& kinds) {
  // First of all: an earlier guard has then undone what it held, and there is no other Ordeal.
  auto guard = Guard::start(*remotes[node], guard_options());
  if (!guard) return pass_on(guard.error());
  guards[node] = std::move(*guard);
  for (const auto& fault : faults()) {
    const auto swept =
        clusters::run_or_error(*remotes[node], {fault->sweep(), {}, options.step_timeout},
                               fmt::format("sweeping what is left of {} faults", fault->kind()));
    if (!swept) return pass_on(swept.error());
  }
  for (const std::string& kind : kinds) {
    const auto able = remotes[node]->run({fault_named(kind)->probe(), {}, options.step_timeout});
    if (!able)
      return pass_on(able.error(),
                     fmt::format("asking whether {} can take {} faults", name(node), kind));
    if (!able->ok())
      return error("{} cannot take {} faults: {}", name(node), kind, last_line(*able));
  }
  const auto facts = clusters::run_or_error(
      *remotes[node], {facts_command(), {}, options.step_timeout}, "asking for its addresses");
  if (!facts) return pass_on(facts.error());
  return parse_facts(*facts, remotes[node]->node());
}

Result<std::unique_ptr<Nemesis>> Nemesis::prepare(std::vector<clusters::Remote*> remotes,
                                                  clusters::Cluster& cluster,
                                                  const std::vector<FaultSpec>& plan,
                                                  const NemesisOptions& options, RunClock clock) {
  std::set<std::string> kinds;
  for (const FaultSpec& spec : plan) {
    if (fault_named(spec.kind) == nullptr)
      return error("fault {}: there is no fault named {}", spec.id, spec.kind);
    kinds.insert(spec.kind);
  }
  Result<LineLog> ledger = LineLog::open(options.ledger);
  if (!ledger) return pass_on(ledger.error());
  auto state = std::unique_ptr<State>(
      new State{std::move(remotes), options, clock, std::move(*ledger), {}, {}, {}, {}});
  state->guards.resize(state->remotes.size());
  const auto answers = on_each<NodeFacts>(
      state->remotes.size(), [&](std::size_t node) { return state->prepare_node(node, kinds); });
  std::vector<NodeFacts> facts;
  for (const auto& answer : answers) {
    if (!answer) return pass_on(answer.error());
    facts.push_back(*answer);
  }
  state->arena = make_arena(state->remotes, std::move(facts), cluster);
  // What cannot be planned is told now, not in the middle of the run.
  for (const FaultSpec& spec : plan) {
    if (const auto planned = fault_named(spec.kind)->plan(spec, state->arena); !planned) {
      return pass_on(planned.error());
    }
  }
  return std::unique_ptr<Nemesis>(new Nemesis(std::move(state)));
}

Nemesis::Nemesis(std::unique_ptr<State> state) : state_(std::move(state)) {}
Nemesis::~Nemesis() = default;

void Nemesis::run(const std::vector<FaultSpec>& plan, Nanoseconds main_start,
                  const std::function<std::optional<std::size_t>()>& leader,
                  const std::function<void(const FaultRecord&)>& observe, std::stop_token stop) {
  state_->observe = observe;
  for (const FaultSpec& spec : plan) {
    const Deadline begin = Deadline::at(state_->clock.at(main_start + spec.begin));
    if (!wait_until(begin, stop)) break;
    state_->arena.leader = leader();
    state_->carry_out(spec, stop);
  }
  state_->observe = nullptr;
}

void Nemesis::State::carry_out(const FaultSpec& spec, const std::stop_token& stop) {
  const Fault* fault = fault_named(spec.kind);
  if (fault == nullptr)
    return note(spec.id, FaultStep::failed, "", "there is no fault named " + spec.kind);
  const Result<Injection> injection = fault->plan(spec, arena);
  if (!injection) return note(spec.id, FaultStep::failed, "", injection.error().message);
  if (const auto guarded = restore_guards(spec, *injection); !guarded) return;
  std::string detail = "not injected";
  if (register_undos(spec, *injection)) {
    note(spec.id, FaultStep::inject, "", injection->resolved);
    if (inject(spec, *injection)) {
      hold(spec, *injection, stop);
      detail = stop.stop_requested() ? "" : last_evidence(*injection);
    }
  }
  (void)heal(spec.id,
             detail);  // what failed is in the ledger, still active, and tried again by heal_all
}

Result<void> Nemesis::State::restore_guards(const FaultSpec& spec, const Injection& injection) {
  const auto answers = on_each<void>(injection.actions.size(), [&](std::size_t i) -> Result<void> {
    const std::size_t node = injection.actions[i].node;
    if (guards[node] && guards[node]->alive()) return {};
    guards[node].reset();
    auto guard = Guard::start(*remotes[node], guard_options());
    if (!guard) return pass_on(guard.error());
    guards[node] = std::move(*guard);
    return {};
  });
  Result<void> all;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i]) continue;
    note(spec.id, FaultStep::failed, name(injection.actions[i].node),
         "not injected, as there is no guard: " + answers[i].error().message);
    all = answers[i];
  }
  return all;
}

// On the disk here, then with the guards there. False when it is not so everywhere.
bool Nemesis::State::register_undos(const FaultSpec& spec, const Injection& injection) {
  for (const NodeAction& action : injection.actions) {
    const auto written = write({spec.id, FaultStep::undo, {}, name(action.node), {}, action.undo});
    if (!written) {
      note(spec.id, FaultStep::failed, name(action.node), written.error().message);
      return false;
    }
    actives.push_back({spec.id, action});
  }
  const auto answers = on_each<void>(injection.actions.size(), [&](std::size_t i) {
    const NodeAction& action = injection.actions[i];
    return guards[action.node]->hold(std::to_string(spec.id), action.undo);
  });
  bool all = true;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i]) continue;
    note(spec.id, FaultStep::failed, name(injection.actions[i].node), answers[i].error().message);
    all = false;
  }
  return all;
}

bool Nemesis::State::inject(const FaultSpec& spec, const Injection& injection) {
  const auto answers =
      on_each<Nanoseconds>(injection.actions.size(), [&](std::size_t i) -> Result<Nanoseconds> {
        const NodeAction& action = injection.actions[i];
        const auto done = guards[action.node]->inject(std::to_string(spec.id), action.inject);
        if (!done) return pass_on(done.error());
        return clock.now();
      });
  bool all = true;
  Nanoseconds first = Nanoseconds::max(), last{};
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i]) {
      note(spec.id, FaultStep::failed, name(injection.actions[i].node),
           "injecting: " + answers[i].error().message);
      all = false;
      continue;
    }
    first = std::min(first, *answers[i]);
    last = std::max(last, *answers[i]);
  }
  if (all) {
    note(spec.id, FaultStep::injected, "",
         answers.size() == 1 ? "on one node"
                             : fmt::format("on {} nodes, the last {} after the first",
                                           answers.size(), to_text(last - first)));
  }
  return all;
}

void Nemesis::State::hold(const FaultSpec& spec, const Injection& injection,
                          const std::stop_token& stop) {
  const Deadline end = Deadline::after(spec.duration);
  std::vector<const NodeAction*> unproven;
  for (const NodeAction& action : injection.actions) unproven.push_back(&action);
  std::string why;
  while (!unproven.empty() && !end.passed() && !stop.stop_requested()) {
    const auto looks = on_each<std::string>(unproven.size(), [&](std::size_t i) {
      return look(unproven[i]->node, unproven[i]->effect,
                  std::min(evidence_timeout, options.step_timeout));
    });
    std::vector<const NodeAction*> still;
    for (std::size_t i = 0; i < looks.size(); ++i) {
      if (looks[i]) {
        note(spec.id, FaultStep::effect, name(unproven[i]->node), *looks[i]);
      } else {
        still.push_back(unproven[i]);
        why = looks[i].error().message;
      }
    }
    unproven = std::move(still);
    if (!unproven.empty()) (void)wait_until(end.sooner(Deadline::after(evidence_pause)), stop);
  }
  if (unproven.size() == injection.actions.size() && !stop.stop_requested()) {
    note(spec.id, FaultStep::failed, "",
         fmt::format("no evidence within {} that it took effect: {}", to_text(spec.duration), why));
  }
  (void)wait_until(end, stop);
}

// How it stands on each node at the end, for people.
std::string Nemesis::State::last_evidence(const Injection& injection) {
  const auto looks = on_each<std::string>(injection.actions.size(), [&](std::size_t i) {
    const NodeAction& action = injection.actions[i];
    return look(action.node, action.effect, std::min(evidence_timeout, options.step_timeout));
  });
  std::string text;
  for (std::size_t i = 0; i < looks.size(); ++i) {
    text += fmt::format("{}{}: {}", i == 0 ? "" : ", ", name(injection.actions[i].node),
                        looks[i] ? *looks[i] : looks[i].error().message);
  }
  return text;
}

// By the guard, else, when it is gone or fails, directly; then the proof.
Result<std::string> Nemesis::State::undo(const Active& active) {
  const NodeAction& action = active.action;
  const Deadline deadline = Deadline::after(options.step_timeout);
  Guard* guard = guards[action.node].get();
  Result<void> undone = error("the guard is gone");
  if (guard != nullptr && guard->alive()) undone = guard->undo(std::to_string(active.fault));
  if (!undone) {
    const auto direct =
        clusters::run_or_error(*remotes[action.node], {action.undo, {}, options.step_timeout},
                               fmt::format("undoing fault {}", active.fault));
    if (!direct) return pass_on(direct.error());
  }
  for (;;) {
    Result<std::string> proof = look(action.node, action.healed, options.step_timeout);
    if (proof) return proof;
    if (deadline.passed()) {
      return error("{}: fault {} is still on after its undo: {}", name(action.node), active.fault,
                   proof.error().message);
    }
    (void)wait_until(Deadline::after(healed_pause), {});
  }
}

Result<void> Nemesis::State::heal(int fault, const std::string& detail) {
  std::vector<Active> on;
  std::copy_if(actives.begin(), actives.end(), std::back_inserter(on),
               [&](const Active& active) { return active.fault == fault; });
  if (on.empty()) return {};
  note(fault, FaultStep::heal, "", detail);
  for (const Active& active : on) {
    const Guard* guard = guards[active.action.node].get();
    if (guard != nullptr && guard->alive()) continue;
    note(fault, FaultStep::failed, name(active.action.node),
         "the guard's channel was lost while the fault was on, so the node undoes it by itself");
  }
  const auto answers = on_each<std::string>(on.size(), [&](std::size_t i) { return undo(on[i]); });
  std::string troubles;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const std::string& node = name(on[i].action.node);
    if (!answers[i]) {
      note(fault, FaultStep::failed, node, answers[i].error().message);
      troubles += fmt::format("{}{} (the undo is: {})", troubles.empty() ? "" : "; ",
                              answers[i].error().message, on[i].action.undo);
      continue;
    }
    note(fault, FaultStep::healed, node, *answers[i]);
    actives.erase(std::remove_if(actives.begin(), actives.end(),
                                 [&](const Active& active) {
                                   return active.fault == fault &&
                                          active.action.node == on[i].action.node;
                                 }),
                  actives.end());
  }
  if (!troubles.empty()) return error("{}", troubles);
  return {};
}

Result<void> Nemesis::heal_all() {
  std::set<int, std::greater<>> still_on;  // newest first
  for (const Active& active : state_->actives) still_on.insert(active.fault);
  std::string troubles;
  for (const int fault : still_on) {
    const auto healed = state_->heal(fault, "on the way out");
    if (!healed) troubles += (troubles.empty() ? "" : "; ") + healed.error().message;
  }
  if (!troubles.empty()) return error("{}", troubles);
  return {};
}

}  // namespace ordeal::nemesis
