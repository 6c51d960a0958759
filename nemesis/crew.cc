#include "nemesis/crew.h"

#include <algorithm>

#include <fmt/core.h>

#include "core/json.h"

namespace ordeal::nemesis {

namespace {

using clusters::on_each;

constexpr Nanoseconds silence = 2s;
constexpr Nanoseconds healed_pause = 100ms, asking_pause = 250ms;
// For what is asked of the cluster itself: etcd lets nobody in before all members have been
// connected for five seconds, and a learner has to catch up.
constexpr Nanoseconds cluster_timeout = 30s;

std::string last_line(const clusters::Output& output) {
  const std::string& text = output.ok() || output.err.empty() ? output.out : output.err;
  const std::size_t end = text.find_last_not_of("\n ");
  if (end == std::string::npos) return fmt::format("exit status {}", output.exit_status);
  const std::size_t newline = text.rfind('\n', end);
  const std::size_t begin = newline == std::string::npos ? 0 : newline + 1;
  return text.substr(begin, end + 1 - begin);
}

}  // namespace

Crew::Crew(std::vector<clusters::Remote*> remotes, clusters::Cluster& cluster,
           const NemesisOptions& options, RunClock clock, LineLog ledger)
    : remotes_(std::move(remotes)),
      cluster_(cluster),
      options_(options),
      clock_(clock),
      ledger_(std::move(ledger)),
      guards_(remotes_.size()) {
  for (std::size_t node = 0; node < remotes_.size(); ++node)
    starting_.push_back(std::make_unique<std::mutex>());
}

void Crew::observe(std::function<void(const FaultRecord&)> observer) {
  const std::lock_guard lock(writing_);
  observer_ = std::move(observer);
}

Result<void> Crew::write(FaultRecord record) {
  const std::lock_guard lock(writing_);
  record.at = clock_.now();
  // What a node printed may be no UTF-8; such bytes are replaced.
  const std::string line = to_json(record).dump(-1, ' ', false, Json::error_handler_t::replace);
  Result<void> written = ledger_.append(line);
  if (observer_) observer_(record);
  return written;
}

void Crew::note(int fault, FaultStep step, std::string node, std::string detail) {
  (void)write({fault, step, {}, std::move(node), std::move(detail), {}});
}

Result<std::string> Crew::look(std::size_t node, const std::string& command,
                               Nanoseconds timeout) const {
  const auto output = remotes_[node]->run({command, {}, timeout});
  if (!output) return pass_on(output.error());
  if (!output->ok()) return error("{}", last_line(*output));
  return last_line(*output);
}

std::shared_ptr<Guard> Crew::guard_of(std::size_t node) const {
  const std::lock_guard lock(mutex_);
  return guards_[node];
}

bool Crew::is_guarded(std::size_t node) const {
  const auto guard = guard_of(node);
  return guard != nullptr && guard->alive();
}

Result<void> Crew::guard_node(std::size_t node) {
  const std::lock_guard one_at_a_time(*starting_[node]);
  if (is_guarded(node)) return {};
  std::shared_ptr<Guard> old;
  {
    const std::lock_guard lock(mutex_);
    old = std::move(guards_[node]);
  }
  old.reset();  // closes its channel, so that what may be left of it ends at once
  GuardOptions options;
  options.directory = options_.directory;
  options.silence = silence;
  options.step_timeout = options_.step_timeout;
  auto guard = Guard::start(*remotes_[node], options);
  if (!guard) return pass_on(guard.error());
  const std::lock_guard lock(mutex_);
  guards_[node] = std::move(*guard);
  return {};
}

bool Crew::register_undos(int fault, const std::vector<NodeAction>& actions) {
  for (const NodeAction& action : actions) {
    const auto written =
        write({fault, FaultStep::undo, {}, name(action.node), action.restore, action.undo});
    if (!written) {
      note(fault, FaultStep::failed, name(action.node), written.error().message);
      return false;
    }
    const std::lock_guard lock(mutex_);
    actives_.push_back({fault, action});
  }
  const auto answers = on_each<void>(actions.size(), [&](std::size_t i) -> Result<void> {
    const auto guard = guard_of(actions[i].node);
    if (guard == nullptr) return error("there is no guard");
    return guard->hold(std::to_string(fault), actions[i].undo);
  });
  bool all = true;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i]) continue;
    note(fault, FaultStep::failed, name(actions[i].node), answers[i].error().message);
    all = false;
  }
  return all;
}

// A server that an undo has started a moment ago may not answer yet.
Result<std::string> Crew::ask_cluster(const std::string& action, std::size_t node) {
  const Deadline patience = Deadline::after(options_.step_timeout / 2);
  for (;;) {
    auto answer = cluster_.administer(action, node, Deadline::after(cluster_timeout));
    if (answer || patience.passed()) return answer;
    std::this_thread::sleep_for(asking_pause);
  }
}

