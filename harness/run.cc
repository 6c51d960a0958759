#include "harness/run.h"

#include <algorithm>
#include <mutex>
#include <thread>

#include "checkers/online.h"
#include "core/file.h"
#include "core/history.h"
#include "harness/announcer.h"
#include "harness/execution.h"
#include "harness/inspect.h"
#include "harness/judge.h"
#include "harness/liveness.h"
#include "harness/observer.h"
#include "harness/touched.h"
#include "harness/version.h"
#include "harness/workers.h"
#include "nemesis/nemesis.h"
#include "results/index.h"
#include "results/store.h"

namespace ordeal::harness {

namespace {

constexpr auto connect_timeout = 10s;
constexpr auto start_timeout = 30s;
constexpr auto final_timeout = 20s;
constexpr double operations_while_recovering = 100;  // a second
constexpr auto status_timeout = 1s;
// Until replicas that nobody asks for anything must hold the same.
constexpr auto rest_timeout = 10s;
constexpr auto download_timeout = 60s;
constexpr std::size_t log_limit = std::size_t{64} << 20U;

using clusters::Remote;

// The first error of several answers, with the number of the others: one dead switch is one
// sentence.
Result<void> all_of(const std::vector<Result<void>>& answers) {
  std::optional<Error> first;
  std::size_t failed = 0;
  for (const auto& answer : answers) {
    if (answer) continue;
    ++failed;
    if (!first) first = answer.error();
  }
  if (!first) return {};
  if (failed == 1) return pass_on(*first);
  return error("{} (and the same or other trouble on {} more nodes)", first->message, failed - 1);
}

class Run {
 public:
  Run(const RunRequest& request, std::filesystem::path directory, std::stop_token stop);

  RunEnd carry_out();

 private:
  using Step = Result<void> (Run::*)();

  // Runs a phase unless the run was stopped or broken before; trouble in it is recorded.
  bool phase(Phase name, Step step);
  void enter(Phase name);
  void trouble(Verdict verdict, std::string text, std::string advice = "");
  void save();
  [[nodiscard]] std::vector<Remote*> remotes() const {
    std::vector<Remote*> all;
    for (const auto& remote : remotes_) all.push_back(remote.get());
    return all;
  }
  [[nodiscard]] Result<void> on_nodes(
      const std::function<Result<void>(std::size_t)>& action) const {
    return all_of(clusters::on_each<void>(request_.inventory.nodes.size(), action));
  }

  Result<void> prepare();
  Result<void> deploy();
  Result<void> start();
  Result<void> main();
  void heal();
  Result<void> recover();
  Result<void> final();
  void collect();
  void teardown();
  RunEnd judge_and_store();

  WorkersEnd work(workloads::Generator generator, std::string_view stream,
                  std::size_t first_node = 0);
  bool watch(const Event& event);
  Result<void> collect_logs(std::size_t node);
  void tell_clients(Nanoseconds now, LiveState& state) const;
  LiveState live_state();

