// Lines as we write them are read by hand, all others by a parser: both must tell the same of any
// line, be it right or wrong. A blank behind the first brace changes nothing of what a line says,
// and sends it to the parser.

#include <filesystem>

#include <catch2/catch.hpp>
#include <sys/mman.h>
#include <unistd.h>

#include "core/history.h"
#include "core/history_codec.h"
#include "core/random.h"

using namespace ordeal;

namespace {

const std::vector<std::string> nodes = {"n1", "n2"};

// A file in memory.
class File {
 public:
  File() : fd_(::memfd_create("history", 0)) { REQUIRE(fd_ >= 0); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { ::close(fd_); }
  [[nodiscard]] std::string name() const { return fmt::format("/proc/self/fd/{}", fd_); }
  void hold(const std::string& text) const {
    REQUIRE(::ftruncate(fd_, 0) == 0);
    REQUIRE(::pwrite(fd_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  }

 private:
  int fd_;
};

// All that the reader says of a text: its history, or what is wrong.
std::string told(const File& file, const std::string& text) {
  file.hold(text);
  const auto history = read_history(file.name());
  if (!history) return history.error().message;
  std::string all = fmt::format("{} events, torn: {}\n", history->events, history->torn);
  for (const Operation& op : history->operations) {
    // Unlike to_text(Value), this tells "1" from 1.
    Event event;
    event.key = op.key;
    event.value = Value::list({op.argument, op.result});
    append_event_line(all, event, history->nodes);
    all +=
        fmt::format(" {} {} {} {} {} {} {} {} {} {}\n", op.invoked, op.completed,
                    op.invoked_at.count(), op.completed_at.count(), op.process, op.node,
                    to_text(op.function), to_text(op.outcome), op.revision, history->error_of(op));
  }
  return all;
}

std::string for_the_parser(const std::string& text) {
  std::string blanked;
  for (std::size_t i = 0; i < text.size(); ++i) {
    blanked += text[i];
    if (text[i] == '{' && (i == 0 || text[i - 1] == '\n')) blanked += ' ';
  }
  return blanked;
}

Value random_value(Rng& rng, int depth) {
  switch (rng.below(depth > 3 ? 6 : 8)) {
    case 0:
      return {};
    case 1:
      return Value(rng.chance(0.5));
    case 2:
      return Value(static_cast<std::int64_t>(rng.next() >> rng.below(64)));
    case 3:
      return Value(-static_cast<std::int64_t>(rng.next() >> (1 + rng.below(63))));
    case 4:
      return Value(rng.pick(std::vector<std::string>{"", "x", "a longer text than most", "null"}));
    case 5:
      return Value(rng.pick(std::vector<std::string>{"\"", "\\", "\x7f", "\n", "v\xc3\xa4",
                                                     "\xe0\xa0\x80", "\xf4\x8f\xbf\xbf", "\xff"}));
    default: {
      Value::List items(rng.below(4));
      for (Value& item : items) item = random_value(rng, depth + 1);
      return Value(std::move(items));
    }
  }
}

// A history that is right, of processes that act in turn.
std::string random_text(Rng& rng, int operations) {
  std::string text;
  append_header_line(text, nodes);
  text += '\n';
  Event event;
  for (int i = 0; i < operations; ++i) {
    event = {};
    event.index = static_cast<EventIndex>(2 * i);
    event.time = Nanoseconds(rng.between(-5, 1'000'000'000'000));
    event.process = static_cast<Process>(i);
    event.node = static_cast<NodeIndex>(rng.below(nodes.size()));
    event.function = rng.pick(all_functions());
    event.key = random_value(rng, 0);
    event.value = random_value(rng, 0);
    append_event_line(text, event, nodes);
    text += '\n';
    ++event.index;
    event.type = static_cast<EventType>(1 + rng.below(3));
    event.value = random_value(rng, 0);
    if (rng.chance(0.3)) event.error = "timeout: no answer";
    if (rng.chance(0.3)) event.revision = rng.between(-3, 1000);
    append_event_line(text, event, nodes);
    text += '\n';
  }
  return text;
}

// Bytes changed, left out, put in or repeated, of those that mean something in a line.
void damage(std::string& text, Rng& rng) {
  static const std::string bytes =
      "{}[]\",:-+.eE0123456789 \t\nntfu\\\x01\x7f\x80\xa4\xbf\xc0\xc3\xe0\xed\xf4\xff";
  static const std::vector<std::string> pieces = {"99999999999999999999",
                                                  "9223372036854775807",
                                                  "9223372036854775808",
                                                  "-9223372036854775808",
                                                  "18446744073709551615",
                                                  "-0",
                                                  "00",
                                                  "1.0",
                                                  "1e3",
                                                  "999999999999999999",
                                                  "1000000000000000000",
                                                  "null",
                                                  "true",
                                                  "{}",
                                                  ",\"node\":\"n1\"",
                                                  ",\"error\":\"\"",
                                                  ",\"revision\":7",
                                                  ",\"time_ns\":null",
                                                  "\"n2\"",
                                                  "}"};
  const std::size_t at = rng.below(text.size());
  const char byte = bytes[rng.below(bytes.size())];
  switch (rng.below(5)) {
    case 0:
      text[at] = byte;
      break;
    case 1:
      text.erase(at, 1 + rng.below(12));
      break;
    case 2:
      text.insert(at, 1, byte);
      break;
    case 3:
      text.insert(at, text.substr(rng.below(text.size()), rng.below(20)));
      break;
    default: {
      // In place of a number, or of whatever stands there.
      const std::size_t digit = text.find_first_of("0123456789", at);
      const std::size_t begin = digit == text.npos ? at : digit;
      const std::size_t end = std::min(text.find_first_not_of("0123456789", begin), text.size());
      text.replace(begin, end - begin, rng.pick(pieces));
    }
  }
}

}  // namespace

TEST_CASE("a line as we write it is read by hand, and says what the parser says") {
  const std::uint64_t seed = 20261129;
  INFO("seed " << seed);
  Rng rng(seed);
  const File file;
  for (int round = 0; round < 300; ++round) {
    const std::string text = random_text(rng, 10);
    const std::string all = told(file, text);
    REQUIRE_THAT(all, Catch::StartsWith("20 events, torn: false"));
    REQUIRE(told(file, for_the_parser(text)) == all);
  }
  const auto is_by_hand = [](const Event& event) {
    std::string line;
    append_event_line(line, event, nodes);
    return read_event_line(line).has_value() && !read_event_line(line + " ") &&
           !read_event_line(line.substr(0, line.size() - 1));
  };
  Event event;
  event.key = "x";
  event.value = Value::list({1, Value::list({Value(true), {}}), -7});
  REQUIRE(is_by_hand(event));
  event.type = EventType::info;
  event.error = "timeout: \xc3\xa4, \xe2\x82\xac, \xf0\x9f\x92\xa9";
  event.revision = 8;
  REQUIRE(is_by_hand(event));
  event.error = "\"";
  REQUIRE_FALSE(is_by_hand(event));
}

TEST_CASE("of a damaged line, the reading by hand says what the parser says") {
  const std::uint64_t seed = 20261130;
  INFO("seed " << seed);
  Rng rng(seed);
  const File file;
  int refused = 0;
  for (int round = 0; round < 10'000; ++round) {
    std::string text = random_text(rng, 3);
    const std::string header = text.substr(0, text.find('\n') + 1);
    text.erase(0, header.size());
    for (std::uint64_t i = 0; i <= rng.below(3); ++i) damage(text, rng);
    CAPTURE(round, text);
    const std::string all = told(file, header + text);
    REQUIRE(told(file, for_the_parser(header + text)) == all);
    refused += all.find(" events, torn") == all.npos ? 1 : 0;
  }
  REQUIRE(refused > 5'000);
  REQUIRE(refused < 9'900);
}

TEST_CASE("how deep values nest does not depend on who reads them") {
  const File file;
  std::string header;
  append_header_line(header, nodes);
  for (const std::size_t depth : {1U, 31U, 32U, 33U, 34U, 2000U}) {
    const std::string line = R"({"index":0,"time_ns":0,"process":0,"type":"invoke","f":"write",)"
                             R"("key":1,"value":)" +
                             std::string(depth, '[') + std::string(depth, ']') + R"(,"node":"n1"})";
    const std::string text = header + "\n" + line + "\n";
    const std::string all = told(file, text);
    CAPTURE(depth);
    CHECK(told(file, for_the_parser(text)) == all);
    CHECK((all.find("\"value\" must be") != all.npos) == (depth > 33));
    CHECK(read_event_line(line).has_value() == (depth <= 33));
  }
}

TEST_CASE("lines of any length are read") {
  const File file;
  std::string text;
  append_header_line(text, nodes);
  text += '\n';
  Event event;
  for (const std::size_t length : {1U, 1'000'000U, 3U, 262'144U, 200'000U, 100'000U}) {
    event.value = std::string(length, 'x');
    append_event_line(text, event, nodes);
    text += '\n';
    ++event.index;
    ++event.process;
  }
  for (const std::string& one : {text, for_the_parser(text)}) {
    file.hold(one + "{\"index\"");
    const auto history = read_history(file.name());
    REQUIRE(history);
    CHECK(history->torn);
    REQUIRE(history->operations.size() == 6);
    CHECK(history->operations[1].argument == Value(std::string(1'000'000, 'x')));
    CHECK(history->operations[5].argument == Value(std::string(100'000, 'x')));
  }
}

TEST_CASE("what cannot be read is named") {
  for (const auto& path :
       {std::filesystem::path("/nowhere/history.jsonl"), std::filesystem::temp_directory_path()}) {
    const auto history = read_history(path);
    REQUIRE_FALSE(history);
    CHECK_THAT(history.error().message, Catch::StartsWith("cannot read " + path.string() + ": "));
  }
}
