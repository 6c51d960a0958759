// How long judging takes, check only, from a history in memory: CPU time of the fastest of several
// checks in ns an operation, and what the check took of memory beside the history. Histories are
// drawn from a seed.
//
//   checkers_bench [--rows PREFIX] [--threads N] [--most OPERATIONS] [--peer NAME=COMMAND]...
//   checkers_bench --files DIRECTORY...    instead: all histories of other tools that lie there,
//                                          with explanations, and verdicts alone
//
// A peer is run as COMMAND FILE SECONDS on the same history, written down an event a line (process,
// i|o|f|?, r|w|c, key, two numbers, _ for nothing), and prints its verdict and its own seconds.

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <unordered_map>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/simulation.h"
#include "checkers/check_calls.h"
#include "checkers/decide.h"
#include "checkers/foreign.h"
#include "checkers/linearizability.h"
#include "checkers/online.h"
#include "core/file.h"
#include "core/random.h"

namespace {

using namespace ordeal;

struct Settings {
  std::string rows;
  std::size_t threads = 1;
  std::size_t most = 10'000'000;
  std::vector<std::pair<std::string, std::string>> peers;
  std::vector<std::filesystem::path> files;
};

constexpr int peer_seconds = 30;

double cpu_now() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

std::size_t resident_now() {
  std::ifstream file("/proc/self/statm");
  std::size_t pages = 0;
  file >> pages >> pages;
  return pages * 4096;
}

// The highest resident size since the last call of reset_peak.
void reset_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }
std::size_t peak() {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("VmHWM:")) return std::strtoull(line.c_str() + 6, nullptr, 10) * 1024;
  }
  return 0;
}

struct Figures {
  CheckReport::Answer answer;
  double cpu = 1e9;  // seconds, the least
  double wall = 1e9;
  std::size_t memory = 0;  // bytes beside the history
};

template <class Check>
Figures measure(Check check) {
  Figures figures{};
  figures.cpu = figures.wall = 1e9;
  double spent = 0;
  for (int i = 0; i < 5 && (i == 0 || spent < 5); ++i) {
    reset_peak();
    const std::size_t before = resident_now();
    const auto began = SteadyClock::now();
    const double cpu = cpu_now();
    figures.answer = check().answer;
    const double took = cpu_now() - cpu;
    const double wall = std::chrono::duration<double>(SteadyClock::now() - began).count();
    figures.cpu = std::min(figures.cpu, took);
    figures.wall = std::min(figures.wall, wall);
    const std::size_t highest = peak();
    figures.memory = std::max(figures.memory, highest > before ? highest - before : 0);
    spent += wall;
  }
  return figures;
}

void print(const std::string& name, std::size_t operations, const Figures& figures) {
  const auto count = static_cast<double>(operations);
  fmt::print("{:52} {:>9}  {:7} {:>10.3f} ms CPU {:>10.3f} ms {:>9.1f} ns/op {:>7.1f} B/op\n", name,
             operations, to_text(figures.answer), 1e3 * figures.cpu, 1e3 * figures.wall,
             1e9 * figures.cpu / count, static_cast<double>(figures.memory) / count);
  std::fflush(stdout);
}

std::string number(const Value& value) {
  const std::int64_t* integer = value.as_integer();
  return integer == nullptr ? "_" : std::to_string(*integer);
}

std::vector<Event> events_of(const History& history) {
  std::vector<Event> events(history.events);
  for (const Operation& op : history.operations) {
    Event event;
    event.process = op.process;
    event.function = op.function;
    event.key = op.key;
    event.index = op.invoked;
    event.value = op.argument;
    events[op.invoked] = event;
    if (op.completed == never) continue;
    event.type = op.outcome == Outcome::ok     ? EventType::ok
                 : op.outcome == Outcome::fail ? EventType::fail
                                               : EventType::info;
    event.index = op.completed;
    event.value = op.result;
    events[op.completed] = event;
  }
  return events;
}

