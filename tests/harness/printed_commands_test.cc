// Every command that a report prints is one that the command line takes. The golden reports are
// read; the directories that they name are made.

#include <filesystem>
#include <fstream>
#include <set>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "core/file.h"
#include "harness/commands.h"

namespace ordeal::harness {

namespace {

namespace fs = std::filesystem;

// A line as a POSIX shell splits it, as far as our quoting goes.
std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  bool any = false;
  for (std::size_t i = 0; i <= line.size(); ++i) {
    if (i == line.size() || line[i] == ' ') {
      if (any) words.push_back(word);
      word.clear();
      any = false;
      continue;
    }
    any = true;
    if (line[i] != '\'') {
      word += line[i];
      continue;
    }
    for (++i; i < line.size() && line[i] != '\''; ++i) word += line[i];
  }
  return words;
}

// Lines of shell blocks, and the commands at the end of a terminal's block.
std::set<std::string> commands_in(const std::string& page) {
  std::set<std::string> commands;
  for (std::size_t at = page.find("ordeal "); at != std::string::npos;
       at = page.find("ordeal ", at + 1)) {
    const std::size_t end = page.find('\n', at);
    const bool starts_line = at == 0 || page[at - 1] == '\n' || page.compare(at - 2, 2, "  ") == 0;
    if (starts_line) commands.insert(page.substr(at, end - at));
  }
  return commands;
}

}  // namespace

TEST_CASE("every command in a golden report is one of ours") {
  const fs::path golden = fs::path(ORDEAL_SOURCE_DIR) / "tests/results/golden";
  std::set<std::string> commands;
  for (const auto& entry : fs::recursive_directory_iterator(golden)) {
    const fs::path& file = entry.path();
    if (file.extension() != ".md" && file.filename() != "terminal.txt") continue;
    commands.merge(commands_in(read_file(file).value()));
  }
  REQUIRE(commands.size() >= 10);
  const fs::path before = fs::current_path();
  const fs::path place =
      fs::temp_directory_path() / ("ordeal-commands-" + std::to_string(::getpid()));
  std::set<std::string> seen;
  for (const std::string& command : commands) {
    const std::vector<std::string> words = words_of(command);
    for (const std::string& word : words) {
      if (word.rfind("runs", 0) != 0) continue;
      const bool is_file = fs::path(word).extension() == ".json";
      fs::create_directories(place / (is_file ? fs::path(word).parent_path() : fs::path(word)));
      if (is_file) std::ofstream(place / word) << "{}";
    }
    fs::current_path(place);
    const Result<void> taken = parses(words);
    fs::current_path(before);
    INFO(command);
    CHECK((taken ? "" : taken.error().message) == "");
    seen.insert(words.at(1));
  }
  fs::remove_all(place);
  CHECK(seen == std::set<std::string>{"check", "heal", "reproduce", "run", "serve"});
}

TEST_CASE("what is no command of ours is refused") {
  CHECK_FALSE(parses({"ordeal", "examine", "runs"}));
  CHECK_FALSE(parses({"ordeal", "check"}));
  CHECK_FALSE(parses({"ordeal", "list", "--nonsense"}));
}

}  // namespace ordeal::harness
