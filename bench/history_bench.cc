// Writes a history of a million operations and loads it again, and the same as Jepsen writes it:
// seconds, megabytes a second, and bytes of memory an operation.

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include "checkers/foreign.h"
#include "core/history.h"
#include "core/random.h"

namespace ordeal {

namespace {

constexpr int operations = 1'000'000;
constexpr int processes = 10;
constexpr int operations_per_key = 300;

// Ten processes in lock step; half reads, a quarter writes, a quarter compare-and-sets.
void write_history(HistoryWriter& writer) {
  Rng rng(1);
  Event event;
  for (int round = 0; round < operations / processes; ++round) {
    std::vector<Event> invoked;
    for (int process = 0; process < processes; ++process) {
      const int number = round * processes + process;
      event = {};
      event.time = Nanoseconds(std::int64_t{number} * 1'000);
      event.process = process;
      event.node = static_cast<NodeIndex>(process % 5);
      event.key = number / operations_per_key;
      if (rng.chance(0.5)) {
        event.function = Function::read;
      } else if (rng.chance(0.5)) {
        event.function = Function::write;
        event.value = number;
      } else {
        event.function = Function::cas;
        event.value = Value::list({number - 7, number});
      }
      invoked.push_back(event);
      writer.append(event);
    }
    for (Event& completed : invoked) {
      completed.time += 800us;
      completed.type = EventType::ok;
      completed.value = completed.function == Function::read ? Value(round) : Value();
      writer.append(completed);
    }
  }
}

double seconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// Bytes in use on the heap, as the allocator counts them.
std::size_t heap() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// The history as Jepsen stores it, a map an event, keys as independent tuples.
std::string edn_of(const History& history) {
  struct Line {
    const Operation* op = nullptr;
    bool begins = false;
  };
  std::vector<Line> lines(history.events);
  for (const Operation& op : history.operations) {
    lines[op.invoked] = {&op, true};
    if (op.completed != never) lines[op.completed] = {&op, false};
  }
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto& [op, begins] = lines[i];
    if (op == nullptr) continue;
    const bool asks = op->function == Function::read && begins;
    text += fmt::format("{{:type {}, :f :{}, :value [{} {}], :process {}, :time {}, :index {}}}\n",
                        begins ? ":invoke" : ":ok", to_text(op->function), to_text(op->key),
                        asks                             ? "nil"
                        : op->function == Function::read ? to_text(op->result)
                                                         : to_text(op->argument),
                        op->process, (begins ? op->invoked_at : op->completed_at).count(), i);
  }
  return text;
}

void read_edn(const std::string& text) {
  for (int turn = 0; turn < 3; ++turn) {
    const double cpu_before = cpu_seconds();
    const auto found = checkers::read_foreign(text, "history.edn");
    const double cpu = cpu_seconds() - cpu_before;
    std::printf("EDN: %zu operations in %.2f s of CPU: %.0f MB, %.0f MB/s\n",
                found ? found->history.operations.size() : 0, cpu,
                static_cast<double>(text.size()) / 1e6,
                static_cast<double>(text.size()) / 1e6 / cpu);
  }
}

int run(const std::filesystem::path& file) {
  const auto began = SteadyClock::now();
  auto writer = HistoryWriter::create(file, {"n1", "n2", "n3", "n4", "n5"});
  if (!writer) return std::fprintf(stderr, "%s\n", writer.error().message.c_str()), 1;
  write_history(**writer);
  if (const auto closed = (*writer)->close(); !closed) {
    return std::fprintf(stderr, "%s\n", closed.error().message.c_str()), 1;
  }
  writer->reset();
  const double bytes = static_cast<double>(std::filesystem::file_size(file));
  std::printf("wrote %d operations in %.2f s: %.0f MB, %.0f bytes an operation\n", operations,
              seconds_since(began), bytes / 1e6, bytes / operations);

  malloc_trim(0);
  const std::size_t before = heap();
  for (int turn = 0; turn < 3; ++turn) {
    const auto loading = SteadyClock::now();
    const double cpu_before = cpu_seconds();
    const auto history = read_history(file);
    if (!history) return std::fprintf(stderr, "%s\n", history.error().message.c_str()), 1;
    const double cpu = cpu_seconds() - cpu_before;
    std::printf(
        "loaded %zu operations in %.2f s (CPU %.2f s, %.0f MB/s): %.0f bytes an operation in "
        "memory\n",
        history->operations.size(), seconds_since(loading), cpu, bytes / 1e6 / cpu,
        static_cast<double>(heap() - before) / operations);
    if (turn == 2) read_edn(edn_of(*history));
  }
  return 0;
}

}  // namespace

}  // namespace ordeal

int main() {
  const auto file =
      std::filesystem::temp_directory_path() / ("history_bench." + std::to_string(getpid()));
  const int code = ordeal::run(file);
  std::filesystem::remove(file);
  return code;
}
