#pragma once
// The history of a run: every event in one total order, and the operations that pair them.
//
// The order is the order of the lines in the file and of one counter: an invocation takes its index
// before the request is sent, a completion after the answer was received. So if one operation's
// completion precedes another's invocation here, it did so in reality; that is all a checker may
// rely on.
//
// On disk: history.jsonl, a header line and then one event a line, append-only. Any prefix of the
// file is a sound history: operations whose completion is missing are of unknown outcome. Reading
// tolerates a torn last line, and nothing else.

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/op.h"
#include "core/result.h"

namespace ordeal {

struct History {
  std::vector<std::string> nodes;          // names by NodeIndex
  std::vector<Operation> operations;       // by invocation index, ascending
  std::vector<std::string> errors = {""};  // texts by Operation::error, each once
  std::size_t events = 0;
  bool torn = false;  // the last line was cut short and left out

  // The text of an operation's error, empty when it has none.
  [[nodiscard]] const std::string& error_of(const Operation& op) const { return errors[op.error]; }
};

// Builds a History from events in order. Refuses, in one sentence, what no run can have recorded: a
// completion without an invocation, two operations of one process at once, a process that acts
// after an `info`, an index that does not ascend.
class HistoryBuilder {
 public:
  HistoryBuilder();
  HistoryBuilder(HistoryBuilder&&) noexcept;
  HistoryBuilder& operator=(HistoryBuilder&&) noexcept;
  ~HistoryBuilder();

  void set_nodes(std::vector<std::string> nodes);
  [[nodiscard]] Result<void> add(Event event);
  [[nodiscard]] History finish() &&;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Reads history.jsonl; errors name file and line. About half a second for a million operations.
[[nodiscard]] Result<History> read_history(const std::filesystem::path& file);

// Records a history as it happens. append() may be called from any thread and gives the event its
// index; a thread of the writer's own encodes and writes every few milliseconds, so that a SIGKILL
// of the process loses no more than that, and what is on disk is always a prefix of the order. A
// full disk or another write error stops the recording; failure() then says so, and the caller must
// end the run. append() blocks while the writer is far behind, so memory is bounded.
class HistoryWriter {
 public:
  [[nodiscard]] static Result<std::unique_ptr<HistoryWriter>> create(
      const std::filesystem::path& file, std::vector<std::string> nodes);
  HistoryWriter(const HistoryWriter&) = delete;
  HistoryWriter& operator=(const HistoryWriter&) = delete;
  ~HistoryWriter();

  // Sets event.index and records it. Returns the index.
  EventIndex append(Event event);
  // What is wrong with the file, nullopt while nothing is. Cheap; any thread.
  [[nodiscard]] std::optional<Error> failure() const;
  // Writes what is left, syncs to the disk and closes. Idempotent.
  [[nodiscard]] Result<void> close();

 private:
  struct State;
  explicit HistoryWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ordeal
