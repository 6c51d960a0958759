#include "harness/judge.h"

#include <catch2/catch.hpp>
#include <unistd.h>

#include "core/file.h"
#include "core/history.h"
#include "harness/plan.h"
#include "results/store.h"

using namespace ordeal;
using namespace ordeal::harness;

namespace {

// A stored run, made by hand: what a minute on a cluster would have left.
class StoredRun {
 public:
  StoredRun() {
    std::string name = (std::filesystem::temp_directory_path() / "ordeal-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) FAIL("no temporary folder");
    path_ = name;
    Configuration configuration;
    configuration.nemeses = {"kill"};
    configuration.seed = 42;
    configuration.time = 20s;
    plan_ = *make_plan(configuration);
    plan_.faults.resize(1);
    execution_.phase = Phase::check;
    execution_.main_began = 1s;
    execution_.main_ended = 21s;
    ledger_ = {
        {1, FaultStep::undo, 5s, "n1", "", "start"}, {1, FaultStep::inject, 5s, "", "n1", ""},
        {1, FaultStep::injected, 5s, "", "", ""},    {1, FaultStep::effect, 6s, "n1", "gone", ""},
        {1, FaultStep::heal, 9s, "", "", ""},        {1, FaultStep::healed, 10s, "n1", "runs", ""}};
    for (const std::int64_t value : {1, 2}) write(0, value, 6s);
    for (const EventType type : {EventType::invoke, EventType::ok}) {
      add(1, type, Function::cas, type == EventType::invoke ? Value::list({2, 3}) : Value(), 7s);
    }
    read(2, 3);
  }
  ~StoredRun() { std::filesystem::remove_all(path_); }
  StoredRun(const StoredRun&) = delete;
  StoredRun& operator=(const StoredRun&) = delete;

  void read(Process process, Value seen) {
    add(process, EventType::invoke, Function::read, {}, 11s);
    add(process, EventType::ok, Function::read, std::move(seen), 11s);
  }
  void write(Process process, Value value, Nanoseconds at) {
    add(process, EventType::invoke, Function::write, std::move(value), at);
    add(process, EventType::ok, Function::write, {}, at);
  }
  Execution& execution() { return execution_; }
  std::vector<FaultRecord>& ledger() { return ledger_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  void store() {
    REQUIRE(write_file(path_ / results::plan_file, to_page(to_json(plan_))));
    REQUIRE(write_file(path_ / execution_file, to_page(to_json(execution_))));
    auto writer = HistoryWriter::create(path_ / results::history_file, {"n1", "n2", "n3"});
    REQUIRE(writer);
    for (const Event& event : events_) (*writer)->append(event);
    REQUIRE((*writer)->close());
    auto log = LineLog::open(path_ / results::ledger_file);
    for (const FaultRecord& record : ledger_) REQUIRE(log->append(to_line(to_json(record))));
  }

  RunRecord judged() {
    store();
    Result<RunRecord> record = judge(path_, checkers::CheckOptions());
    REQUIRE(record);
    return std::move(*record);
  }

 private:
  void add(Process process, EventType type, Function function, Value value, Nanoseconds at) {
    Event event;
    event.process = process;
    event.type = type;
    event.function = function;
    event.key = "x";
    event.value = std::move(value);
    event.time = at;
    events_.push_back(std::move(event));
  }

  std::filesystem::path path_;
  Plan plan_;
  Execution execution_;
  std::vector<FaultRecord> ledger_;
  std::vector<Event> events_;
};

std::string all_texts(const RunRecord& record) {
  std::string all;
  for (const auto& reason : record.reasons) all += reason.text + "\n";
  return all;
}

}  // namespace

TEST_CASE("a sound run with coverage passes") {
  StoredRun run;
  const RunRecord record = run.judged();
  INFO(all_texts(record));
  REQUIRE(record.verdict == Verdict::pass);
  REQUIRE(record.reasons.empty());
  REQUIRE(record.coverage.ok_during_faults == 3);
}

TEST_CASE("a stale read fails, placed and numbered, whatever else broke") {
  StoredRun run;
  run.read(2, 2);
  SECTION("alone") {}
  SECTION("with trouble") { run.execution().troubles = {{Verdict::broken, "disk full", ""}}; }
  const RunRecord record = run.judged();
  REQUIRE(record.verdict == Verdict::fail);
  const Finding& finding = record.checks.at(0).findings.at(0);
  REQUIRE(finding.number == 1);
  REQUIRE(finding.certainty == Certainty::proven);
  REQUIRE(finding.context.nearest_fault);
  REQUIRE_THAT(finding.signature, Catch::EndsWith("/ after-kill"));
}

TEST_CASE("judging twice gives the same record") {
  StoredRun run;
  run.read(2, 2);
  RunRecord first = run.judged();
  Result<RunRecord> second = judge(run.path(), checkers::CheckOptions());
  REQUIRE(second);
  for (RunRecord* record : {&first, &*second}) {
    for (CheckReport& check : record->checks) check.took = Nanoseconds::zero();
  }
  REQUIRE(to_page(to_json(first)) == to_page(to_json(*second)));
}

TEST_CASE("what keeps a run from passing is told") {
  StoredRun run;
  Verdict verdict = Verdict::inconclusive;
  std::string expected;
  SECTION("no evidence of the fault") {
    run.ledger().erase(run.ledger().begin() + 3);
    expected = "nothing proved that it took effect";
  }
  SECTION("fault not undone") {
    run.ledger().pop_back();
    verdict = Verdict::broken;
    expected = "not proven undone";
  }
  SECTION("interrupted") {
    run.execution().interrupted_in = Phase::main;
    expected = "interrupted in the phase main";
  }
  SECTION("killed") {
    run.execution().phase = Phase::main;
    expected = "killed in the phase main";
  }
  SECTION("trouble") {
    run.execution().troubles = {{Verdict::broken, "n3: connection refused", ""}};
    verdict = Verdict::broken;
    expected = "n3: connection refused";
  }
  const RunRecord record = run.judged();
  INFO(all_texts(record));
  REQUIRE(record.verdict == verdict);
  REQUIRE_THAT(all_texts(record), Catch::Contains(expected));
}

TEST_CASE("a history that no run can have recorded is BROKEN, not FAIL") {
  StoredRun run;
  run.store();
  std::string text = *read_file(run.path() / results::history_file);
  text.replace(text.find("\"index\":2"), 9, "\"index\":9");
  REQUIRE(write_file(run.path() / results::history_file, text));
  const auto record = judge(run.path(), checkers::CheckOptions());
  REQUIRE(record);
  REQUIRE(record->verdict == Verdict::broken);
  REQUIRE_THAT(all_texts(*record), Catch::Contains("history.jsonl, line 4"));
}

TEST_CASE("a directory that is no run is refused") {
  REQUIRE_THAT(judge("/nonexistent", checkers::CheckOptions()).error().message,
               Catch::Contains("/nonexistent is not a run directory"));
}
