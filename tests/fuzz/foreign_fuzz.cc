// Feeds any bytes to the readers of foreign histories, and what they make of it to the checkers:
// neither may crash, hang, or call a history valid whose order is wrong. For libFuzzer; which
// format is in the environment variable FORMAT, none detects it.

#include <cstdlib>

#include "checkers/check_calls.h"
#include "checkers/foreign.h"
#include "checkers/linearizability.h"

namespace {

using namespace ordeal;
using namespace ordeal::checkers;

constexpr std::size_t most_judged = 24;  // calls: beyond that, models may take long

void judge(const Foreign& found) {
  CheckOptions options;
  options.deadline = Deadline::after(200ms);
  options.memory_limit = std::size_t{64} << 20U;
  if (found.model == "register") {
    if (found.history.operations.size() > most_judged) return;
    const CheckReport report = check_linearizable_register(found.history, options);
    for (const auto& undecided : report.undecided) {
      ORDEAL_CHECK(!undecided.is_defect, undecided.why);
    }
    return;
  }
  if (found.calls.size() > most_judged) return;
  const ModelKind& model = *model_named(found.model);
  (void)check_calls(found.calls, model, options,
                    [&](const Value&, const std::vector<Call>& calls,
                        const std::vector<std::uint32_t>& order, const std::string& why_none) {
                      ORDEAL_CHECK(!why_none.empty() || is_right_order(model, calls, order),
                                   "a wrong order");
                    });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const char* format = std::getenv("FORMAT");
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto found = read_foreign(text, "input", format == nullptr ? "" : format);
  if (found) judge(*found);
  return 0;
}
