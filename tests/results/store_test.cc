#include "results/store.h"

#include <cstdlib>
#include <fstream>
#include <set>
#include <thread>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/json.h"
#include "results/index.h"
#include "results/render.h"
#include "results/words.h"
#include "tests/results/sample_runs.h"

namespace ordeal::results {

namespace fs = std::filesystem;

namespace {

Result<std::vector<std::string>> store(const std::filesystem::path& directory, RunRecord run) {
  return write_results(directory, run);
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "ordeal-store-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void put(const fs::path& file, const std::string& content) { std::ofstream(file) << content; }

const char* const base = "2026-11-23T02-04-31-etcd-register-partition+kill-s42";

}  // namespace

TEST_CASE("a run's directory is named by what it does, and never taken twice") {
  const TemporaryFolder folder;
  const fs::path runs = folder.path() / "deep/runs";
  CHECK(create_run_directory(runs, passed_run()).value() == runs / base);
  CHECK(create_run_directory(runs, passed_run()).value() == runs / (std::string(base) + "-2"));
  put(runs / (std::string(base) + "-3"), "a file in the way");
  CHECK(create_run_directory(runs, passed_run()).value() == runs / (std::string(base) + "-4"));

  RunRecord odd = passed_run();
  odd.cluster = "../FAIL\n";
  odd.nemeses.clear();
  odd.workload = "";
  CHECK(create_run_directory(runs, odd).value() ==
        runs / "2026-11-23T02-04-31-.._fail_-none-calm-s42");
  odd.nemeses = {"partition", "packets", "membership", "misdirected", "kill", "clock", "disk"};
  CHECK(create_run_directory(runs, odd).value() ==
        runs /
            "2026-11-23T02-04-31-.._fail_-none-partition+packets+membership+misdirected+kill+2_"
            "more-s42");
  odd.started = "yesterday";
  CHECK(create_run_directory(runs, odd).error().message.find("yesterday") != std::string::npos);
}

TEST_CASE("runs that start at once get different directories") {
  const TemporaryFolder folder;
  constexpr std::size_t starters = 8;
  std::vector<std::string> made(starters);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < starters; ++i) {
      threads.emplace_back([&made, &folder, i] {
        const auto directory = create_run_directory(folder.path(), passed_run());
        if (directory) made[i] = directory->string();
      });
    }
  }
  CHECK(std::set<std::string>(made.begin(), made.end()).size() == starters);
  CHECK(std::count(made.begin(), made.end(), "") == 0);
}

TEST_CASE("a folder that cannot be made is an error that names it") {
  const TemporaryFolder folder;
  put(folder.path() / "runs", "a file in the way");
  const auto made = create_run_directory(folder.path() / "runs", passed_run());
  REQUIRE_FALSE(made);
  CHECK(made.error().message.find((folder.path() / "runs").string()) != std::string::npos);
}

TEST_CASE("the verdict goes into the name, in place of an earlier one") {
  const TemporaryFolder folder;
  const fs::path made = create_run_directory(folder.path(), passed_run()).value();
  put(made / "history.jsonl", "kept");
  const fs::path failed = name_by_verdict(made, Verdict::fail).value();
  CHECK(failed == folder.path() / "2026-11-23T02-04-31-FAIL-etcd-register-partition+kill-s42");
  CHECK(read_file(failed / "history.jsonl").value() == "kept");
  CHECK_FALSE(fs::exists(made));
  CHECK(name_by_verdict(failed, Verdict::fail).value() == failed);
  CHECK(name_by_verdict(failed / "", Verdict::pass).value() ==
        folder.path() / "2026-11-23T02-04-31-PASS-etcd-register-partition+kill-s42");
}

TEST_CASE("a name that is taken is never replaced") {
  const TemporaryFolder folder;
  const fs::path made = create_run_directory(folder.path(), passed_run()).value();
  const fs::path taken =
      folder.path() / "2026-11-23T02-04-31-FAIL-etcd-register-partition+kill-s42";
  fs::create_directory(taken);  // empty: rename(2) would replace it
  CHECK(name_by_verdict(made, Verdict::fail).value() == taken.string() + "-2");
  CHECK(fs::is_empty(taken));
}

