#include <algorithm>

#include <fmt/format.h>

#include "checkers/check_calls.h"
#include "checkers/foreign.h"
#include "checkers/linearizability.h"
#include "core/file.h"
#include "harness/coverage.h"
#include "harness/judge.h"
#include "harness/version.h"

namespace ordeal::harness {

namespace {

using checkers::Call;

constexpr std::string_view our_header = "\"ordeal-history\"";
constexpr Nanoseconds time_for_order = 60s;

const workloads::WorkloadKind* workload_named(std::string_view name) {
  const auto& kinds = workloads::workload_kinds();
  const auto found = std::ranges::find(kinds, name, &workloads::WorkloadKind::name);
  return found == kinds.end() ? nullptr : &*found;
}

tl::unexpected<Error> unknown_name(std::string_view name) {
  std::string known;
  for (const auto& kind : workloads::workload_kinds()) known += fmt::format(" {}", kind.name);
  for (const auto& kind : checkers::model_kinds()) known += fmt::format(" {}", kind.name);
  return error("--as {}: there is no such workload or model; there are{}", name, known);
}

Coverage coverage_of(const std::vector<Call>& calls, const std::vector<CheckReport>& checks) {
  Coverage coverage = measure_coverage({}, {}, {}, checks);
  coverage.operations = calls.size();
  for (const Call& call : calls) {
    auto& count = coverage.functions[std::string(to_text(call.act))];
    ++(call.is_certain() ? count.ok : count.info);
  }
  return coverage;
}

checkers::OnOrder writer_of_orders(const checkers::ModelKind& model, FileAnswer& answer) {
  return [&](const Value& key, const std::vector<Call>& part,
             const std::vector<std::uint32_t>& order, const std::string& why_none) {
    if (!why_none.empty()) {
      answer.order.push_back(
          fmt::format("order of key {}: none was found: {}", to_text(key), why_none));
      return;
    }
    const bool right = checkers::is_right_order(model, part, order);
    answer.order.push_back(fmt::format("order of key {} ({} of {} operations; {})", to_text(key),
                                       order.size(), part.size(),
                                       right ? "verified" : "WRONG: please report this"));
    for (const std::uint32_t i : order) answer.order.push_back("  " + to_text(part[i]));
  };
}

// Checks the calls by the model, and writes down an order of each key if one is wanted.
void judge_calls(const std::vector<Call>& calls, const checkers::ModelKind& model,
                 const FileQuestion& question, const checkers::CheckOptions& options,
                 FileAnswer& answer) {
  const auto write_down =
      question.wants_order ? writer_of_orders(model, answer) : checkers::OnOrder();
  take_in({checkers::check_calls(calls, model, options, write_down)}, answer.record);
}

// An order of a history of registers, once it has been found valid.
void write_order(const History& history, const checkers::CheckOptions& options,
                 FileAnswer& answer) {
  const auto calls = checkers::calls_of(history, options.failed_cas);
  if (!calls) return;
  const checkers::ModelKind& model = *checkers::model_named("register");
  const checkers::Budget budget = {Deadline::after(time_for_order), options.memory_limit};
  checkers::find_orders(*calls, model, budget, writer_of_orders(model, answer));
}

Result<void> judge_ours(const std::filesystem::path& file, const FileQuestion& question,
                        const checkers::CheckOptions& options, FileAnswer& answer) {
  const std::string as = question.as.empty() ? "register" : question.as;
  const workloads::WorkloadKind* workload = workload_named(as);
  const checkers::ModelKind* model = checkers::model_named(as);
  if (workload == nullptr && model == nullptr) return unknown_name(as);
  const Result<History> history = read_history(file);
  if (!history) return pass_on(history.error());
  RunRecord& run = answer.record;
  run.workload = as;
  run.nodes = history->nodes.size();
  if (workload != nullptr) {
    check(*history, *workload->make({}), options, run);
    if (question.wants_order && verdict_of(run) == Verdict::pass) {
      write_order(*history, options, answer);
    }
  } else {
    const auto calls = checkers::calls_of(*history, options.failed_cas);
    if (!calls) return error("{}: it has functions that no model knows", file.string());
    judge_calls(*calls, *model, question, options, answer);
  }
  place_findings({}, {}, *history, {}, run);
  run.coverage = measure_coverage(*history, {}, {}, run.checks);
  return {};
}

Result<void> judge_foreign(const std::string& text, const std::filesystem::path& file,
                           const FileQuestion& question, const checkers::CheckOptions& options,
                           FileAnswer& answer) {
  const auto read = checkers::read_foreign(text, file.string(), question.format);
  if (!read) return pass_on(read.error());
  RunRecord& run = answer.record;
  run.workload = question.as.empty() ? std::string(read->model) : question.as;
  if (read->model == "register") {
    if (run.workload == "register") {
      take_in({checkers::check_linearizable_register(read->history, options)}, run);
      if (question.wants_order && verdict_of(run) == Verdict::pass) {
        write_order(read->history, options, answer);
      }
      place_findings({}, {}, read->history, {}, run);
      run.coverage = measure_coverage(read->history, {}, {}, run.checks);
      return {};
    }
  }
  const checkers::ModelKind* model = checkers::model_named(run.workload);
  if (model == nullptr) return unknown_name(run.workload);
  const auto from_history = checkers::calls_of(read->history, options.failed_cas);
  const auto& calls = read->model == "register" && from_history ? *from_history : read->calls;
  judge_calls(calls, *model, question, options, answer);
  place_findings({}, {}, read->history, {}, run);
  run.coverage = coverage_of(calls, run.checks);
  return {};
}

}  // namespace

Result<FileAnswer> judge_file(const std::filesystem::path& file, const FileQuestion& question,
                              const checkers::CheckOptions& options) {
  const Result<std::string> text = read_file(file);
  if (!text) return pass_on(text.error());
  FileAnswer answer;
  answer.record.name = file.filename().string();
  answer.record.ordeal_version = version();
  const std::string_view head = std::string_view(*text).substr(0, text->find('\n'));
  const bool has_our_header = head.find(our_header) != head.npos;
  const bool is_foreign = !checkers::foreign_format_of(*text).empty();
  if (question.format.empty() && !has_our_header && !is_foreign && !text->empty()) {
    return error("{}: it is in none of the formats that are read: Ordeal's own history.jsonl, {}",
                 file.string(), checkers::foreign_formats);
  }
  const bool ours = question.format.empty() && (has_our_header || !is_foreign);
  const Result<void> judged = ours ? judge_ours(file, question, options, answer)
                                   : judge_foreign(*text, file, question, options, answer);
  if (!judged) return pass_on(judged.error());
  answer.record.verdict = verdict_of(answer.record);
  return answer;
}

}  // namespace ordeal::harness
