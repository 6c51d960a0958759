// Real histories with known verdicts, from the test data of other checkers, read in their formats.
// They are not part of the project: the directory that has index.tsv
// is named by ORDEAL_DATA, or is a neighbour of the source tree.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include <catch2/catch.hpp>

#include "checkers/check_calls.h"
#include "checkers/foreign.h"
#include "checkers/linearizability.h"

namespace ordeal::checkers::test {

namespace {

namespace fs = std::filesystem;

std::optional<fs::path> find_data() {
  if (const char* named = std::getenv("ORDEAL_DATA")) return fs::path(named);
  std::error_code ignored;
  for (const auto& entry :
       fs::directory_iterator(fs::path(ORDEAL_SOURCE_DIR).parent_path(), ignored)) {
    if (fs::exists(entry.path() / "data" / "index.tsv", ignored)) return entry.path() / "data";
  }
  return std::nullopt;
}

struct Labelled {
  fs::path file;
  bool linearizable;
};

std::vector<Labelled> labelled(const fs::path& data, const std::string& prefix) {
  std::vector<Labelled> found;
  std::ifstream index(data / "index.tsv");
  for (std::string line; std::getline(index, line);) {
    std::vector<std::string> cells;
    std::istringstream row(line);
    for (std::string cell; std::getline(row, cell, '\t');) cells.push_back(cell);
    if (cells.size() < 5 || !cells[1].starts_with(prefix)) continue;
    found.push_back(
        {data / cells[1], !cells[4].starts_with("NOT") && !cells[4].starts_with("INVALID")});
  }
  return found;
}

std::string text_of(const fs::path& file) {
  std::stringstream buffer;
  buffer << std::ifstream(file).rdbuf();
  return buffer.str();
}

CheckReport check_file(const Labelled& sample, FailedCas failed_cas) {
  const auto read = read_foreign(text_of(sample.file), sample.file.string());
  if (!read) UNSCOPED_INFO(read.error().message);
  REQUIRE(read.has_value());
  CheckOptions options;
  options.deadline = Deadline::after(1min);
  options.failed_cas = failed_cas;
  if (read->model == "register") return check_linearizable_register(read->history, options);
  return check_calls(read->calls, *model_named(read->model), options);
}

CheckReport::Answer label_of(const Labelled& sample) {
  return sample.linearizable ? CheckReport::Answer::valid : CheckReport::Answer::invalid;
}

}  // namespace

TEST_CASE("real histories have the verdicts of their labels") {
  const auto data = find_data();
  if (!data) {
    WARN(
        "skipped: no labelled histories here; set ORDEAL_DATA to the directory that has index.tsv");
    return;
  }
  for (const char* prefix : {"knossos/cas-register/", "porcupine/jepsen/"}) {
    const auto samples = labelled(*data, prefix);
    CHECK(samples.size() > 50);
    for (const Labelled& sample : samples) {
      INFO(sample.file);
      const CheckReport report = check_file(sample, FailedCas::ignored);
      CHECK(report.answer == label_of(sample));
      for (const Finding& finding : report.findings) {
        CHECK(finding.certainty == Certainty::proven);
      }
    }
  }
  // Porcupine's own model of etcd takes a failed compare-and-set for evidence.
  for (const Labelled& sample : labelled(*data, "porcupine/jepsen/")) {
    INFO(sample.file);
    CHECK(check_file(sample, FailedCas::evidence).answer == label_of(sample));
  }
}

TEST_CASE("real histories of locks, queues, stacks, counters, sets and key-value stores") {
  const auto data = find_data();
  if (!data) return;
  const std::vector<std::string> kinds = {"knossos/mutex/",          "elle-cli/knossos/",
                                          "porcupine/kv/",           "limo/",
                                          "elle-cli/jepsen/counter", "elle-cli/jepsen/set"};
  for (const std::string& prefix : kinds) {
    const auto samples = labelled(*data, prefix);
    CHECK_FALSE(samples.empty());
    for (const Labelled& sample : samples) {
      INFO(sample.file);
      CHECK(check_file(sample, FailedCas::ignored).answer == label_of(sample));
    }
  }
}

TEST_CASE("real histories that are not for this check are refused in a sentence") {
  const auto data = find_data();
  if (!data) return;
  for (const char* prefix : {"elle/", "elle-cli/elle/", "elle-cli/jepsen/long-fork", "awdit/"}) {
    for (const Labelled& sample : labelled(*data, prefix)) {
      INFO(sample.file);
      CHECK_FALSE(read_foreign(text_of(sample.file), sample.file.string()));
    }
  }
}

}  // namespace ordeal::checkers::test
