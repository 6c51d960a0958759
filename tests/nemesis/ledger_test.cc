#include <catch2/catch.hpp>

#include "core/json.h"
#include "nemesis/nemesis.h"
#include "tests/nemesis/scratch.h"

using namespace ordeal;
using namespace ordeal::nemesis;

namespace {

FaultRecord record(int fault, FaultStep step, const std::string& node = "",
                   const std::string& command = "") {
  return {fault, step, 1ms, node, {}, command};
}

std::string pending(const std::vector<FaultRecord>& ledger) {
  std::string text;
  for (const PendingUndo& undo : pending_undos(ledger)) {
    text += fmt::format("{}/{}:{} ", undo.fault, undo.node, undo.command);
  }
  return text;
}

}  // namespace

TEST_CASE("undos are pending from their registration until they are proven, newest first") {
  std::vector<FaultRecord> ledger = {record(1, FaultStep::undo, "n1", "a"),
                                     record(1, FaultStep::undo, "n2", "b")};
  CHECK(pending(ledger) == "1/n2:b 1/n1:a ");
  ledger.push_back(record(1, FaultStep::inject));
  ledger.push_back(record(1, FaultStep::heal));
  ledger.push_back(record(1, FaultStep::healed, "n1"));
  CHECK(pending(ledger) == "1/n2:b ");
  ledger.push_back(record(2, FaultStep::undo, "n1", "c"));
  ledger.push_back(record(2, FaultStep::failed, "n1"));
  CHECK(pending(ledger) == "2/n1:c 1/n2:b ");
  ledger.push_back(record(1, FaultStep::healed));
  CHECK(pending(ledger) == "2/n1:c ");
  ledger.push_back(record(2, FaultStep::undo, "n1", "d"));
  CHECK(pending(ledger) == "2/n1:d ");
}

TEST_CASE("what the cluster must be asked before an undo stays with it") {
  FaultRecord removed = record(1, FaultStep::undo, "n1", "rejoin");
  removed.detail = "add-member";
  const auto pending = pending_undos({removed});
  REQUIRE(pending.size() == 1);
  CHECK(pending[0].restore == "add-member");
}

TEST_CASE("a ledger is read back without its torn last line") {
  const Scratch scratch;
  const std::string file = scratch / "faults.jsonl";
  const FaultRecord first = record(1, FaultStep::undo, "n1", "echo 'two\nlines'");
  const std::string line = to_json(first).dump() + "\n";
  REQUIRE(write_file(file, line + line.substr(0, line.size() / 2)));
  const auto ledger = read_ledger(file);
  REQUIRE(ledger);
  REQUIRE(ledger->size() == 1);
  CHECK(ledger->front().command == first.command);

  REQUIRE(write_file(file, line + "{\"fault\":\n"));
  const auto broken = read_ledger(file);
  REQUIRE_FALSE(broken);
  CHECK(broken.error().message.find("line 2") != std::string::npos);
  CHECK_FALSE(read_ledger(scratch / "none"));
}
