#include "nemesis/nemesis.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include <fmt/core.h>

#include "nemesis/arena.h"
#include "nemesis/crew.h"
#include "nemesis/gate.h"
#include "nemesis/trigger.h"
#include "nemesis/turns.h"

namespace ordeal::nemesis {

namespace {

using clusters::on_each;

constexpr Nanoseconds evidence_pause = 250ms;
constexpr Nanoseconds evidence_timeout = 2s;  // of one look; also what a stop may have to wait for
constexpr Nanoseconds evidence_grace = 3s;    // beyond its end, for a fault that has shown none yet

// False when stop came first.
bool wait_until(Deadline deadline, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_until(lock, stop, deadline.when(), [] { return false; });
  return !stop.stop_requested();
}

}  // namespace

struct Nemesis::State {
  State(std::vector<clusters::Remote*> remotes, clusters::Cluster& cluster,
        const NemesisOptions& wanted, RunClock run_clock, LineLog ledger)
      : crew(std::move(remotes), cluster, wanted, run_clock, std::move(ledger)),
        options(wanted),
        clock(run_clock) {}

  Crew crew;
  NemesisOptions options;
  RunClock clock;
  Arena arena;  // without a leader
  std::map<std::string, std::string> left_out;
  Outside outside;
  Gate gate;