void write_events(const History& history, const std::filesystem::path& to) {
  std::ofstream out(to);
  std::unordered_map<Process, Value> arguments;
  for (const Event& event : events_of(history)) {
    const char kind = event.function == Function::read    ? 'r'
                      : event.function == Function::write ? 'w'
                                                          : 'c';
    const char type = event.type == EventType::invoke ? 'i'
                      : event.type == EventType::ok   ? 'o'
                      : event.type == EventType::fail ? 'f'
                                                      : '?';
    if (event.type == EventType::invoke) arguments[event.process] = event.value;
    const auto* pair = arguments[event.process].as_list();
    const Value& a = pair != nullptr ? pair->front() : event.value;
    out << event.process << ' ' << type << ' ' << kind << ' ' << number(event.key) << ' '
        << number(a) << ' ' << (pair != nullptr ? number(pair->back()) : "_") << '\n';
  }
}

void run_peers(const Settings& settings, const History& history, const Figures& ours) {
  if (settings.peers.empty()) return;
  const auto file =
      std::filesystem::temp_directory_path() / fmt::format("ordeal-bench-{}.txt", ::getpid());
  write_events(history, file);
  for (const auto& [name, command] : settings.peers) {
    const std::string line =
        fmt::format("timeout {} {} {} {}", 2 * peer_seconds, command, file.string(), peer_seconds);
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(::popen(line.c_str(), "r"),
                                                               ::pclose);
    char answer[64] = "no-answer";
    double seconds = 0;
    if (pipe == nullptr || std::fscanf(pipe.get(), "%63s %lf", answer, &seconds) != 2) {
      fmt::print("    {:48} no answer within {} s\n", name, 2 * peer_seconds);
      continue;
    }
    fmt::print("    {:48} {:>9}  {:7} {:>10.3f} ms; ours is {:.0f} times as fast\n", name, "",
               answer, 1e3 * seconds, seconds / ours.wall);
  }
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
}

void run_register(const Settings& settings, const bench::Load& load) {
  if (!load.name.starts_with(settings.rows) || load.operations > settings.most) return;
  const History history = bench::simulate(load, 1);
  checkers::CheckOptions options;
  options.threads = settings.threads;
  const Figures figures = measure([&] {
    options.deadline = Deadline::after(60s);
    return checkers::check_linearizable_register(history, options);
  });
  print(fmt::format("{}: {} keys, {} clients, {}, {} % unknown", load.name, load.keys, load.clients,
                    load.values == 0 ? "new values" : fmt::format("{} values", load.values),
                    100 * load.unknown),
        load.operations, figures);
  run_peers(settings, history, figures);
}

CheckReport report_of(checkers::Decision::Answer answer) {
  using enum checkers::Decision::Answer;
  CheckReport report;
  report.answer = answer == valid     ? CheckReport::Answer::valid
                  : answer == invalid ? CheckReport::Answer::invalid
                                      : CheckReport::Answer::unknown;
  return report;
}

// The verdict alone, without an explanation.
CheckReport decide_register(const History& history, const checkers::CheckOptions& options) {
  using Answer = checkers::Decision::Answer;
  auto worst = Answer::valid;
  for (const checkers::KeyOperations& key : checkers::split_by_key(history)) {
    const checkers::Register reg = checkers::read_register(history, key, options.failed_cas);
    const auto decision = checkers::decide_register(reg.ops, reg.values.size(),
                                                    {options.deadline, options.memory_limit, 1});
    if (worst != Answer::invalid && decision.answer != Answer::valid) worst = decision.answer;
  }
  return report_of(worst);
}