std::optional<Nanoseconds> Crew::inject(int fault, const std::vector<NodeAction>& actions) {
  const auto answers =
      on_each<Nanoseconds>(actions.size(), [&](std::size_t i) -> Result<Nanoseconds> {
        const NodeAction& action = actions[i];
        if (!action.administer.empty()) {
          const auto answer = ask_cluster(action.administer, action.node);
          if (!answer) return pass_on(answer.error());
          const std::lock_guard lock(mutex_);
          answers_[{fault, action.node}] = *answer;
        }
        const auto guard = guard_of(action.node);
        if (guard == nullptr) return error("there is no guard");
        if (!action.inject.empty()) {
          const auto done = guard->inject(std::to_string(fault), action.inject);
          if (!done) return pass_on(done.error());
        }
        return clock_.now();
      });
  bool all = true;
  Nanoseconds first = Nanoseconds::max(), last{};
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i]) {
      note(fault, FaultStep::failed, name(actions[i].node),
           "injecting: " + answers[i].error().message);
      all = false;
      continue;
    }
    first = std::min(first, *answers[i]);
    last = std::max(last, *answers[i]);
  }
  if (!all) return std::nullopt;
  return actions.empty() ? Nanoseconds{} : last - first;
}

Result<std::string> Crew::effect(int fault, const NodeAction& action, Nanoseconds timeout) {
  if (!action.effect.empty()) return look(action.node, action.effect, timeout);
  const std::lock_guard lock(mutex_);
  const auto found = answers_.find({fault, action.node});
  if (found == answers_.end()) return error("nothing proves it");
  return found->second;
}

// A server that starts as a new member reads who the members are: it may end, because whom it asks
// does not name it yet, and would, if another were taken out before it has joined. One that never
// answers is for the recovery to judge.
void Crew::await_answer(const NodeAction& action) {
  const Deadline patience = Deadline::after(cluster_timeout);
  while (!cluster_.status(action.node, Deadline::after(silence).sooner(patience)) &&
         !patience.passed()) {
    if (!look(action.node, action.healed, options_.step_timeout))
      (void)look(action.node, action.undo, options_.step_timeout);
    std::this_thread::sleep_for(asking_pause);
  }
}

// By the guard, else, when it is gone or fails, directly; then the proof.
Result<std::string> Crew::undo(const Active& active) {
  const NodeAction& action = active.action;
  std::string answer = "undone";
  if (!action.restore.empty()) {
    auto restored = ask_cluster(action.restore, action.node);
    if (!restored) return pass_on(restored.error());
    answer = *std::move(restored);
  }
  const Deadline deadline = Deadline::after(options_.step_timeout);
  const auto guard = guard_of(action.node);
  Result<void> undone = error("the guard is gone");
  if (guard != nullptr && guard->alive()) undone = guard->undo(std::to_string(active.fault));
  if (!undone) {
    const auto direct =
        clusters::run_or_error(*remotes_[action.node], {action.undo, {}, options_.step_timeout},
                               fmt::format("undoing fault {}", active.fault));
    if (!direct) return pass_on(direct.error());
  }
  if (action.healed.empty()) return answer;
  for (;;) {
    Result<std::string> proof = look(action.node, action.healed, options_.step_timeout);
    if (proof && !action.restore.empty()) {
      await_answer(action);
      return fmt::format("{}; {}", answer, *proof);
    }
    if (proof) return proof;
    if (deadline.passed()) {
      return error("{}: fault {} is still on after its undo: {}", name(action.node), active.fault,
                   proof.error().message);
    }
    std::this_thread::sleep_for(healed_pause);
  }
}

Result<void> Crew::heal(int fault) {
  std::vector<Active> on;
  {
    const std::lock_guard lock(mutex_);
    std::copy_if(actives_.begin(), actives_.end(), std::back_inserter(on),
                 [&](const Active& active) { return active.fault == fault; });
  }
  for (const Active& active : on) {
    if (is_guarded(active.action.node)) continue;
    note(fault, FaultStep::failed, name(active.action.node),
         "the guard's channel was lost while the fault was on, so the node undoes it by itself");
  }
  if (std::any_of(on.begin(), on.end(),
                  [](const Active& active) { return !active.action.before_undo.empty(); })) {
    // What fails here is done, or fails, once more in the undo.
    (void)on_each<std::string>(on.size(), [&](std::size_t i) {
      return look(on[i].action.node, on[i].action.before_undo, options_.step_timeout);
    });
  }
  const auto answers = on_each<std::string>(on.size(), [&](std::size_t i) { return undo(on[i]); });
  std::string troubles;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const std::size_t node = on[i].action.node;
    if (!answers[i]) {
      note(fault, FaultStep::failed, name(node), answers[i].error().message);
      troubles += fmt::format("{}{} (the undo is: {})", troubles.empty() ? "" : "; ",
                              answers[i].error().message, on[i].action.undo);
      continue;
    }
    note(fault, FaultStep::healed, name(node), *answers[i]);
    const std::lock_guard lock(mutex_);
    actives_.erase(std::remove_if(actives_.begin(), actives_.end(),
                                  [&](const Active& active) {
                                    return active.fault == fault && active.action.node == node;
                                  }),
                   actives_.end());
  }
  if (!troubles.empty()) return error("{}", troubles);
  return {};
}

std::vector<int> Crew::active() const {
  const std::lock_guard lock(mutex_);
  std::set<int, std::greater<>> faults;
  for (const Active& active : actives_) faults.insert(active.fault);
  return {faults.begin(), faults.end()};
}

}  // namespace ordeal::nemesis
