#include "core/history.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "core/file.h"
#include "core/json.h"
#include "core/random.h"

using namespace ordeal;

namespace {

// A folder of its own for each test, gone afterwards.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "ordeal-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) FAIL("no temporary folder");
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

Event invoke(Process process, Function function, Value key, Value argument) {
  Event event;
  event.time = 1us * process;
  event.process = process;
  event.function = function;
  event.key = std::move(key);
  event.value = std::move(argument);
  return event;
}

Event complete(Process process, EventType type, Function function, Value key, Value result,
               std::string why = "") {
  Event event = invoke(process, function, std::move(key), std::move(result));
  event.type = type;
  event.error = std::move(why);
  return event;
}

std::vector<Event> sample_events() {
  return {invoke(0, Function::write, "x", 3),
          invoke(1, Function::cas, "x", Value::list({3, 7})),
          complete(0, EventType::ok, Function::write, "x", {}),
          invoke(2, Function::read, Value::list({"k\"\n", 1, Value(true)}), {}),
          complete(1, EventType::info, Function::cas, "x", {}, "timeout: \xff \x01 \"quoted\""),
          complete(2, EventType::ok, Function::read, Value::list({"k\"\n", 1, Value(true)}),
                   "v\xc3\xa4")};
}

void record(const std::filesystem::path& file, const std::vector<Event>& events) {
  auto writer = HistoryWriter::create(file, {"n1", "n2"});
  REQUIRE(writer);
  for (const Event& event : events) (*writer)->append(event);
  REQUIRE((*writer)->close());
}

std::string problem_of(const std::filesystem::path& file) {
  const auto history = read_history(file);
  return history ? "" : history.error().message;
}

void replace_text(const std::filesystem::path& file, const std::string& from,
                  const std::string& to) {
  std::string text = *read_file(file);
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  REQUIRE(write_file(file, text.replace(at, from.size(), to)));
}

}  // namespace

TEST_CASE("a history is read back as it was recorded") {
  const Folder folder;
  record(folder / "h.jsonl", sample_events());
  const auto history = read_history(folder / "h.jsonl");
  REQUIRE(history);
  REQUIRE(history->nodes == std::vector<std::string>{"n1", "n2"});
  REQUIRE(history->events == 6);
  REQUIRE_FALSE(history->torn);
  REQUIRE(history->operations.size() == 3);
  const Operation& write = history->operations[0];
  REQUIRE((write.function == Function::write && write.key == "x" && write.argument == 3));
  REQUIRE((write.outcome == Outcome::ok && write.invoked == 0 && write.completed == 2));
  const Operation& cas = history->operations[1];
  REQUIRE(
      (cas.argument == Value::list({3, 7}) && cas.outcome == Outcome::info && cas.completed == 4));
  REQUIRE(history->error_of(cas) == "timeout: \xef\xbf\xbd \x01 \"quoted\"");
  const Operation& read = history->operations[2];
  REQUIRE((read.key == Value::list({"k\"\n", 1, Value(true)}) && read.result == "v\xc3\xa4"));
}

TEST_CASE("each line is JSON of its own") {
  const Folder folder;
  record(folder / "h.jsonl", sample_events());
  const auto lines = read_lines(folder / "h.jsonl");
  REQUIRE(lines);
  REQUIRE(lines->size() == 7);
  for (const std::string& line : *lines) REQUIRE(parse_json(line));
}

TEST_CASE("every prefix of the file is a sound history") {
  const Folder folder;
  record(folder / "h.jsonl", sample_events());
  const std::string text = *read_file(folder / "h.jsonl");
  const std::size_t header = text.find('\n') + 1;
  for (std::size_t length = header; length <= text.size(); ++length) {
    REQUIRE(write_file(folder / "cut.jsonl", text.substr(0, length)));
    const auto history = read_history(folder / "cut.jsonl");
    REQUIRE(history);
    REQUIRE(history->torn == (text[length - 1] != '\n'));
    for (const Operation& op : history->operations) {
      REQUIRE((op.completed != never || op.outcome == Outcome::info));
    }
  }
}

