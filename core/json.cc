#include "core/json.h"

#include <algorithm>

#include "core/json_fields.h"

namespace ordeal {

namespace {

constexpr int nesting_limit = 32;

Result<Value> value_at_depth(const Json& json, int depth) {
  if (depth > nesting_limit) return error("a value is nested more than {} deep", nesting_limit);
  if (json.is_null()) return Value();
  if (json.is_boolean()) return Value(json.get<bool>());
  if (json.is_string()) return Value(json.get<std::string>());
  std::int64_t integer = 0;
  if (read_json(json, integer)) return Value(integer);
  if (!json.is_array())
    return error("a value must be null, a boolean, an integer, a text or a list");
  Value::List items;
  for (const Json& item : json) {
    Result<Value> value = value_at_depth(item, depth + 1);
    if (!value) return value;
    items.push_back(std::move(*value));
  }
  return Value(std::move(items));
}

Json to_json(const WitnessOperation& op) {
  Json json = {{"id", op.id},
               {"process", op.process},
               {"node", op.node},
               {"f", to_text(op.request.function)},
               {"key", to_json(op.request.key)},
               {"argument", to_json(op.request.argument)},
               {"outcome", to_text(op.outcome)},
               {"result", to_json(op.result)},
               {"error", op.error},
               {"revision", op.revision},
               {"rule", op.rule},
               {"role", op.role},
               {"invoked_at_ns", op.invoked_at.count()},
               {"invoked", op.invoked},
               {"breaks", op.breaks}};
  if (op.completed_at) json["completed_at_ns"] = op.completed_at->count();
  if (op.completed != never) json["completed"] = op.completed;
  return json;
}

std::optional<Outcome> outcome_named(std::string_view name) {
  for (const Outcome outcome : {Outcome::ok, Outcome::fail, Outcome::info}) {
    if (to_text(outcome) == name) return outcome;
  }
  return std::nullopt;
}

std::optional<Certainty> certainty_named(std::string_view name) {
  for (const Certainty certainty : {Certainty::proven, Certainty::suspected}) {
    if (to_text(certainty) == name) return certainty;
  }
  return std::nullopt;
}

Result<WitnessOperation> witness_from_json(const Json& json) {
  WitnessOperation op;
  const auto read = Fields(json, "witness operation")
                        .required("id", op.id)
                        .required("process", op.process)
                        .required("node", op.node)
                        .named("f", op.request.function, function_named)
                        .required("key", op.request.key)
                        .required("argument", op.request.argument)
                        .named("outcome", op.outcome, outcome_named)
                        .required("result", op.result)
                        .required("error", op.error)
                        .optional("revision", op.revision)
                        .optional("rule", op.rule)
                        .optional("role", op.role)
                        .required("invoked_at_ns", op.invoked_at)
                        .required("invoked", op.invoked)
                        .required("breaks", op.breaks)
                        .optional("completed_at_ns", op.completed_at)
                        .optional("completed", op.completed)
                        .status();
  if (!read) return pass_on(read.error());
  return op;
}

Json to_json(const Reason& reason) {
  return {{"text", reason.text}, {"evidence", reason.evidence}};
}

Json to_json(const Edge& edge) {
  return {{"from", edge.from},
          {"to", edge.to},
          {"kind", edge.kind},
          {"text", edge.text},
          {"evidence", edge.evidence}};
}

Result<Edge> edge_from_json(const Json& json) {
  Edge edge;
  const auto read = Fields(json, "edge")
                        .required("from", edge.from)
                        .required("to", edge.to)
                        .required("kind", edge.kind)
                        .required("text", edge.text)
                        .required("evidence", edge.evidence)
                        .status();
  if (!read) return pass_on(read.error());
  return edge;
}

Json to_json(const LogLine& line) {
  return {{"node", line.node},        {"file", line.file},   {"line", line.line},
          {"at_ns", line.at.count()}, {"level", line.level}, {"text", line.text}};
}

Result<LogLine> log_line_from_json(const Json& json) {
  LogLine line;
  const auto read = Fields(json, "log line")
                        .required("node", line.node)
                        .required("file", line.file)
                        .required("line", line.line)
                        .required("at_ns", line.at)
                        .required("level", line.level)
                        .required("text", line.text)
                        .status();
  if (!read) return pass_on(read.error());
  return line;
}

template <class T, class Convert>
Json optional_json(const std::optional<T>& value, Convert convert) {
  return value ? Json(convert(*value)) : Json();
}

Json to_json(const FindingContext& context) {
  const auto text = [](const std::string& words) { return words; };
  const auto ns = [](Nanoseconds time) { return time.count(); };
  Json log = Json::array();
  for (const LogLine& line : context.log) log.push_back(to_json(line));
  return {{"nearest_fault", optional_json(context.nearest_fault, text)},
          {"from_fault_ns", optional_json(context.from_fault, ns)},
          {"nearest_leader_change", optional_json(context.nearest_leader_change, text)},
          {"from_leader_change_ns", optional_json(context.from_leader_change, ns)},
          {"faults_on", context.faults_on},
          {"answered_by", context.answered_by},
          {"log", std::move(log)},
          {"log_lines", context.log_lines},
          {"log_window_ns", context.log_window.count()}};
}

Result<FindingContext> context_from_json(const Json& json) {
  FindingContext context;
  const auto read = Fields(json, "context")
                        .optional("nearest_fault", context.nearest_fault)
                        .optional("from_fault_ns", context.from_fault)
                        .optional("nearest_leader_change", context.nearest_leader_change)
                        .optional("from_leader_change_ns", context.from_leader_change)
                        .required("faults_on", context.faults_on)
                        .required("answered_by", context.answered_by)
                        .each("log", context.log, log_line_from_json)
                        .required("log_lines", context.log_lines)
                        .required("log_window_ns", context.log_window)
                        .status();
  if (!read) return pass_on(read.error());
  return context;
}

Json to_json(const SeenBefore& seen) {
  Json versions = Json::array();
  for (const auto& of : seen.versions)
    versions.push_back({{"version", of.version}, {"runs", of.runs}, {"seen", of.seen}});
  return {{"versions", std::move(versions)}, {"first", seen.first}, {"last", seen.last}};
}

Result<SeenBefore::PerVersion> version_from_json(const Json& json) {
  SeenBefore::PerVersion of;
  const auto read = Fields(json, "version seen before")
                        .required("version", of.version)
                        .required("runs", of.runs)
                        .required("seen", of.seen)
                        .status();
  if (!read) return pass_on(read.error());
  return of;
}

Result<SeenBefore> seen_before_from_json(const Json& json) {
  SeenBefore seen;
  const auto read = Fields(json, "seen before")
                        .each("versions", seen.versions, version_from_json)
                        .required("first", seen.first)
                        .required("last", seen.last)
                        .status();
  if (!read) return pass_on(read.error());
  return seen;
}

Result<Reason> reason_from_json(const Json& json) {
  Reason reason;
  const auto read = Fields(json, "reason")
                        .required("text", reason.text)
                        .required("evidence", reason.evidence)
                        .status();
  if (!read) return pass_on(read.error());
  return reason;
}

}  // namespace

Json to_json(const Value& value) {
  if (const auto* boolean = value.as_boolean()) return *boolean;
  if (const auto* integer = value.as_integer()) return *integer;
  if (const auto* text = value.as_string()) return *text;
  if (const auto* items = value.as_list()) {
    Json list = Json::array();
    for (const Value& item : *items) list.push_back(to_json(item));
    return list;
  }
  return nullptr;
}

Result<Value> value_from_json(const Json& json) { return value_at_depth(json, 0); }

Result<Json> parse_json(std::string_view text) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& failure) {
    // The library's own words quote the input, whatever is in it.
    const std::string_view read = text.substr(0, failure.byte == 0 ? 0 : failure.byte - 1);
    const auto line = std::count(read.begin(), read.end(), '\n') + 1;
    return error("not JSON: wrong at line {}, column {}", line,
                 read.size() - (read.rfind('\n') + 1) + 1);
  } catch (const Json::exception& failure) {
    return error("not JSON: {}", failure.what());
  }
}

