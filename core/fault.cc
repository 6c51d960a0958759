#include "core/fault.h"

#include <algorithm>
#include <array>
#include <set>

namespace ordeal {

namespace {

constexpr std::array<std::string_view, 8> step_names = {"undo", "inject", "injected", "effect",
                                                        "heal", "healed", "failed",   "skipped"};

FaultSummary summarize_one(const FaultSpec& spec, const std::vector<FaultRecord>& ledger) {
  FaultSummary summary;
  summary.spec = spec;
  std::set<std::string> held;  // nodes whose undo is registered and not proven done
  for (const FaultRecord& record : ledger) {
    if (record.fault != spec.id) continue;
    switch (record.step) {
      case FaultStep::undo:
        held.insert(record.node);
        break;
      case FaultStep::inject:
        summary.resolved = record.detail;
        break;
      case FaultStep::injected:
        if (!summary.began) summary.began = record.at;
        break;
      case FaultStep::effect:
        summary.evidence.push_back(record.node.empty() ? record.detail
                                                       : record.node + ": " + record.detail);
        summary.took_effect = true;
        break;
      case FaultStep::heal:
        break;
      case FaultStep::healed:
        if (record.node.empty()) {
          held.clear();
        } else {
          held.erase(record.node);
        }
        summary.ended = record.at;
        break;
      case FaultStep::failed:
        if (!summary.trouble) {
          summary.trouble =
              record.node.empty() ? record.detail : record.node + ": " + record.detail;
        }
        break;
      case FaultStep::skipped:
        summary.left_out = record.detail;
        break;
    }
  }
  summary.healed = held.empty();
  if (!summary.healed) summary.ended.reset();
  return summary;
}

}  // namespace

std::string_view to_text(FaultStep step) { return step_names.at(static_cast<std::size_t>(step)); }

std::optional<FaultStep> fault_step_named(std::string_view name) {
  for (std::size_t i = 0; i < step_names.size(); ++i) {
    if (step_names.at(i) == name) return static_cast<FaultStep>(i);
  }
  return std::nullopt;
}

std::vector<FaultSummary> summarize(const std::vector<FaultSpec>& plan,
                                    const std::vector<FaultRecord>& ledger) {
  std::vector<FaultSummary> summaries;
  summaries.reserve(plan.size());
  std::transform(plan.begin(), plan.end(), std::back_inserter(summaries),
                 [&](const FaultSpec& spec) { return summarize_one(spec, ledger); });
  return summaries;
}

}  // namespace ordeal