// The check that goes on during a run, fed event by event.
void run_online(const Settings& settings, const bench::Load& load) {
  if (!load.name.starts_with(settings.rows) || load.operations > settings.most) return;
  const std::vector<Event> events = events_of(bench::simulate(load, 1));
  std::size_t most_held = 0;
  EventIndex found_at = never;
  const Figures figures = measure([&] {
    checkers::OnlineCheck check;
    CheckReport report;
    report.answer = CheckReport::Answer::valid;
    for (const Event& event : events) {
      if (event.index % 1024 == 0) most_held = std::max(most_held, check.held());
      if (!check.add(event)) continue;
      report.answer = CheckReport::Answer::invalid;
      found_at = event.index;
      break;
    }
    return report;
  });
  print(fmt::format("{}: {} keys, {} clients{}", load.name, load.keys, load.clients,
                    load.has_stale ? ", one stale read" : ""),
        found_at == never ? load.operations : found_at / 2, figures);
  fmt::print("    at most {} values and operations remembered\n", most_held);
  if (!load.has_stale) return;
  const CheckReport whole = checkers::check_linearizable_register(bench::simulate(load, 1), {});
  fmt::print("    found at event {}; impossible from event {} on\n", found_at,
             whole.findings.empty() ? 0 : whole.findings.front().bad_prefix_events - 1);
}

// All histories below the directory, each by itself; in total.
void run_files(const Settings& settings, const std::filesystem::path& directory) {
  std::size_t operations = 0;
  std::array<std::size_t, 3> answers{};
  Figures total{};
  total.cpu = total.wall = 0;
  double verdicts = 0;  // of registers, seconds
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    const auto text = entry.is_regular_file() ? read_file(entry.path()) : error("no file");
    const auto found = text ? checkers::read_foreign(*text, entry.path().string()) : error("");
    if (!found) continue;
    checkers::CheckOptions options;
    options.threads = settings.threads;
    options.failed_cas = found->format == "porcupine-log" ? checkers::FailedCas::evidence
                                                          : checkers::FailedCas::ignored;
    const bool is_register = found->model == "register";
    const Figures figures = measure([&] {
      options.deadline = Deadline::after(60s);
      return is_register ? checkers::check_linearizable_register(found->history, options)
                         : checkers::check_calls(found->calls, *checkers::model_named(found->model),
                                                 options);
    });
    if (is_register) {
      verdicts += measure([&] { return decide_register(found->history, options); }).cpu;
    }
    operations += is_register ? found->history.operations.size() : found->calls.size();
    ++answers.at(static_cast<std::size_t>(figures.answer));
    total.cpu += figures.cpu;
    total.wall += figures.wall;
  }
  fmt::print(
      "{}: {} valid, {} invalid, {} undecided; {} operations, {:.3f} ms CPU, {:.3f} ms; "
      "verdicts on registers alone {:.3f} ms CPU\n",
      directory.string(), answers[0], answers[1], answers[2], operations, 1e3 * total.cpu,
      1e3 * total.wall, 1e3 * verdicts);
}

// Elements put in once and taken out, by concurrent clients of a truthful container.
std::vector<checkers::Call> container_calls(checkers::Act in, checkers::Act out,
                                            std::size_t operations, double unknown) {
  using checkers::Call;
  Rng rng(1);
  std::vector<Call> calls;
  std::vector<std::int64_t> inside;
  struct Client {
    std::size_t call = 0;
    bool is_busy = false;
    bool is_done = false;
  };
  std::vector<Client> clients(10);
  EventIndex now = 0;
  std::int64_t fresh = 0;
  std::size_t busy = 0;
  while (calls.size() < operations || busy > 0) {
    Client& client = clients[rng.below(clients.size())];
    if (!client.is_busy) {
      if (calls.size() >= operations) continue;
      Call call;
      call.invoked = now++;
      call.act = rng.chance(0.5) ? in : out;
      const std::int64_t element =
          in == checkers::Act::insert
              ? static_cast<std::int64_t>(rng.below(1U << 20U)) * (1 << 21) + ++fresh
              : ++fresh;
      if (call.act == in) call.argument = Value(element);
      client = {calls.size(), true, false};
      calls.push_back(std::move(call));
      ++busy;
    } else if (!client.is_done) {
      client.is_done = true;
      Call& call = calls[client.call];
      if (call.act == in) {
        inside.push_back(*call.argument.as_integer());
        if (in == checkers::Act::insert) std::ranges::push_heap(inside, std::greater<>());
      } else if (!inside.empty()) {
        if (in == checkers::Act::insert) std::ranges::pop_heap(inside, std::greater<>());
        const bool first = in == checkers::Act::enqueue;
        call.result = Value(first ? inside.front() : inside.back());
        first ? void(inside.erase(inside.begin())) : inside.pop_back();
      }
    } else {
      if (rng.chance(unknown)) {
        calls[client.call].result = {};
      } else {
        calls[client.call].completed = now++;
      }
      client.is_busy = false;
      --busy;
    }
  }
  return calls;
}

