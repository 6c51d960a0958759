// Holds the rules of the house against the tree: who may include whom, how large files may be, and
// the words that must not appear. The table is that of docs/DEVELOPMENT.md.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace {

namespace fs = std::filesystem;

const fs::path root = ORDEAL_SOURCE_DIR;

const std::map<std::string, std::set<std::string>> may_include = {
    {"core", {}},
    {"checkers", {"core"}},
    {"clusters", {"core"}},
    {"workloads", {"core", "checkers"}},
    {"nemesis", {"core", "clusters"}},
    {"results", {"core"}},
    {"harness", {"core", "checkers", "clusters", "workloads", "nemesis", "results"}},
};

struct Source {
  fs::path path;  // relative to the root
  std::vector<std::string> lines;
  [[nodiscard]] std::string floor() const { return path.begin()->string(); }
  [[nodiscard]] bool is_header() const { return path.extension() == ".h"; }
};

std::vector<Source> sources(const std::vector<std::string>& folders) {
  std::vector<Source> found;
  for (const std::string& folder : folders) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (entry.path().extension() != ".h" && entry.path().extension() != ".cc") continue;
      Source source{fs::relative(entry.path(), root), {}};
      std::ifstream file(entry.path());
      for (std::string line; std::getline(file, line);) source.lines.push_back(line);
      found.push_back(std::move(source));
    }
  }
  return found;
}

std::vector<std::string> floors() {
  std::vector<std::string> names;
  for (const auto& [name, below] : may_include) names.push_back(name);
  return names;
}

std::vector<Source> all_sources() {
  std::vector<std::string> folders = floors();
  folders.insert(folders.end(), {"tests", "bench"});
  return sources(folders);
}

// Each offence on a line of its own, so that one run of the test tells them all.
void expect_none(const std::vector<std::string>& offences) {
  std::string all;
  for (const std::string& offence : offences) all += "\n  " + offence;
  INFO(all);
  REQUIRE(offences.empty());
}

std::string place(const Source& source, std::size_t line) {
  return source.path.string() + ":" + std::to_string(line + 1);
}

}  // namespace

TEST_CASE("a floor includes only floors below it") {
  const std::regex include("^#include \"([a-z]+)/.*");
  std::vector<std::string> offences;
  for (const Source& source : sources(floors())) {
    for (std::size_t i = 0; i < source.lines.size(); ++i) {
      std::smatch match;
      if (!std::regex_match(source.lines[i], match, include)) continue;
      const std::string target = match[1];
      const bool generated = target == "etcd";
      if (target == source.floor() || generated || may_include.at(source.floor()).contains(target))
        continue;
      offences.push_back(place(source, i) + " includes " + target);
    }
  }
  expect_none(offences);
}

TEST_CASE("quoted includes name the floor") {
  const std::regex quoted("^#include \"([^\"]+)\".*");
  std::vector<std::string> offences;
  for (const Source& source : all_sources()) {
    for (std::size_t i = 0; i < source.lines.size(); ++i) {
      std::smatch match;
      if (!std::regex_match(source.lines[i], match, quoted)) continue;
      const std::string target = match[1];
      const bool generated = target.find(".pb.h") != std::string::npos ||
                             target.find(".generated.h") != std::string::npos;
      if (!generated && !fs::exists(root / target))
        offences.push_back(place(source, i) + " includes " + target);
    }
  }
  expect_none(offences);
}

TEST_CASE("files stay small") {
  std::vector<std::size_t> sizes;
  std::vector<std::string> offences;
  for (const Source& source : all_sources()) {
    sizes.push_back(source.lines.size());
    if (source.lines.size() > 700)
      offences.push_back(source.path.string() + " has " + std::to_string(sizes.back()) + " lines");
  }
  expect_none(offences);
  REQUIRE(sizes.size() > 50);
  std::sort(sizes.begin(), sizes.end());
  REQUIRE(sizes[sizes.size() / 2] <= 200);
}

TEST_CASE("lines fit into 100 columns") {
  std::vector<std::string> offences;
  for (const Source& source : all_sources()) {
    for (std::size_t i = 0; i < source.lines.size(); ++i) {
      // Code points, not bytes.
      const auto columns =
          std::count_if(source.lines[i].begin(), source.lines[i].end(),
                        [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; });
      if (columns > 100)
        offences.push_back(place(source, i) + " has " + std::to_string(columns) + " columns");
    }
  }
  expect_none(offences);
}

TEST_CASE("headers open with their contract") {
  std::vector<std::string> offences;
  for (const Source& source : sources(floors())) {
    if (!source.is_header()) continue;
    const bool told = source.lines.size() > 1 && source.lines[0] == "#pragma once" &&
                      source.lines[1].rfind("// ", 0) == 0;
    if (!told) offences.push_back(source.path.string());
  }
  expect_none(offences);
}

TEST_CASE("words that must not appear") {
  // Pieced together, so that this file does not offend itself.
  const std::vector<std::pair<std::string, std::string>> banned = {
      {std::string("std::uni") + "form_", "its output depends on the library: use Rng"},
      {std::string("std::ra") + "nd(", "use Rng"},
      {std::string("TO") + "DO", "do it, or file an issue"},
      {std::string("FIX") + "ME", "do it, or file an issue"},
      {std::string("std::this_thread::sleep_") + "until", "wait on a condition with a stop token"},
  };
  std::vector<std::string> offences;
  for (const Source& source : all_sources()) {
    for (std::size_t i = 0; i < source.lines.size(); ++i) {
      for (const auto& [word, why] : banned) {
        const bool only_here =
            word.find("sleep") == std::string::npos || may_include.contains(source.floor());
        if (only_here && source.lines[i].find(word) != std::string::npos)
          offences.push_back(place(source, i) + ": " + word + ": " + why);
      }
      if (source.is_header() && source.lines[i].rfind("using namespace", 0) == 0 &&
          source.lines[i].find("_literals;") == std::string::npos) {
        offences.push_back(place(source, i) + ": using namespace in a header");
      }
    }
  }
  expect_none(offences);
}

TEST_CASE("no drawer for what has no place") {
  const std::set<std::string> drawers = {"util",    "utils",  "common", "misc",
                                         "manager", "helper", "helpers"};
  std::vector<std::string> offences;
  for (const Source& source : all_sources()) {
    for (const fs::path& part : source.path) {
      if (drawers.contains(part.stem().string())) offences.push_back(source.path.string());
    }
  }
  expect_none(offences);
}