TEST_CASE("directories with names of the user's own keep them") {
  const TemporaryFolder folder;
  const fs::path own = folder.path() / "my-run";
  fs::create_directory(own);
  CHECK(name_by_verdict(own, Verdict::fail).value() == own);
  fs::create_directory_symlink(create_run_directory(folder.path(), passed_run()).value(),
                               folder.path() / "latest");
  CHECK(name_by_verdict(folder.path() / "latest", Verdict::fail).value() ==
        folder.path() / "latest");
  const auto missing =
      name_by_verdict(folder.path() / base / ".." / (std::string(base) + "-9"), Verdict::fail);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message.find("cannot rename") != std::string::npos);
}

TEST_CASE("what is written is read back, and rendered from the same record") {
  const TemporaryFolder folder;
  for (RunRecord run :
       {passed_run(), failed_run(), stale_run(), inconclusive_run(), broken_run()}) {
    CHECK(write_results(folder.path(), run).value().empty());
    const RunRecord back = read_run(folder.path()).value();
    CHECK(to_page(to_json(back)) == to_page(to_json(run)));
    CHECK(read_file(folder.path() / "summary.md").value() == render_summary(back));
    CHECK(read_file(folder.path() / "junit.xml").value() == render_junit(back, folder.path()));
  }
}

TEST_CASE("findings have a folder each, and those of an earlier judgement go") {
  const TemporaryFolder folder;
  CHECK(store(folder.path(), stale_run()).value().empty());
  const fs::path findings = folder.path() / "findings";
  CHECK(fs::exists(findings / "1/finding.md"));
  CHECK(fs::exists(findings / "2/finding.md"));
  const auto json = parse_json(read_file(findings / "2/finding.json").value());
  CHECK(finding_from_json(json.value()).value().kind == FindingKind::lost_write);

  put(findings / "notes.txt", "the user's own");
  CHECK(store(folder.path(), failed_run()).value().empty());
  CHECK(fs::exists(findings / "1/finding.md"));
  CHECK_FALSE(fs::exists(findings / "2"));
  CHECK(fs::exists(findings / "notes.txt"));

  fs::remove(findings / "notes.txt");
  CHECK(store(folder.path(), passed_run()).value().empty());
  CHECK_FALSE(fs::exists(findings));
}

TEST_CASE("a rendering that cannot be written is a line, the record an error") {
  const TemporaryFolder folder;
  put(folder.path() / "findings", "a file in the way");
  fs::create_directories(folder.path() / "summary.md/in-the-way");
  const auto troubles = store(folder.path(), failed_run());
  REQUIRE(troubles);
  REQUIRE(troubles->size() == 4);  // the last two are findings/1/{graph.dot,finding.html}
  CHECK(troubles->at(0).find("findings/1") != std::string::npos);
  CHECK(troubles->at(1).find("summary.md") != std::string::npos);
  CHECK(fs::exists(folder.path() / "junit.xml"));
  CHECK(read_run(folder.path()).value().verdict == Verdict::fail);

  fs::remove(folder.path() / "run.json");
  fs::create_directories(folder.path() / "run.json/in-the-way");
  const auto refused = store(folder.path(), failed_run());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("run.json") != std::string::npos);
}

TEST_CASE("two findings of one number do not overwrite each other") {
  const TemporaryFolder folder;
  RunRecord run = stale_run();
  run.checks.front().findings.back().number = 1;
  CHECK(write_results(folder.path(), run).value().size() == 1);
  const auto json = parse_json(read_file(folder.path() / "findings/1/finding.json").value());
  CHECK(finding_from_json(json.value()).value().kind == FindingKind::stale_read);
}