  const RunRequest& request_;
  const Configuration& configuration_;
  std::filesystem::path directory_;
  std::stop_token stop_;
  RunClock clock_;
  Live live_;
  Announcer announcer_;
  Execution execution_;
  bool started_ = false;  // servers were asked to start, so there are logs
  std::vector<std::string> names_;
  std::vector<std::unique_ptr<Remote>> remotes_;
  std::unique_ptr<clusters::Cluster> cluster_;
  std::unique_ptr<workloads::Workload> workload_;
  std::shared_ptr<workloads::Generator> asking_;  // of the main phase; goes on after healing
  std::unique_ptr<nemesis::Nemesis> nemesis_;
  std::unique_ptr<HistoryWriter> history_;
  std::unique_ptr<Observer> observer_;
  std::shared_ptr<TouchedKeys> touched_ = std::make_shared<TouchedKeys>();
  WorkersProgress progress_;
  checkers::OnlineCheck online_;
  Process next_process_ = 0;
};

Run::Run(const RunRequest& request, std::filesystem::path directory, std::stop_token stop)
    : request_(request),
      configuration_(request.plan.configuration),
      directory_(std::move(directory)),
      stop_(std::move(stop)),
      live_(request.progress, clock_, request.controls),
      announcer_(request.plan.faults, live_) {
  for (const auto& node : request.inventory.nodes) names_.push_back(node.name);
  execution_.started = to_iso8601(clock_.wall_origin());
  execution_.wall_origin_ns = Nanoseconds(clock_.wall_origin().time_since_epoch()).count();
  execution_.health.nodes = names_.size();
  // The plan was made, so it is there.
  workload_ = *workloads::make_workload(configuration_.workload, configuration_.workload_options);
}

void Run::save() {
  // On a full disk the record in memory is judged instead; the history's own failure tells the
  // user.
  (void)write_file(directory_ / execution_file, to_page(to_json(execution_)));
}

void Run::enter(Phase name) {
  execution_.phase = name;
  save();
}

void Run::trouble(Verdict verdict, std::string text, std::string advice) {
  live_.event("trouble", text);
  execution_.troubles.push_back({verdict, std::move(text), std::move(advice)});
  save();
}

bool Run::phase(Phase name, Step step) {
  enter(name);
  const auto done = stop_.stop_requested() ? Result<void>() : (this->*step)();
  if (stop_.stop_requested() && !execution_.interrupted_in) execution_.interrupted_in = name;
  if (done) return !stop_.stop_requested();
  trouble(Verdict::broken, fmt::format("{}: {}", name_of(name), done.error().message),
          "`ordeal doctor` checks what this machine and the nodes need");
  return false;
}

Result<void> Run::prepare() {
  const auto& nodes = request_.inventory.nodes;
  live_.event("prepare",
              fmt::format("connecting to {} node{}", nodes.size(), nodes.size() == 1 ? "" : "s"));
  remotes_.resize(nodes.size());
  const auto connected = on_nodes([&](std::size_t node) -> Result<void> {
    auto remote = clusters::connect(nodes[node], request_.credentials, connect_timeout);
    if (!remote) return pass_on(remote.error());
    remotes_[node] = std::move(*remote);
    return {};
  });
  if (!connected) return connected;
  clusters::ClusterOptions options = configuration_.cluster_options;
  options.client_logs = directory_ / "clients";
  for (const auto& kind : clusters::cluster_kinds()) {
    if (kind.name == configuration_.cluster) cluster_ = kind.make(remotes(), options);
  }
  for (const auto& rule : cluster_->definite_errors()) {
    execution_.definite_errors.push_back(fmt::format("{} because {}", rule.error, rule.argument));
  }
  execution_.promise_source = cluster_->promise_source();
  inspect_machines(remotes(), clock_, execution_);
  return {};
}

Result<void> Run::deploy() {
  live_.event("deploy", fmt::format("{} on {} nodes", cluster_->name(), names_.size()));
  // First of all: the guard of a run that was killed restarts servers, and what is left of its
  // faults would keep ours apart.
  nemesis::NemesisOptions options;
  options.ledger = directory_ / results::ledger_file;
  options.leave_out = configuration_.leave_out;
  auto nemesis =
      nemesis::Nemesis::prepare(remotes(), *cluster_, request_.plan.faults, options, clock_);
  if (!nemesis) return pass_on(nemesis.error());
  nemesis_ = std::move(*nemesis);
  for (const auto& [kind, reason] : nemesis_->left_out())
    live_.event("left out", fmt::format("{} faults: {}", kind, reason));
  return on_nodes([&](std::size_t node) { return cluster_->deploy(node); });
}

Result<void> Run::start() {
  started_ = true;
  if (const auto done = on_nodes([&](std::size_t node) { return cluster_->start(node); }); !done)
    return done;
  const auto leader = clusters::await_agreement(*cluster_, request_.inventory.nodes,
                                                Deadline::after(start_timeout));
  if (!leader) return pass_on(leader.error());
  // A client that cannot even be opened would make a run of nothing but failures.
  if (const auto client = cluster_->open(0); !client) return pass_on(client.error());
  if (const auto status = cluster_->status(0, Deadline::after(status_timeout)))
    execution_.version = status->version;
  live_.event("start", fmt::format("{}{}{} is up{}{}", cluster_->name(),
                                   execution_.version.empty() ? "" : " ", execution_.version,
                                   leader->empty() ? "" : ", led by ", *leader));
  return {};
}

// Whether the main phase goes on after that event.
bool Run::watch(const Event& event) {
  const auto broken = online_.add(event);
  if (!broken) return true;
  live_.event("violation", fmt::format("event {} breaks the promise on key {}; the main phase ends",
                                       event.index, to_text(*broken)));
  return false;
}

WorkersEnd Run::work(workloads::Generator generator, std::string_view stream,
                     std::size_t first_node) {
  WorkersOptions options;
  options.workers = configuration_.workload_options.clients;
  options.nodes = names_.size();
  options.first_node = first_node;
  options.operation_timeout = configuration_.operation_timeout;
  options.first_process = next_process_;
  if (request_.until_failure && !execution_.main_ended) {
    options.on_event = [this](const Event& event) { return watch(event); };
  }
  WorkersEnd end = run_workers(
      std::move(generator), Rng(configuration_.seed).fork(stream),
      [this](std::size_t node) { return cluster_->open(node); }, *history_, clock_, options,
      progress_, stop_);
  next_process_ = end.next_process;
  return end;
}

Result<void> Run::main() {
  auto history = HistoryWriter::create(directory_ / results::history_file, names_);
  if (!history) return pass_on(history.error());
  history_ = std::move(*history);
  auto samples = LineLog::open(directory_ / results::samples_file);
  if (!samples) return pass_on(samples.error());
  observer_ =
      std::make_unique<Observer>(*cluster_, names_, clock_, std::move(*samples),
                                 [this](const NodeSample& sample) { announcer_.node(sample); });
  live_.set_status([this] { return live_state(); });

  execution_.main_began = clock_.now();
  save();
  asking_ = std::make_shared<workloads::Generator>(
      remember_keys(workload_->main(Rng(configuration_.seed).fork("workload")), touched_));
  workloads::Generator generator = workloads::time_limit(configuration_.time, shared(asking_));
  std::stop_source nemesis_stop;
  const std::stop_callback forward(stop_, [&] { nemesis_stop.request_stop(); });
  std::jthread nemesis_thread([&] {
    const nemesis::Outside outside{
        [this] { return observer_->leader(); },
        [this] { return progress_.ok.load() + progress_.fail.load() + progress_.info.load(); },
        [this] { return request_.controls != nullptr && request_.controls->faults_held.load(); }};
    nemesis_->run(
        request_.plan.faults, *execution_.main_began, outside,
        [this](const FaultRecord& record) { announcer_.fault(record); }, nemesis_stop.get_token());
  });
  const WorkersEnd end = work(std::move(generator), "clients");
  nemesis_stop.request_stop();  // the schedule is over by now, unless the workers ended early
  nemesis_thread.join();
  execution_.main_ended = clock_.now();
  save();
  if (end.failure) return pass_on(*end.failure);
  return {};
}

// Whatever happened before: not a phase that can be skipped.
void Run::heal() {
  if (!nemesis_) return;
  enter(Phase::heal);
  if (const auto healed = nemesis_->heal_all(); !healed) {
    trouble(Verdict::broken, "heal: " + healed.error().message,
            "run `ordeal heal` on the run directory");
  } else {
    execution_.liveness.all_undone = true;
  }
}

// Clients go on until each node has served, while the servers find a leader.
Result<void> Run::recover() {
  const Nanoseconds healed = clock_.now();
  const auto started = start_ended_servers(*cluster_, remotes());
  Result<std::string> leader = error("nobody was asked");
  std::jthread agreement([&] {
    leader = clusters::await_agreement(*cluster_, request_.inventory.nodes,
                                       Deadline::after(configuration_.recovery_timeout));
    if (leader) execution_.health.recovery = clock_.now() - healed;
  });
  Pulse pulse(remotes());
  const auto nodes = std::make_shared<std::vector<NodeService>>(names_.size());
  // In rounds, where there are fewer clients than nodes.
  std::optional<Error> failure;
  const std::size_t clients = configuration_.workload_options.clients;
  for (std::size_t first = 0; first < names_.size() && !failure; first += clients) {
    const Nanoseconds began = clock_.now();
    const WorkersEnd end = work(
        workloads::time_limit(
            2 * configuration_.recovery_timeout,
            workloads::rate(operations_while_recovering,
                            until_served(asking_, began - *execution_.main_began, nodes, first))),
        "recovery", first);
    failure = end.failure;
    for (std::size_t node = first; node < std::min(first + clients, names_.size()); ++node) {
      if (auto& served = (*nodes)[node].served_after) *served += began - healed;
    }
  }
  Liveness& liveness = execution_.liveness;
  liveness.healed = healed;
  liveness.deadline = configuration_.recovery_timeout;
  liveness.watched = clock_.now() - healed;
  liveness.operation_timeout = configuration_.operation_timeout;
  const auto slowest = pulse.slowest();
  for (std::size_t node = 0; node < nodes->size(); ++node) {
    NodeService& service = (*nodes)[node];
    service.node = names_[node];
    service.was_started = started[node];
    service.slowest_command = slowest[node];
  }
  agreement.join();
  if (stop_.stop_requested()) return {};  // cut short: it says nothing
  liveness.nodes = *nodes;
  if (failure) return pass_on(*failure);
  if (leader) return {};
  trouble(Verdict::inconclusive,
          fmt::format("the cluster did not recover within {} although every fault was undone: {}",
                      to_text(configuration_.recovery_timeout), leader.error().message),
          "look at the servers' logs under nodes/ in the run directory");
  return {};
}

Result<void> Run::final() {
  const auto& nodes = execution_.liveness.nodes;
  if (std::none_of(nodes.begin(), nodes.end(),
                   [](const NodeService& node) { return node.served_after.has_value(); }))
    return {};  // nobody would answer
  const WorkersEnd end =
      work(workloads::time_limit(final_timeout, workload_->final(touched_->keys)), "final");
  if (end.failure) return pass_on(*end.failure);
  auto replicas = inspect_replicas(*cluster_, names_, Deadline::after(rest_timeout), stop_);
  if (!stop_.stop_requested()) execution_.replicas = std::move(replicas);
  return {};
}

Result<void> Run::collect_logs(std::size_t node) {
  const std::filesystem::path folder = directory_ / "nodes" / names_[node];
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) return error("cannot make {}: {}", folder.string(), failed.message());
  for (const std::string& log : cluster_->logs(node)) {
    const auto to = folder / std::filesystem::path(log).filename();
    if (const auto got = remotes_[node]->download(log, to, log_limit, download_timeout); !got)
      return got;
  }
  return {};
}

// Never fails: what is missing is a hole in the report.
void Run::collect() {
  live_.set_status({});
  observer_.reset();
  if (history_) {
    if (const auto closed = history_->close(); !closed && execution_.troubles.empty()) {
      trouble(Verdict::broken, closed.error().message);
    }
  }
  if (!cluster_) return;
  enter(Phase::collect);
  std::mutex mutex;
  Health& health = execution_.health;
  (void)on_nodes([&](std::size_t node) -> Result<void> {
    const bool up = cluster_->status(node, Deadline::after(status_timeout)).has_value();
    const auto stopped = cluster_->stop(node);
    const auto logs = started_ ? collect_logs(node) : Result<void>();
    const std::lock_guard lock(mutex);
    health.nodes_up_at_end += up ? 1U : 0U;
    health.logs_collected += started_ && logs ? 1U : 0U;
    if (!stopped)
      health.holes.push_back(
          fmt::format("{} was not stopped: {}", names_[node], stopped.error().message));
    if (!logs) {
      health.holes.push_back(
          fmt::format("{}'s log was not collected: {}", names_[node], logs.error().message));
    }
    return {};
  });
  for (std::string& trouble : cluster_->troubles()) health.holes.push_back(std::move(trouble));
  std::sort(health.holes.begin(), health.holes.end());
}

void Run::teardown() {
  nemesis_.reset();
  if (!cluster_) return;
  const auto wiped = on_nodes([&](std::size_t node) { return cluster_->wipe(node); });
  if (!wiped)
    execution_.health.holes.push_back("data was left on a node: " + wiped.error().message);
}

RunEnd Run::judge_and_store() {
  checkers::CheckOptions options;
  options.deadline = Deadline::after(configuration_.check_timeout);
  options.threads = std::max(1U, std::thread::hardware_concurrency());
  RunEnd end;
  Result<RunRecord> record = judge(directory_, execution_, options);
  if (record) {
    end.record = std::move(*record);
  } else {
    end.record.name = directory_.filename().string();
    end.record.reasons = {
        {Verdict::broken, record.error().message, "free space on the disk of the run directory"}};
  }
  if (auto named = results::name_by_verdict(directory_, end.record.verdict)) {
    directory_ = *named;
    end.record.name = directory_.filename().string();
  } else {
    end.notes.push_back(named.error().message);
  }
  end.directory = directory_;
  results::tell_seen_before(end.record, request_.runs);
  for (const auto& written : {results::write_results(directory_, end.record)}) {
    if (!written) {
      end.notes.push_back(written.error().message);
    } else {
      end.notes.insert(end.notes.end(), written->begin(), written->end());
    }
  }
  if (const auto indexed = results::append_index(request_.runs, end.record); !indexed) {
    end.notes.push_back(indexed.error().message);
  }
  return end;
}

RunEnd Run::carry_out() {
  const bool whole = phase(Phase::prepare, &Run::prepare) && phase(Phase::deploy, &Run::deploy) &&
                     phase(Phase::start, &Run::start) && phase(Phase::main, &Run::main);
  heal();
  if (whole) (void)(phase(Phase::recover, &Run::recover) && phase(Phase::final, &Run::final));
  collect();
  teardown();
  enter(Phase::check);
  return judge_and_store();
}

void Run::tell_clients(Nanoseconds now, LiveState& state) const {
  const std::size_t clients =
      std::min(configuration_.workload_options.clients, progress_.workers.size());
  for (std::size_t i = 0; i < clients; ++i) {
    const WorkerNow& worker = progress_.workers.at(i);
    const Nanoseconds since(worker.since.load());
    if (since < Nanoseconds::zero() || since > now) continue;
    state.clients.push_back(
        fmt::format("client {} on {}: {}, for {}", worker.process.load(), names_[i % names_.size()],
                    ordeal::to_text(worker.function.load()), to_text(now - since)));
  }
}

// Called by the drawing thread only.
LiveState Run::live_state() {
  LiveState state;
  state.title =
      fmt::format("{} × {} {} · seed {} · {} nodes", configuration_.workload,
                  configuration_.cluster, execution_.version, configuration_.seed, names_.size());
  const Nanoseconds now = clock_.now();
  state.elapsed = now - execution_.main_began.value_or(now);
  state.planned = configuration_.time;
  state.ok = progress_.ok.load();
  state.fail = progress_.fail.load();
  state.info = progress_.info.load();
  for (std::size_t i = 0; i < LatencyCounts::size; ++i)
    state.latencies.counts.at(i) = progress_.latencies.at(i).load();
  if (observer_) state.nodes = observer_->latest();
  announcer_.tell_faults(now, state);
  if (request_.controls != nullptr) {
    state.faults_held = request_.controls->faults_held;
    state.keys_are_read = request_.controls->keys_are_read;
  }
  tell_clients(now, state);
  // A PASS would be refused for these; now something can still be done about it.
  if (state.elapsed > 5s) {
    for (const Function function : workload_->needs()) {
      if (progress_.ok_by_function.at(static_cast<std::size_t>(function)).load() == 0)
        state.warnings.push_back(fmt::format("no {} has succeeded yet", to_text(function)));
    }
    const bool any_up = std::any_of(state.nodes.begin(), state.nodes.end(),
                                    [](const NodeSample& node) { return node.answers; });
    if (!any_up && !state.nodes.empty()) state.warnings.emplace_back("no node answers");
  }
  return state;
}

}  // namespace

Result<RunEnd> run(const RunRequest& request, std::stop_token stop) {
  const Configuration& configuration = request.plan.configuration;
  RunRecord naming;
  naming.cluster = cluster_name(configuration);
  naming.workload = configuration.workload;
  naming.nemeses = configuration.nemeses;
  naming.seed = configuration.seed;
  naming.started = to_iso8601(std::chrono::system_clock::now());
  Result<std::filesystem::path> directory = results::create_run_directory(request.runs, naming);
  if (!directory) return pass_on(directory.error());
  const std::pair<const char*, std::string> files[] = {
      {results::plan_file, to_page(to_json(request.plan))},
      {inventory_file, clusters::to_json_text(request.inventory)}};
  for (const auto& [name, content] : files) {
    if (const auto written = write_file(*directory / name, content); !written)
      return pass_on(written.error());
  }
  return Run(request, std::move(*directory), std::move(stop)).carry_out();
}

}  // namespace ordeal::harness
