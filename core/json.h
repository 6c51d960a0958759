#pragma once
// JSON of the core vocabulary: the one place that knows the key names of plan.json, run.json,
// finding.json, faults.jsonl and nodes.jsonl (history.jsonl has a codec of its own, for speed).
// Keys are the names of the fields; durations end in _ns. Reading never throws: what does not fit
// is an Error that names the key.

#include <nlohmann/json.hpp>

#include "core/result.h"
#include "core/run.h"

namespace ordeal {

using Json = nlohmann::ordered_json;

[[nodiscard]] Json to_json(const Value& value);
[[nodiscard]] Result<Value> value_from_json(const Json& json);

[[nodiscard]] Json to_json(const Finding& finding);
[[nodiscard]] Result<Finding> finding_from_json(const Json& json);

[[nodiscard]] Json to_json(const Command& command);
[[nodiscard]] Result<Command> command_from_json(const Json& json);

[[nodiscard]] Json to_json(const Recovery& recovery);
[[nodiscard]] Result<Recovery> recovery_from_json(const Json& json);
[[nodiscard]] Json to_json(const Replica& replica);
[[nodiscard]] Result<Replica> replica_from_json(const Json& json);
[[nodiscard]] Json to_json(const ClockOffset& clock);
[[nodiscard]] Result<ClockOffset> clock_offset_from_json(const Json& json);
[[nodiscard]] Json to_json(const Reproduction& reproduction);
[[nodiscard]] Result<Reproduction> reproduction_from_json(const Json& json);

[[nodiscard]] Json to_json(const FaultSpec& spec);
[[nodiscard]] Result<FaultSpec> fault_spec_from_json(const Json& json);
[[nodiscard]] Json to_json(const FaultRecord& record);
[[nodiscard]] Result<FaultRecord> fault_record_from_json(const Json& json);

[[nodiscard]] Json to_json(const NodeSample& sample);
[[nodiscard]] Result<NodeSample> node_sample_from_json(const Json& json);

[[nodiscard]] Json to_json(const VerdictReason& reason);
[[nodiscard]] Result<VerdictReason> verdict_reason_from_json(const Json& json);
[[nodiscard]] Json to_json(const Health& health);
[[nodiscard]] Result<Health> health_from_json(const Json& json);
[[nodiscard]] Json to_json(const RunRecord& run);
[[nodiscard]] Result<RunRecord> run_record_from_json(const Json& json);

// Parses text; an error says where it stops being JSON.
[[nodiscard]] Result<Json> parse_json(std::string_view text);
// One line, or indented for people. Bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string to_line(const Json& json);
[[nodiscard]] std::string to_page(const Json& json);

}  // namespace ordeal
