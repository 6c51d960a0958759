// Feeds any bytes to the reader of our own histories, and what it makes of them to the checkers and
// to every model: none may crash or hang, and what was read must be in order. For libFuzzer.

#include <sys/mman.h>
#include <unistd.h>

#include "checkers/check_calls.h"
#include "checkers/linearizability.h"

namespace {

using namespace ordeal;
using namespace ordeal::checkers;

constexpr std::size_t most_judged = 24;  // operations: beyond that, models may take long

// The reader opens a file: this one is memory.
class MemoryFile {
 public:
  MemoryFile() : fd_(::memfd_create("history", 0)) { ORDEAL_CHECK(fd_ >= 0, "no memory file"); }
  void hold(const std::uint8_t* data, std::size_t size) const {
    ORDEAL_CHECK(::ftruncate(fd_, 0) == 0, "truncate");
    ORDEAL_CHECK(::pwrite(fd_, data, size, 0) == static_cast<ssize_t>(size), "write");
  }
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

void check_order(const History& history) {
  EventIndex last = 0;
  for (const Operation& op : history.operations) {
    ORDEAL_CHECK(&op == history.operations.data() || op.invoked > last, "not by invocation");
    ORDEAL_CHECK(op.completed > op.invoked, "completed before it began");
    ORDEAL_CHECK(op.node < history.nodes.size(), "a node that is none");
    ORDEAL_CHECK(op.error < history.errors.size(), "an error that is none");
    last = op.invoked;
  }
}

void judge(const History& history) {
  if (history.operations.size() > most_judged) return;
  for (const FailedCas failed_cas : {FailedCas::ignored, FailedCas::evidence}) {
    CheckOptions options;
    options.deadline = Deadline::after(200ms);
    options.memory_limit = std::size_t{64} << 20U;
    options.failed_cas = failed_cas;
    const CheckReport report = check_linearizable_register(history, options);
    for (const auto& undecided : report.undecided) {
      ORDEAL_CHECK(!undecided.is_defect, undecided.why);
    }
    const auto calls = calls_of(history, failed_cas);
    if (!calls) continue;
    for (const ModelKind& model : model_kinds()) {
      options.deadline = Deadline::after(20ms);
      (void)check_calls(*calls, model, options);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const MemoryFile file;
  file.hold(data, size);
  const auto history = read_history(file.path());
  if (!history) return 0;
  check_order(*history);
  judge(*history);
  return 0;
}