  Result<NodeFacts> prepare_node(std::size_t node);
  Result<void> probe(const std::set<std::string>& kinds);
  void carry_out(const FaultSpec& spec, const std::stop_token& stop);
  void miss(const FaultSpec& spec);
  bool await_release(const FaultSpec& spec, const std::stop_token& stop);
  [[nodiscard]] Result<Injection> planned(const FaultSpec& spec) const;
  bool guarded(int fault, const std::vector<NodeAction>& actions);
  bool begin_turn(int fault, const std::string& resolved, const Turn& turn, bool is_first);
  void hold(int fault, const Turn& turn, std::set<std::size_t>& proven, std::string& why,
            const std::stop_token& stop);
  std::string last_evidence(int fault, const std::vector<NodeAction>& actions);
};

Result<NodeFacts> Nemesis::State::prepare_node(std::size_t node) {
  // First of all: an earlier guard has then undone what it held, and there is no other Ordeal.
  if (auto guarded = crew.guard_node(node); !guarded) return pass_on(guarded.error());
  for (const auto& fault : faults()) {
    const auto swept = clusters::run_or_error(
        crew.remote(node), {fault->sweep(arena.program()), {}, options.step_timeout},
        fmt::format("sweeping what is left of {} faults", fault->kind()));
    if (!swept) return pass_on(swept.error());
  }
  const auto facts = clusters::run_or_error(
      crew.remote(node), {facts_command(), {}, options.step_timeout}, "asking for its addresses");
  if (!facts) return pass_on(facts.error());
  return parse_facts(*facts, crew.remote(node).node());
}

// Which kinds the nodes cannot take: an Error, or `left_out` where that is wanted.
Result<void> Nemesis::State::probe(const std::set<std::string>& kinds) {
  for (const std::string& kind : kinds) {
    const Fault& fault = *fault_named(kind);
    const auto answers = on_each<void>(crew.size(), [&](std::size_t node) -> Result<void> {
      const auto able = crew.look(node, fault.probe(arena, node), options.step_timeout);
      if (able) return {};
      return error("{} cannot take {} faults: {}", crew.name(node), kind, able.error().message);
    });
    for (const auto& answer : answers) {
      if (answer) continue;
      if (!options.leave_out) return pass_on(answer.error());
      left_out.emplace(kind, answer.error().message);
    }
  }
  return {};
}

Result<std::unique_ptr<Nemesis>> Nemesis::prepare(std::vector<clusters::Remote*> remotes,
                                                  clusters::Cluster& cluster,
                                                  const std::vector<FaultSpec>& plan,
                                                  const NemesisOptions& options, RunClock clock) {
  std::set<std::string> kinds;
  for (const FaultSpec& spec : plan) {
    const Fault* fault = fault_named(spec.kind);
    if (fault == nullptr) return error("fault {}: there is no fault named {}", spec.id, spec.kind);
    if (auto fits = fault->fits(cluster); !fits)
      return pass_on(fits.error(), fmt::format("fault {}", spec.id));
    if (auto known = check_mode(spec, *fault); !known) return pass_on(known.error());
    if (auto known = check_trigger(spec); !known) return pass_on(known.error());
    kinds.insert(spec.kind);
  }
  Result<LineLog> ledger = LineLog::open(options.ledger);
  if (!ledger) return pass_on(ledger.error());
  auto state = std::make_unique<State>(remotes, cluster, options, clock, std::move(*ledger));
  state->arena.directory = options.directory;
  const auto answers = on_each<NodeFacts>(
      remotes.size(), [&](std::size_t node) { return state->prepare_node(node); });
  std::vector<NodeFacts> facts;
  for (const auto& answer : answers) {
    if (!answer) return pass_on(answer.error());
    facts.push_back(*answer);
  }
  state->arena = make_arena(remotes, std::move(facts), cluster);
  state->arena.directory = options.directory;
  if (auto able = state->probe(kinds); !able) return pass_on(able.error());
  // What cannot be planned is told now, not in the middle of the run.
  for (const FaultSpec& spec : plan) {
    if (const auto planned = fault_named(spec.kind)->plan(spec, state->arena); !planned)
      return pass_on(planned.error());
  }
  return std::unique_ptr<Nemesis>(new Nemesis(std::move(state)));
}

Nemesis::Nemesis(std::unique_ptr<State> state) : state_(std::move(state)) {}
Nemesis::~Nemesis() = default;

const std::map<std::string, std::string>& Nemesis::left_out() const { return state_->left_out; }

void Nemesis::run(const std::vector<FaultSpec>& plan, Nanoseconds main_start,
                  const Outside& outside, const std::function<void(const FaultRecord&)>& observe,
                  std::stop_token stop) {
  state_->outside = outside;
  state_->crew.observe(observe);
  {
    std::vector<std::jthread> threads;
    for (const FaultSpec& spec : plan) {
      if (const auto reason = state_->left_out.find(spec.kind); reason != state_->left_out.end()) {
        state_->crew.note(spec.id, FaultStep::skipped, "", reason->second);
        continue;
      }
      const Deadline begin = Deadline::at(state_->clock.at(main_start + spec.begin));
      const Touches touches = fault_named(spec.kind)->touches();
      const auto work = [this, &spec, stop](Gate::Place place) {
        if (!state_->gate.enter(place, stop)) return state_->miss(spec);
        if (state_->await_release(spec, stop)) {
          if (stop.stop_requested()) {
            state_->miss(spec);
          } else {
            state_->carry_out(spec, stop);
          }
        }
        state_->gate.leave(place);
      };
      if (!wait_until(begin, stop)) break;
      if (spec.parameters.count("when") == 0) {
        threads.emplace_back(work, state_->gate.come(touches));
        continue;
      }
      threads.emplace_back([this, &spec, stop, touches, work] {
        if (await_trigger(spec, state_->crew, state_->arena, state_->outside, stop))
          work(state_->gate.come(touches));
      });
    }
  }
  state_->crew.observe(nullptr);
}

Result<Injection> Nemesis::State::planned(const FaultSpec& spec) const {
  const Fault* fault = fault_named(spec.kind);
  if (fault == nullptr) return error("there is no fault named {}", spec.kind);
  Arena now = arena;
  if (outside.leader) now.leader = outside.leader();
  return fault->plan(spec, now);
}

bool Nemesis::State::guarded(int fault, const std::vector<NodeAction>& actions) {
  const auto answers = on_each<void>(
      actions.size(), [&](std::size_t i) { return crew.guard_node(actions[i].node); });
  bool all = true;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i]) continue;
    crew.note(fault, FaultStep::failed, crew.name(actions[i].node),
              "not injected, as there is no guard: " + answers[i].error().message);
    all = false;
  }
  return all;
}

// Twice when a guard was lost on the way: the second time with a new one.
bool Nemesis::State::begin_turn(int fault, const std::string& resolved, const Turn& turn,
                                bool is_first) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (!guarded(fault, turn.actions)) continue;
    if (crew.register_undos(fault, turn.actions)) {
      if (is_first) crew.note(fault, FaultStep::inject, "", resolved);
      if (const auto spread = crew.inject(fault, turn.actions)) {
        if (is_first) {
          crew.note(fault, FaultStep::injected, "",
                    turn.actions.size() == 1
                        ? "on one node"
                        : fmt::format("on {} nodes, the last {} after the first",
                                      turn.actions.size(), to_text(*spread)));
        }
        return true;
      }
    }
    const bool lost =
        std::any_of(turn.actions.begin(), turn.actions.end(),
                    [&](const NodeAction& action) { return !crew.is_guarded(action.node); });
    if (!lost || attempt == 1) return false;
    if (!crew.heal(fault)) return false;  // half of it may be on
    crew.note(fault, FaultStep::failed, "", "a guard was lost: injecting once more");
  }
  return false;
}