// Elements put in once, asked for and taken out again, by concurrent clients of a truthful set.
std::vector<checkers::Call> set_calls(std::size_t operations, double unknown) {
  using checkers::Act;
  Rng rng(1);
  std::vector<checkers::Call> calls;
  std::vector<std::size_t> pending;
  std::vector<bool> inside(1);  // by element
  EventIndex now = 0;
  while (calls.size() < operations || !pending.empty()) {
    if (calls.size() < operations && pending.size() < 10) {
      checkers::Call& call = calls.emplace_back();
      call.invoked = now++;
      call.act = inside.size() == 1 || rng.chance(0.4) ? Act::add
                 : rng.chance(0.3)                     ? Act::remove
                                                       : Act::contains;
      if (call.act == Act::add) inside.push_back(false);
      const std::size_t lately = std::min<std::size_t>(inside.size() - 1, 100);
      const std::size_t element =
          inside.size() - 1 - (call.act == Act::add ? 0 : rng.below(lately));
      call.argument = Value(static_cast<std::int64_t>(element));
      // It takes effect at once; the answer comes later.
      call.result = Value(call.act == Act::add || inside[element]);
      if (call.act != Act::contains) inside[element] = call.act == Act::add;
      pending.push_back(calls.size() - 1);
    }
    if (pending.empty() || (calls.size() < operations && rng.chance(0.5))) continue;
    std::swap(pending[rng.below(pending.size())], pending.back());
    checkers::Call& call = calls[pending.back()];
    pending.pop_back();
    if (rng.chance(unknown)) {
      call.result = {};
    } else {
      call.completed = now++;
    }
  }
  return calls;
}

void run_calls(const Settings& settings, const std::string& name, const char* model,
               const std::vector<checkers::Call>& calls) {
  const Figures figures = measure([&] {
    const checkers::Budget budget = {Deadline::after(60s), std::size_t{4} << 30U, settings.threads};
    return report_of(checkers::decide_calls(calls, *checkers::model_named(model), budget).answer);
  });
  print(name, calls.size(), figures);
}