TEST_CASE("what no run can have recorded is refused with file and line") {
  const Folder folder;
  const auto file = folder / "h.jsonl";
  record(file, sample_events());
  SECTION("lost line") {
    replace_text(file, "\"index\":2", "\"index\":3");
    REQUIRE_THAT(problem_of(file), Catch::EndsWith("h.jsonl, line 4: \"index\" must be 2"));
  }
  SECTION("unknown type") {
    replace_text(file, "\"type\":\"ok\"", "\"type\":\"okay\"");
    REQUIRE_THAT(problem_of(file), Catch::Contains("line 4: \"type\" must be"));
  }
  SECTION("line that lost its end") {
    replace_text(file, ",\"node\":\"n1\"}", "");
    REQUIRE_THAT(problem_of(file), Catch::Contains("line 2: not a JSON object"));
  }
  SECTION("garbage") {
    replace_text(file, "\"f\":\"write\"", "\"f\":\"wri\xfft\"");
    REQUIRE_THAT(problem_of(file), Catch::Contains("line 2"));
  }
  SECTION("two operations of a process at once") {
    replace_text(file, "\"process\":1", "\"process\":0");
    REQUIRE_THAT(problem_of(file),
                 Catch::Contains("process 0 invokes although its operation 0 is not complete"));
  }
  SECTION("completion of another operation") {
    replace_text(file, "\"type\":\"ok\",\"f\":\"write\"", "\"type\":\"ok\",\"f\":\"read\"");
    REQUIRE_THAT(problem_of(file), Catch::Contains("completes read x although it invoked write x"));
  }
  SECTION("a retired process that acts again") {
    replace_text(file, "\"process\":0,\"type\":\"ok\"", "\"process\":0,\"type\":\"info\"");
    replace_text(file, "\"process\":2", "\"process\":0");
    REQUIRE_THAT(problem_of(file), Catch::Contains("process 0 acts again after"));
  }
  SECTION("no header") {
    REQUIRE(write_file(file, ""));
    REQUIRE_THAT(problem_of(file), Catch::Contains("header line is missing"));
  }
  SECTION("another schema") {
    replace_text(file, "\"schema\":1", "\"schema\":2");
    REQUIRE_THAT(problem_of(file), Catch::Contains("schema 2"));
  }
}

TEST_CASE("random damage never crashes the reader") {
  const Folder folder;
  record(folder / "h.jsonl", sample_events());
  const std::string text = *read_file(folder / "h.jsonl");
  Rng rng(20261122);
  for (int round = 0; round < 3000; ++round) {
    std::string damaged = text;
    for (std::uint64_t i = 0; i <= rng.below(4); ++i) {
      damaged[rng.below(damaged.size())] = static_cast<char>(rng.below(256));
    }
    std::filesystem::remove(folder / "d.jsonl");  // some file systems sync what is written over
    std::ofstream(folder / "d.jsonl", std::ios::binary) << damaged;
    (void)read_history(folder / "d.jsonl");
  }
}

TEST_CASE("events of many threads get one total order") {
  const Folder folder;
  const auto file = folder / "h.jsonl";
  constexpr int threads = 4;
  constexpr int rounds = 5000;
  {
    auto writer = HistoryWriter::create(file, {"n1"});
    REQUIRE(writer);
    std::vector<std::jthread> workers;
    for (int process = 0; process < threads; ++process) {
      workers.emplace_back([&, process] {
        for (int i = 0; i < rounds; ++i) {
          (*writer)->append(invoke(process, Function::write, 1, i));
          (*writer)->append(complete(process, EventType::ok, Function::write, 1, {}));
        }
      });
    }
    workers.clear();
    REQUIRE((*writer)->close());
  }
  const auto history = read_history(file);
  REQUIRE(history);
  REQUIRE(history->events == 2U * threads * rounds);
  std::vector<std::int64_t> next(threads, 0);
  for (const Operation& op : history->operations) {
    REQUIRE(*op.argument.as_integer() == next.at(static_cast<std::size_t>(op.process))++);
  }
}

TEST_CASE("a SIGKILL loses only the last milliseconds") {
  const Folder folder;
  const auto file = folder / "h.jsonl";
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    auto writer = HistoryWriter::create(file, {"n1"});
    for (int i = 0; writer && i < 1'000'000; ++i) {
      (*writer)->append(invoke(0, Function::write, 1, i));
      (*writer)->append(complete(0, EventType::ok, Function::write, 1, {}));
      ::usleep(100);
    }
    ::_exit(1);
  }
  for (int i = 0;
       i < 2000 && (!std::filesystem::exists(file) || std::filesystem::file_size(file) < 4096);
       ++i) {
    ::usleep(5000);
  }
  REQUIRE(::kill(child, SIGKILL) == 0);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  const auto history = read_history(file);
  REQUIRE(history);
  REQUIRE(history->operations.size() > 10);
}

TEST_CASE("a full disk ends the recording with a sentence and blocks nobody") {
  auto writer = HistoryWriter::create("/dev/full", {"n1"});
  REQUIRE_FALSE(writer);
  REQUIRE_THAT(writer.error().message,
               Catch::Contains("/dev/full") && Catch::Contains("No space left"));
}

TEST_CASE("an operation takes well under 200 bytes") { REQUIRE(sizeof(Operation) <= 128); }
