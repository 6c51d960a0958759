// Pages made from a directory are made again byte for byte; and, on request, a folder of runs for
// the tests in a browser: PAGES=folder results_tests "[pages]".

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "core/file.h"
#include "core/history.h"
#include "core/random.h"
#include "results/compare.h"
#include "results/store.h"
#include "tests/results/sample_runs.h"

namespace ordeal::results {

namespace {

namespace fs = std::filesystem;

class Recorder {
 public:
  Recorder(const fs::path& file, std::vector<std::string> nodes)
      : writer_(HistoryWriter::create(file, std::move(nodes)).value()) {}
  ~Recorder() { (void)writer_->close(); }
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  EventIndex invoke(Nanoseconds at, Process process, NodeIndex node, const Request& request) {
    Event event = event_of(at, process, EventType::invoke, request);
    event.node = node;
    event.value = request.argument;
    return writer_->append(std::move(event));
  }
  void complete(Nanoseconds at, Process process, EventType type, const Request& request,
                Value result, std::string error = "") {
    Event event = event_of(at, process, type, request);
    event.value = std::move(result);
    event.error = std::move(error);
    event.revision = 20'000 + at / 1ms;
    writer_->append(std::move(event));
  }

 private:
  static Event event_of(Nanoseconds at, Process process, EventType type, const Request& request) {
    Event event;
    event.time = at;
    event.process = process;
    event.type = type;
    event.function = request.function;
    event.key = request.key;
    return event;
  }
  std::unique_ptr<HistoryWriter> writer_;
};

// Ten clients on five nodes, one after the other, for 80 s of `operations` operations; the witness
// of `finding` is among them and takes their numbers.
void record(const fs::path& file, std::size_t operations, Finding* finding) {
  Recorder recorder(file, {"n1", "n2", "n3", "n4", "n5"});
  Rng rng(42);
  std::vector<Process> processes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  const Nanoseconds step = Nanoseconds(80s) / static_cast<std::int64_t>(operations);
  std::size_t next = 0;
  for (std::size_t i = 0; i < operations; ++i) {
    const Nanoseconds at = step * static_cast<std::int64_t>(i);
    const std::size_t worker = i % 10;
    if (finding != nullptr && next < finding->witness.size() &&
        at >= finding->witness[next].invoked_at) {
      WitnessOperation& op = finding->witness[next++];
      const Process process = 10'000 + static_cast<Process>(next);
      op.id = op.invoked = recorder.invoke(op.invoked_at, process, 0, op.request);
      recorder.complete(*op.completed_at, process, EventType::ok, op.request, op.result);
      continue;
    }
    const auto function = static_cast<Function>(rng.below(3));
    const Request request = {function, Value(static_cast<std::int64_t>(i / 3000)),
                             function == Function::cas     ? Value::list({1, 2})
                             : function == Function::write ? Value(static_cast<std::int64_t>(i))
                                                           : Value()};
    const Process process = processes[worker];
    recorder.invoke(at, process, static_cast<NodeIndex>(worker % 5), request);
    const Nanoseconds end = at + std::min<Nanoseconds>(step * 9, rng.between(500us, 4ms));
    if (rng.below(200) == 0) {
      recorder.complete(end, process, EventType::info, request, {}, "timeout: DEADLINE_EXCEEDED");
      processes[worker] += 10;
    } else if (function == Function::cas && rng.below(2) == 0) {
      recorder.complete(end, process, EventType::fail, request, {}, "cas-mismatch");
    } else {
      recorder.complete(end, process, EventType::ok, request,
                        function == Function::read ? Value(static_cast<std::int64_t>(i)) : Value());
    }
  }
}

fs::path store_run(const fs::path& runs, RunRecord run, std::size_t operations) {
  fs::path directory = create_run_directory(runs, run).value();
  directory = name_by_verdict(directory, run.verdict).value();
  run.name = directory.filename().string();
  Finding* finding = run.checks.empty() || run.checks.front().findings.empty()
                         ? nullptr
                         : &run.checks.front().findings.front();
  std::ofstream(directory / plan_file) << "{\n  \"schema\": 1\n}\n";
  if (operations > 0) record(directory / history_file, operations, finding);
  std::ofstream(directory / samples_file)
      << R"({"at_ns":240000000,"node":"n2","answers":true,"leader":"n2","term":2})" << '\n';
  for (const char* node : {"n1", "n4"}) {
    fs::create_directories(directory / "nodes" / node);
    std::ofstream log(directory / "nodes" / node / "etcd.log");
    for (int line = 1; line <= 60'000; ++line) log << "line " << line << " of " << node << '\n';
  }
  REQUIRE(write_results(directory, run));
  REQUIRE(append_index(runs, run));
  return directory;
}

}  // namespace

TEST_CASE("pages are made again byte for byte, from wherever they are made") {
  const fs::path runs = fs::temp_directory_path() / ("ordeal-pages-" + std::to_string(::getpid()));
  for (const RunRecord& run : {passed_run(), failed_run(), stale_run(), inconclusive_run(),
                               broken_run(), interrupted_run()}) {
    const fs::path directory = store_run(runs, run, 2'000);
    INFO(directory);
    const auto pages = [&] {
      std::map<std::string, std::string> content;
      for (const auto& entry : fs::recursive_directory_iterator(directory)) {
        if (entry.is_regular_file())
          content[entry.path().string()] = read_file(entry.path()).value();
      }
      return content;
    };
    const auto before = pages();
    for (const char* made : {"report.html", "summary.md", "junit.xml"}) {
      REQUIRE(before.contains((directory / made).string()));
      fs::remove(directory / made);
    }
    fs::remove_all(directory / "findings");
    const fs::path elsewhere = name_in_commands(directory / "." / "");
    RunRecord back = read_run(directory).value();
    REQUIRE(write_results(elsewhere, back));
    const auto after = pages();
    CHECK(after.size() == before.size());
    for (const auto& [file, content] : before) {
      INFO(file);
      CHECK((after.contains(file) && after.at(file) == content));
    }
  }
  fs::remove_all(runs);
}

TEST_CASE("of two runs it is told which findings both have") {
  const fs::path runs =
      fs::temp_directory_path() / ("ordeal-compare-" + std::to_string(::getpid()));
  RunRecord two = failed_run();
  auto& findings = two.checks.front().findings;
  findings.insert(findings.begin() + 1, findings.front());
  const Comparison comparison =
      compare_runs(store_run(runs, two, 100), store_run(runs, failed_run(), 100)).value();
  const std::string text = render_comparison_terminal(comparison);
  INFO(text);
  const std::string signature = findings.front().signature;
  const std::size_t row = text.find(signature);
  REQUIRE(row != std::string::npos);
  CHECK(text.find(signature, row + 1) == std::string::npos);  // one row for all three
  const std::string line = text.substr(row, text.find('\n', row) - row);
  CHECK(line.find("2 times, first: etcd") != std::string::npos);
  CHECK(line.find("  etcd") != std::string::npos);  // and once in the other run
  fs::remove_all(runs);
}

TEST_CASE("runs for the tests in a browser", "[.][pages]") {
  const char* to = std::getenv("PAGES");
  REQUIRE(to != nullptr);
  const fs::path runs = to;
  fs::remove_all(runs);
  store_run(runs, failed_run(), 100'000);
  RunRecord another = failed_run();  // of the night before
  another.started = "2026-11-22T02:04:31Z";
  store_run(runs, another, 5'000);
  RunRecord open = inconclusive_run();
  open.started = "2026-11-20T02:04:31Z";
  store_run(runs, open, 5'000);
  RunRecord broken = broken_run();
  broken.started = "2026-11-19T02:04:31Z";
  store_run(runs, broken, 0);
  RunRecord passed = passed_run();
  passed.started = "2026-11-21T02:04:31Z";
  store_run(runs, passed, 20'000);
  for (const char* night : {"2026-11-21", "2026-11-22", "2026-11-23"}) {
    RunRecord canary = std::string_view(night) == "2026-11-22" ? passed_run() : failed_run();
    canary.canary = true;
    canary.options = {{"reads", "serializable"}};
    canary.seed = 7;
    canary.started = std::string(night) + "T01:00:00Z";
    store_run(runs, canary, 2'000);
  }
  // One that goes on: its directory has no verdict yet, and no report.
  RunRecord going = failed_run();
  going.started = "2026-11-23T09:00:00Z";
  const fs::path directory = create_run_directory(runs, going).value();
  std::ofstream(directory / plan_file) << "{\n  \"schema\": 1\n}\n";
  record(directory / history_file, 3'000, nullptr);
  std::ofstream samples(directory / samples_file);
  for (const char* node : {"n1", "n2", "n3"})
    samples << R"({"at_ns":240000000,"node":")" << node
            << R"(","answers":true,"leader":"n2","term":2})" << '\n';
}

}  // namespace ordeal::results