TEST_CASE("a record that is missing or damaged is an error that names the file") {
  const TemporaryFolder folder;
  CHECK(read_run(folder.path()).error().message.find("run.json") != std::string::npos);
  put(folder.path() / "run.json", "{\"schema\": 1");
  CHECK(read_run(folder.path()).error().message.find("run.json") != std::string::npos);
  put(folder.path() / "run.json", "{}");
  CHECK(read_run(folder.path()).error().message.find("run.json") != std::string::npos);
}

TEST_CASE("the index has one entry a run, and the last judgement counts") {
  const TemporaryFolder folder;
  CHECK(read_index(folder.path()).value().empty());
  RunRecord other = passed_run();
  other.name = "2026-11-24T00-00-00-PASS-etcd-register-calm-s1";
  other.seed = 1;
  REQUIRE(append_index(folder.path(), failed_run()));
  REQUIRE(append_index(folder.path(), other));
  CHECK(read_index(folder.path()).value().at(0).headline ==
        failed_run().checks.front().findings.front().headline);
  REQUIRE(append_index(folder.path(), inconclusive_run()));
  const auto entries = read_index(folder.path()).value();
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].name == inconclusive_run().name);
  CHECK(entries[0].verdict == Verdict::inconclusive);
  CHECK(entries[0].headline == inconclusive_run().reasons.front().text);
  CHECK(entries[1] == IndexEntry{other.name,
                                 Verdict::pass,
                                 other.started,
                                 "etcd",
                                 "3.4.23",
                                 "register",
                                 {"partition", "kill"},
                                 {},
                                 1,
                                 131'904,
                                 "",
                                 {},
                                 4,
                                 4,
                                 60s});
}

TEST_CASE("a finding says which earlier runs showed it, and which versions did not") {
  const TemporaryFolder folder;
  const auto add = [&](const char* started, const char* version, const RunRecord& like) {
    RunRecord run = like;
    run.started = started;
    run.version = version;
    run.name = fmt::format("{}-etcd-register-calm-s1", started);
    REQUIRE(append_index(folder.path(), run));
  };
  RunRecord run = failed_run();
  const auto words = [&] {
    tell_seen_before(run, folder.path());
    return seen_before_words(run.checks.front().findings.front());
  };
  CHECK(words().empty());  // nothing to compare with
  add("2026-11-20T00:00:00Z", "3.4.22", passed_run());
  add("2026-11-20T01:00:00Z", "3.4.22", passed_run());
  CHECK(words() == "new: none of 2 earlier runs showed it");
  add("2026-11-21T00:00:00Z", "3.4.23", failed_run());
  add("2026-11-22T00:00:00Z", "3.4.23", failed_run());
  add("2026-11-24T00:00:00Z", "3.4.23", failed_run());  // later
  RunRecord other = failed_run();
  other.workload = "queue";
  add("2026-11-22T01:00:00Z", "3.4.23", other);
  CHECK(words() ==
        "in 2 of 4 earlier runs, first on 2026-11-21, last on 2026-11-22; version 3.4.22 did not "
        "show it in 2 runs");
  CHECK(to_page(to_json(run_record_from_json(to_json(run)).value())) == to_page(to_json(run)));
}

TEST_CASE("damage to the index costs the damaged lines only") {
  const TemporaryFolder folder;
  REQUIRE(append_index(folder.path(), passed_run()));
  std::ofstream(folder.path() / "index.jsonl", std::ios::app)
      << "[]\n{\"name\": 3}\n{\"name\": \"torn";
  RunRecord other = passed_run();
  other.name = "2026-11-24T00-00-00-PASS-etcd-register-calm-s1";
  REQUIRE(append_index(folder.path(), other));
  const auto entries = read_index(folder.path()).value();
  REQUIRE(entries.size() == 2);
  CHECK(entries[1].name == other.name);
}

TEST_CASE("a full disk is an error of the index, in words") {
  const TemporaryFolder folder;
  fs::create_symlink("/dev/full", folder.path() / "index.jsonl");
  const auto appended = append_index(folder.path(), passed_run());
  REQUIRE_FALSE(appended);
  CHECK(appended.error().message.find("No space left") != std::string::npos);
}

}  // namespace ordeal::results