std::string to_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_page(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json to_json(const Command& command) {
  return {{"purpose", command.purpose}, {"words", command.words}};
}

Result<Command> command_from_json(const Json& json) {
  Command command;
  const auto read = Fields(json, "command")
                        .required("purpose", command.purpose)
                        .required("words", command.words)
                        .status();
  if (!read) return pass_on(read.error());
  return command;
}

Json to_json(const Finding& finding) {
  Json witness = Json::array();
  for (const WitnessOperation& op : finding.witness) witness.push_back(to_json(op));
  Json reasons = Json::array();
  for (const Reason& reason : finding.reasons) reasons.push_back(to_json(reason));
  Json edges = Json::array();
  for (const Edge& edge : finding.edges) edges.push_back(to_json(edge));
  Json commands = Json::array();
  for (const Command& command : finding.commands) commands.push_back(to_json(command));
  return {{"schema", 1},
          {"number", finding.number},
          {"kind", to_text(finding.kind)},
          {"headline", finding.headline},
          {"promise", finding.promise},
          {"promise_source", finding.promise_source},
          {"also_ruled_out", finding.also_ruled_out},
          {"not_ruled_out", finding.not_ruled_out},
          {"key", to_json(finding.key)},
          {"witness", std::move(witness)},
          {"reasons", std::move(reasons)},
          {"edges", std::move(edges)},
          {"certainty", to_text(finding.certainty)},
          {"certainty_basis", finding.certainty_basis},
          {"diagnosis", finding.diagnosis},
          {"operations_on_key", finding.operations_on_key},
          {"unknown_on_key", finding.unknown_on_key},
          {"bad_prefix_events", finding.bad_prefix_events},
          {"at_ns", finding.at.count()},
          {"context", to_json(finding.context)},
          {"commands", std::move(commands)},
          {"signature", finding.signature},
          {"seen_before", optional_json(finding.seen_before,
                                        [](const SeenBefore& seen) { return to_json(seen); })}};
}

Result<Finding> finding_from_json(const Json& json) {
  Finding finding;
  Json context;
  Json seen;
  const auto read = Fields(json, "finding")
                        .required("number", finding.number)
                        .named("kind", finding.kind, finding_kind_named)
                        .required("headline", finding.headline)
                        .required("promise", finding.promise)
                        .required("key", finding.key)
                        .each("witness", finding.witness, witness_from_json)
                        .each("reasons", finding.reasons, reason_from_json)
                        .each("edges", finding.edges, edge_from_json)
                        .named("certainty", finding.certainty, certainty_named)
                        .required("certainty_basis", finding.certainty_basis)
                        .required("diagnosis", finding.diagnosis)
                        .required("operations_on_key", finding.operations_on_key)
                        .required("unknown_on_key", finding.unknown_on_key)
                        .required("bad_prefix_events", finding.bad_prefix_events)
                        .required("at_ns", finding.at)
                        .optional("promise_source", finding.promise_source)
                        .optional("also_ruled_out", finding.also_ruled_out)
                        .optional("not_ruled_out", finding.not_ruled_out)
                        .required("context", context)
                        .each("commands", finding.commands, command_from_json)
                        .required("signature", finding.signature)
                        .optional("seen_before", seen)
                        .status();
  if (!read) return pass_on(read.error());
  Result<FindingContext> parsed = context_from_json(context);
  if (!parsed) return pass_on(parsed.error());
  finding.context = std::move(*parsed);
  if (!seen.is_null()) {
    Result<SeenBefore> before = seen_before_from_json(seen);
    if (!before) return pass_on(before.error());
    finding.seen_before = std::move(*before);
  }
  return finding;
}

}  // namespace ordeal