// False, and a line of the ledger, when the end came before the faults were let go on.
bool Nemesis::State::await_release(const FaultSpec& spec, const std::stop_token& stop) {
  while (outside.held && outside.held()) {
    if (wait_until(Deadline::after(100ms), stop)) continue;
    crew.note(spec.id, FaultStep::failed, "", "held back by hand until the end");
    return false;
  }
  return true;
}

// Its turn never came. Of kinds that were asked for by name that is a hole in the test; of a run
// that takes what it can get, one more that it could not.
void Nemesis::State::miss(const FaultSpec& spec) {
  crew.note(spec.id, options.leave_out ? FaultStep::skipped : FaultStep::failed, "",
            "its turn did not come before the end: the faults before it took longer than planned");
}

void Nemesis::State::carry_out(const FaultSpec& spec, const std::stop_token& stop) {
  const Result<Injection> injection = planned(spec);
  if (!injection) return crew.note(spec.id, FaultStep::failed, "", injection.error().message);
  const std::vector<Turn> turns = turns_of(spec, *injection);
  std::string detail = "not injected", why;
  std::set<std::size_t> proven;
  bool is_first = true;
  for (const Turn& turn : turns) {
    if (!begin_turn(spec.id, injection->resolved, turn, is_first)) break;
    hold(spec.id, turn, proven, why, stop);
    const bool is_last = &turn == &turns.back() || stop.stop_requested();
    detail = stop.stop_requested() ? "" : last_evidence(spec.id, turn.actions);
    is_first = false;
    if (is_last) break;
    if (!crew.heal(spec.id)) break;
    if (!wait_until(Deadline::after(turn.off), stop)) break;
  }
  if (!is_first && proven.empty() && !stop.stop_requested()) {
    crew.note(
        spec.id, FaultStep::failed, "",
        fmt::format("no evidence within {} that it took effect: {}", to_text(spec.duration), why));
  }
  const std::vector<int> on = crew.active();
  if (std::find(on.begin(), on.end(), spec.id) == on.end()) return;
  crew.note(spec.id, FaultStep::heal, "", detail);
  (void)crew.heal(spec.id);  // what failed is in the ledger, still active, and tried again later
}

// Until the end of the turn; looks for evidence as long as some node has shown none. A short fault
// on a slow machine is held longer, until one has.
void Nemesis::State::hold(int fault, const Turn& turn, std::set<std::size_t>& proven,
                          std::string& why, const std::stop_token& stop) {
  const Deadline end = Deadline::after(turn.on), latest = Deadline::after(turn.on + evidence_grace);
  for (;;) {
    std::vector<const NodeAction*> unproven;
    for (const NodeAction& action : turn.actions) {
      if (proven.count(action.node) == 0) unproven.push_back(&action);
    }
    const Deadline until = proven.empty() ? latest : end;
    if (unproven.empty() || until.passed() || stop.stop_requested()) break;
    const auto looks = on_each<std::string>(unproven.size(), [&](std::size_t i) {
      return crew.effect(fault, *unproven[i], std::min(evidence_timeout, options.step_timeout));
    });
    for (std::size_t i = 0; i < looks.size(); ++i) {
      if (looks[i]) {
        crew.note(fault, FaultStep::effect, crew.name(unproven[i]->node), *looks[i]);
        proven.insert(unproven[i]->node);
      } else {
        why = looks[i].error().message;
      }
    }
    if (proven.size() < turn.actions.size())
      (void)wait_until((proven.empty() ? latest : end).sooner(Deadline::after(evidence_pause)),
                       stop);
  }
  (void)wait_until(end, stop);
}

// How it stands on each node at the end, for people.
std::string Nemesis::State::last_evidence(int fault, const std::vector<NodeAction>& actions) {
  const auto looks = on_each<std::string>(actions.size(), [&](std::size_t i) {
    return crew.effect(fault, actions[i], std::min(evidence_timeout, options.step_timeout));
  });
  std::string text;
  for (std::size_t i = 0; i < looks.size(); ++i) {
    text += fmt::format("{}{}: {}", i == 0 ? "" : ", ", crew.name(actions[i].node),
                        looks[i] ? *looks[i] : looks[i].error().message);
  }
  return text;
}

Result<void> Nemesis::heal_all() {
  std::string troubles;
  for (const int fault : state_->crew.active()) {
    state_->crew.note(fault, FaultStep::heal, "", "on the way out");
    const auto healed = state_->crew.heal(fault);
    if (!healed) troubles += (troubles.empty() ? "" : "; ") + healed.error().message;
  }
  if (!troubles.empty()) return error("{}", troubles);
  return {};
}

}  // namespace ordeal::nemesis
