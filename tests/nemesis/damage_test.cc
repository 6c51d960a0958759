// Damage at rest by the program for nodes, on files of this machine; and what plans of it say.

#include <filesystem>
#include <map>
#include <set>

#include <catch2/catch.hpp>
#include <fmt/core.h>

#include "nemesis/fault.h"
#include "nemesis/node_program.h"
#include "tests/clusters/local_remote.h"
#include "tests/nemesis/scratch.h"
#include "tests/nemesis/sleeper_cluster.h"

using namespace ordeal;
using namespace ordeal::nemesis;

namespace {

std::string noise(std::size_t size, std::uint64_t seed) {
  Rng rng(seed);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(rng.below(256));
  return text;
}

// A data folder, and the program that harms it.
struct Data {
  Data() {
    REQUIRE(remote.upload(node_program(), scratch / "bin/ordeal-node", 0755, 10s));
    std::filesystem::create_directories(scratch / "data/wal");
    write("wal/0.wal", noise(50'000, 1));
    write("wal/1.wal", noise(4096, 2));
    write("db", noise(300'001, 3));
    write("empty", "");
  }
  void write(const std::string& file, const std::string& content) const {
    REQUIRE(write_file(scratch / ("data/" + file), content));
  }
  [[nodiscard]] std::string read(const std::string& file) const {
    return scratch.read("data/" + file);
  }
  // Content and time of writing of every file.
  using Files =
      std::map<std::string, std::pair<std::string, std::filesystem::file_time_type::duration>>;
  [[nodiscard]] Files all() const {
    Files files;
    for (const auto& at : std::filesystem::recursive_directory_iterator(scratch / "data")) {
      if (at.is_regular_file())
        files[at.path()] = {read_file(at.path()).value(), at.last_write_time().time_since_epoch()};
    }
    return files;
  }
  clusters::Output run(const std::string& verb, const std::string& rest = "") {
    return remote
        .run({fmt::format("{} {} --directory {} --name fault-7 {}", scratch / "bin/ordeal-node",
                          verb, scratch / ".", rest),
              {}})
        .value();
  }
  clusters::Output damage(const std::string& how) {
    return run("damage", fmt::format("--data {} --seed 5 {}", scratch / "data", how));
  }

  Scratch scratch;
  clusters::LocalRemote remote;
};

Result<Injection> planned(const FaultSpec& spec, SleeperCluster& cluster) {
  Arena arena;
  arena.nodes = {"n1", "n2", "n3"};
  arena.leader = 1;
  arena.cluster = &cluster;
  return fault_named(spec.kind)->plan(spec, arena);
}

}  // namespace

TEST_CASE("each shape of damage is there, is told, and is taken back to the byte") {
  for (const std::string shape : {"flips", "truncate", "copy", "rollback"}) {
    for (const std::string percent : {"1", "30", "100"}) {
      INFO(shape << " " << percent);
      Data data;
      if (shape == "rollback") {
        REQUIRE(data.run("remember", "--data " + data.scratch / "data").ok());
        data.write("wal/0.wal", noise(60'000, 11));
      }
      const auto before = data.all();
      REQUIRE(data.damage("--shape " + shape + " --percent " + percent).ok());
      CHECK(data.all() != before);
      CHECK(data.run("damaged").out.find(" before, ") != std::string::npos);
      // An injection that is tried again begins with what was there.
      REQUIRE(data.damage("--shape flips --percent 100").ok());
      for (int i = 0; i < 2; ++i) {
        CHECK(data.run("mend").ok());
        CHECK(data.all() == before);
        CHECK_FALSE(data.run("damaged").ok());
      }
      CHECK_FALSE(std::filesystem::exists(data.scratch / "damage"));
    }
  }
}

TEST_CASE("every block of every file can be damaged, and only files that are meant") {
  Data data;
  const std::string before = data.read("db"), log = data.read("wal/0.wal");
  REQUIRE(data.damage("--shape flips --percent 100 --files db").ok());
  const std::string after = data.read("db");
  REQUIRE(after.size() == before.size());
  for (std::size_t at = 0; at < before.size(); at += 4096)
    CHECK(before.compare(at, 4096, after, at, 4096) != 0);
  CHECK(data.read("wal/0.wal") == log);
  CHECK(data.damage("--shape flips --percent 100 --files nothing").exit_status == 1);
  CHECK(data.read("db") == before);
}

TEST_CASE("what the server has written since the damage stays, and the rest is taken back") {
  Data data;
  const std::string before = data.read("db");
  REQUIRE(data.damage("--shape flips --percent 100").ok());
  std::string written = data.read("db");
  written.replace(8192, 4096, std::string(4096, 'x'));
  data.write("db", written + "more");
  std::filesystem::remove(data.scratch / "data/wal/0.wal");
  REQUIRE(data.run("mend").ok());
  std::string expected = before;
  expected.replace(8192, 4096, std::string(4096, 'x'));
  CHECK(data.read("db") == expected + "more");
  CHECK_FALSE(std::filesystem::exists(data.scratch / "data/wal/0.wal"));
  CHECK(data.scratch.read("keep/fault-7.last").find("the server has changed since") !=
        std::string::npos);

  REQUIRE(data.damage("--shape truncate --percent 50").ok());
  const std::string cut = data.read("db");
  data.write("db", cut + "the server went on here");
  REQUIRE(data.run("mend").ok());
  CHECK(data.read("db") == cut + "the server went on here");
}

TEST_CASE("a damage that was cut short is taken back from its journal, by the next run too") {
  Data data;
  const auto before = data.all();
  REQUIRE(data.damage("--shape flips --percent 100").ok());
  const std::string whole = before.begin()->second.first;
  REQUIRE(write_file(before.begin()->first, whole));  // as if that file had not been reached
  const std::string program = data.scratch / "bin/ordeal-node";
  REQUIRE(data.remote.run({fault_named("corrupt")->sweep(program), {}}).value().ok());
  CHECK(data.all() == before);
}

TEST_CASE("drawn damage is one that no server can miss, on a minority; scripts may ask for more") {
  SleeperCluster cluster({"/a", "/b", "/c"});
  const Fault& corrupt = *fault_named("corrupt");
  CHECK(corrupt.by_name_only());
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Rng rng(seed);
    FaultSpec spec = corrupt.draw(rng, 3);
    CHECK(spec.parameters.at("shape") == Value("flips"));
    CHECK(spec.parameters.at("percent") == Value(100));
    const auto injection = planned(spec, cluster);
    REQUIRE(injection);
    CHECK(injection->actions.size() == 1);
  }
  FaultSpec spec;
  spec.id = 4;
  spec.kind = "corrupt";
  spec.targets = "majority";
  spec.parameters = {{"shape", "rollback"}, {"age_ms", 1500}, {"files", "member/wal"}};
  const auto injection = planned(spec, cluster);
  REQUIRE(injection);
  REQUIRE(injection->actions.size() == 2);
  // The server is dead before anything is damaged, and before anything is taken back.
  for (const std::string& command : {injection->actions[0].inject, injection->actions[0].undo}) {
    const std::size_t killed = command.find("kill -s KILL");
    const std::size_t harmed =
        std::min(command.find("ordeal-node' damage"), command.find("ordeal-node' mend"));
    CHECK(harmed != std::string::npos);
    CHECK(killed < harmed);
  }
  CHECK(injection->actions[0].inject.find("sleep 1.500") != std::string::npos);
  for (const std::map<std::string, Value>& wrong : std::vector<std::map<std::string, Value>>{
           {{"shape", "melt"}}, {{"percent", 0}}, {{"age_ms", 60'000}}}) {
    spec.parameters = wrong;
    CHECK_FALSE(planned(spec, cluster));
  }
}

TEST_CASE("a file system that is the machine's too is never filled") {
  Data data;
  const std::string program = data.scratch / "bin/ordeal-node";
  for (const std::string folder : {"/", "/nowhere/at/all", "/tmp", "/var/lib/x"}) {
    const auto answer = data.remote
                            .run({fmt::format("{} check-fill --directory {} --data {}", program,
                                              data.scratch / ".", folder),
                                  {}})
                            .value();
    INFO(folder << ": " << answer.err);
    CHECK(answer.exit_status == 1);
    CHECK(answer.err.find("must not be filled") != std::string::npos);
  }
}
