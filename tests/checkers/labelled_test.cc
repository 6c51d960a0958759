// Real histories with known verdicts, from the test data of Knossos (Jepsen's semantics, ours) and
// Porcupine (whose etcd model takes a failed compare-and-set as evidence, so that only its
// "linearizable" carries over). They are not part of the project: the directory that has index.tsv
// is named by ORDEAL_DATA, or is a neighbour of the source tree.

#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>

#include <catch2/catch.hpp>

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

// One event as both formats write it: ":type :f value", the value an integer, nil, or [expected
// new].
struct Line {
  int process = 0;
  std::string type;
  std::string function;
  std::string value;
};

Value integer_or_nil(const std::string& word) {
  return word == "nil" ? Value() : Value(std::stoi(word));
}

Value value_of(const std::string& text) {
  if (!text.starts_with('[')) return integer_or_nil(text);
  std::istringstream words(text.substr(1, text.size() - 2));
  std::string expected;
  std::string next;
  words >> expected >> next;
  return Value::list({integer_or_nil(expected), integer_or_nil(next)});
}

History history_of_lines(const std::vector<Line>& lines) {
  HistoryBuilder builder;
  EventIndex next = 0;
  for (const Line& line : lines) {
    Event event;
    event.index = next++;
    event.process = line.process;
    event.function = *function_named(line.function);
    event.type = *event_type_named(line.type);
    const bool has_value = event.type == EventType::invoke
                               ? event.function != Function::read
                               : event.type == EventType::ok && event.function == Function::read;
    if (has_value) event.value = value_of(line.value);
    const auto added = builder.add(std::move(event));
    if (!added) FAIL(added.error().message);
  }
  return std::move(builder).finish();
}

// "INFO  jepsen.util - 4  :invoke :cas [1 2]"; a value of :timed-out and the like comes with :info
// only.
std::vector<Line> read_log(const fs::path& file) {
  std::vector<Line> lines;
  std::ifstream in(file);
  for (std::string text; std::getline(in, text);) {
    const auto dash = text.find(" - ");
    std::istringstream words(dash == text.npos ? "" : text.substr(dash + 3));
    Line line;
    if (!(words >> line.process >> line.type >> line.function)) continue;
    std::getline(words >> std::ws, line.value);
    line.type.erase(0, 1);
    line.function.erase(0, 1);
    lines.push_back(line);
  }
  return lines;
}

// A vector or list of flat maps whose values are integers, keywords, nil, strings or vectors of
// integers.
std::vector<Line> read_edn(const fs::path& file) {
  std::stringstream buffer;
  buffer << std::ifstream(file).rdbuf();
  const std::string text = buffer.str();
  std::vector<Line> lines;
  for (auto at = text.find('{'); at != text.npos; at = text.find('{', at)) {
    const auto end = text.find('}', at);
    const std::string body = text.substr(at + 1, end - at - 1);
    std::map<std::string, std::string> fields;
    for (std::size_t i = 0; i < body.size();) {
      const auto token = [&] {
        while (i < body.size() &&
               (std::isspace(static_cast<unsigned char>(body[i])) || body[i] == ','))
          ++i;
        const auto begin = i;
        const char close = i < body.size() && body[i] == '['   ? ']'
                           : i < body.size() && body[i] == '"' ? '"'
                                                               : 0;
        if (close != 0) {
          i = body.find(close, i + 1) + 1;
        } else {
          while (i < body.size() && !std::isspace(static_cast<unsigned char>(body[i])) &&
                 body[i] != ',')
            ++i;
        }
        return body.substr(begin, i - begin);
      };
      const std::string name = token();
      fields[name] = token();
    }
    at = end;
    if (!std::isdigit(static_cast<unsigned char>(fields[":process"].front()))) continue;
    lines.push_back({std::stoi(fields[":process"]), fields[":type"].substr(1),
                     fields[":f"].substr(1), fields[":value"]});
  }
  return lines;
}

CheckReport check_file(const Labelled& sample) {
  const bool is_log = sample.file.extension() == ".log";
  CheckOptions options;
  options.deadline = Deadline::after(1min);
  return check_linearizable_register(
      history_of_lines(is_log ? read_log(sample.file) : read_edn(sample.file)), options);
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
      const CheckReport report = check_file(sample);
      CHECK(report.answer ==
            (sample.linearizable ? CheckReport::Answer::valid : CheckReport::Answer::invalid));
      for (const Finding& finding : report.findings) {
        CHECK(finding.certainty == Certainty::proven);
      }
    }
  }
}

}  // namespace ordeal::checkers::test
