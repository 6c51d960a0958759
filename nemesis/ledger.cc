#include <algorithm>

#include <fmt/core.h>

#include "core/json.h"
#include "nemesis/nemesis.h"

namespace ordeal::nemesis {

std::vector<PendingUndo> pending_undos(const std::vector<FaultRecord>& ledger) {
  std::vector<PendingUndo> pending;
  for (const FaultRecord& record : ledger) {
    const auto same = [&](const PendingUndo& undo) {
      return undo.fault == record.fault && (record.node.empty() || undo.node == record.node);
    };
    if (record.step == FaultStep::undo || record.step == FaultStep::healed) {
      pending.erase(std::remove_if(pending.begin(), pending.end(), same), pending.end());
    }
    if (record.step == FaultStep::undo)
      pending.push_back({record.fault, record.node, record.command, record.detail});
  }
  std::reverse(pending.begin(), pending.end());
  return pending;
}

Result<std::vector<FaultRecord>> read_ledger(const std::filesystem::path& file) {
  const Result<std::vector<std::string>> lines = read_lines(file);
  if (!lines) return pass_on(lines.error());
  std::vector<FaultRecord> ledger;
  ledger.reserve(lines->size());
  for (const std::string& line : *lines) {
    const std::string where = fmt::format("{}, line {}", file.string(), ledger.size() + 1);
    const Result<Json> json = parse_json(line);
    if (!json) return pass_on(json.error(), where);
    Result<FaultRecord> record = fault_record_from_json(*json);
    if (!record) return pass_on(record.error(), where);
    ledger.push_back(std::move(*record));
  }
  return ledger;
}

}  // namespace ordeal::nemesis