void run_container(const Settings& settings, const char* model, checkers::Act in, checkers::Act out,
                   double unknown = 0) {
  for (const std::size_t operations : {200U, 100'000U, 1'000'000U}) {
    const std::string name = fmt::format("L7 {}, 10 clients, {} % unknown", model, 100 * unknown);
    if (!name.starts_with(settings.rows) || operations > settings.most) continue;
    run_calls(settings, name, model, container_calls(in, out, operations, unknown));
  }
}

void run_set(const Settings& settings, double unknown) {
  for (const std::size_t operations : {200U, 100'000U, 1'000'000U}) {
    const std::string name = fmt::format("L7 set, 10 clients, {} % unknown", 100 * unknown);
    if (!name.starts_with(settings.rows) || operations > settings.most) continue;
    run_calls(settings, name, "set", set_calls(operations, unknown));
  }
}

// What no fast path knows: a lock, all its holders at once, and then one gives back what it never
// had. All orders of all of them are looked at.
void run_hard_lock(const Settings& settings) {
  constexpr EventIndex holders = 17;
  const std::string name = fmt::format("search: a lock, {} holders at once", holders);
  if (!name.starts_with(settings.rows)) return;
  std::vector<checkers::Call> calls;
  for (EventIndex i = 0; i <= 2 * holders; ++i) {
    const bool is_last = i == 2 * holders;
    checkers::Call& call = calls.emplace_back();
    call.invoked = is_last ? 4 * holders : i;
    call.completed = call.invoked + (is_last ? 1 : 2 * holders);
    call.act = is_last || i % 2 == 1 ? checkers::Act::release : checkers::Act::acquire;
    call.process = static_cast<Process>(i / 2);
  }
  run_calls(settings, name, "owned-mutex", calls);
}

std::vector<bench::Load> loads() {
  std::vector<bench::Load> all;
  const auto add = [&](const char* name, std::size_t operations, int keys, std::size_t clients,
                       int values, double unknown, bool stale = false, bool revisions = false) {
    bench::Load load;
    load.name = name;
    load.operations = operations;
    load.keys = keys;
    load.clients = clients;
    load.values = values;
    load.unknown = unknown;
    load.has_stale = stale;
    load.has_revisions = revisions;
    all.push_back(load);
  };
  add("L3", 30'000, 1, 10, 0, 0);
  add("L3", 1'000, 1, 20, 0, 0.01);
  add("L3", 100, 1, 30, 0, 0.01);
  for (const std::size_t operations : {1'000'000U, 10'000'000U}) {
    for (const std::size_t clients : {10U, 30U}) add("L3", operations, 1, clients, 0, 0.05);
  }
  for (const std::size_t operations : {10'000U, 100'000U, 1'000'000U}) {
    for (const std::size_t clients : {5U, 20U, 30U}) add("L3", operations, 1, clients, 5, 0);
  }
  for (const std::size_t clients : {5U, 30U}) {
    for (const double unknown : {0.0, 0.01}) {
      add("L3 revisions", 1'000'000, 1, clients, 5, unknown, false, true);
    }
  }
  for (const std::size_t operations : {100U, 1'000U, 10'000U, 100'000U}) {
    for (const std::size_t clients : {5U, 10U, 20U, 30U}) {
      for (const double unknown : {0.01, 0.02, 0.05}) {
        add("L4", operations, 1, clients, 5, unknown);
      }
    }
  }
  for (const std::size_t operations : {1'000'000U, 10'000'000U}) {
    for (const std::size_t clients : {10U, 100U}) {
      add("L5", operations, static_cast<int>(operations / 1000), clients, 0, 0.001);
    }
  }
  for (const std::size_t operations : {300U, 3'000U, 100'000U, 1'000'000U}) {
    for (const int values : {0, 5}) add("L6", operations, 1, 10, values, 0.02, true);
  }
  return all;
}

bool read_settings(int argc, char** argv, Settings& settings) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    const std::string value = argv[i + 1];
    const auto equals = value.find('=');
    if (flag == "--rows") {
      settings.rows = value;
    } else if (flag == "--threads") {
      settings.threads = std::max(1UL, std::strtoul(value.c_str(), nullptr, 10));
    } else if (flag == "--most") {
      settings.most = std::strtoul(value.c_str(), nullptr, 10);
    } else if (flag == "--files") {
      settings.files.emplace_back(value);
    } else if (flag == "--peer" && equals != value.npos) {
      settings.peers.emplace_back(value.substr(0, equals), value.substr(equals + 1));
    } else {
      return false;
    }
  }
  return argc % 2 == 1;
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  if (!read_settings(argc, argv, settings)) {
    fmt::print(stderr,
               "usage: checkers_bench [--rows PREFIX] [--threads N] [--most OPERATIONS] "
               "[--peer NAME=COMMAND]... [--files DIRECTORY]...\n");
    return 64;
  }
  for (const auto& directory : settings.files) run_files(settings, directory);
  if (!settings.files.empty()) return 0;
  for (const bench::Load& load : loads()) run_register(settings, load);
  using enum checkers::Act;
  run_container(settings, "queue", enqueue, dequeue);
  run_container(settings, "queue", enqueue, dequeue, 0.05);
  run_container(settings, "stack", push, pop);
  run_container(settings, "priority-queue", insert, extract);
  run_set(settings, 0);
  run_set(settings, 0.05);
  for (const int keys : {1, 1000}) {
    for (const bool has_stale : {false, true}) {
      bench::Load load;
      load.name = "O1 online";
      load.operations = 1'000'000;
      load.keys = keys;
      load.unknown = 0.001;
      load.has_stale = has_stale;
      run_online(settings, load);
    }
  }
  run_hard_lock(settings);
}
