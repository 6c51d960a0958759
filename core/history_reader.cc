#include <algorithm>
#include <charconv>

#include <simdjson.h>

#include "core/history.h"

namespace ordeal {

namespace {

namespace json = simdjson::ondemand;

constexpr int nesting_limit = 32;

// On-demand parsing forbids any further use of a document after an error, so whoever sees nullopt
// stops reading.
template <class T>
std::optional<T> to(json::value from) {
  T found{};
  if (from.get(found) != simdjson::SUCCESS) return std::nullopt;
  return found;
}

std::optional<Value> to_value(json::value from, int depth) {
  if (depth > nesting_limit) return std::nullopt;
  json::json_type type{};
  if (from.type().get(type) != simdjson::SUCCESS) return std::nullopt;
  switch (type) {
    case json::json_type::null:
      return Value();
    case json::json_type::number: {
      std::int64_t integer = 0;
      if (from.get_int64().get(integer) != simdjson::SUCCESS) return std::nullopt;
      return Value(integer);
    }
    case json::json_type::boolean: {
      bool boolean = false;
      if (from.get_bool().get(boolean) != simdjson::SUCCESS) return std::nullopt;
      return Value(boolean);
    }
    case json::json_type::string: {
      std::string_view text;
      if (from.get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
      return Value(std::string(text));
    }
    case json::json_type::array: {
      Value::List items;
      json::array array;
      if (from.get_array().get(array) != simdjson::SUCCESS) return std::nullopt;
      for (auto item : array) {
        json::value inner;
        if (item.get(inner) != simdjson::SUCCESS) return std::nullopt;
        std::optional<Value> value = to_value(inner, depth + 1);
        if (!value) return std::nullopt;
        items.push_back(std::move(*value));
      }
      return Value(std::move(items));
    }
    case json::json_type::object:
      break;
  }
  return std::nullopt;
}

// The members of an event line, each at most once.
struct EventFields {
  std::optional<std::uint64_t> index;
  std::optional<std::int64_t> time, process, revision;
  std::optional<EventType> type;
  std::optional<Function> function;
  std::optional<Value> key, value;
  std::optional<std::string> node, error;
};

// False when the value does not fit the key. Unknown keys are passed over: a schema may grow.
bool read_field(EventFields& fields, std::string_view key, json::value value) {
  const auto name_of = [&] { return to<std::string_view>(value).value_or(""); };
  if (key == "index") return (fields.index = to<std::uint64_t>(value)).has_value();
  if (key == "time_ns") return (fields.time = to<std::int64_t>(value)).has_value();
  if (key == "process") return (fields.process = to<std::int64_t>(value)).has_value();
  if (key == "revision") return (fields.revision = to<std::int64_t>(value)).has_value();
  if (key == "type") return (fields.type = event_type_named(name_of())).has_value();
  if (key == "f") return (fields.function = function_named(name_of())).has_value();
  if (key == "key") return (fields.key = to_value(value, 0)).has_value();
  if (key == "value") return (fields.value = to_value(value, 0)).has_value();
  if (key == "node" || key == "error") {
    const auto text = to<std::string_view>(value);
    if (text) (key == "node" ? fields.node : fields.error) = std::string(*text);
    return text.has_value();
  }
  return true;
}

std::string_view expectation(std::string_view key) {
  if (key == "type") return "must be invoke, ok, fail or info";
  if (key == "f") return "must be read, write or cas";
  if (key == "process") return "must be a number from 0";
  if (key == "key" || key == "value")
    return "must be null, a boolean, an integer, a text or a list";
  return "is of the wrong type";
}

class Reader {
 public:
  Reader(const std::filesystem::path& file, const simdjson::padded_string& text)
      : file_(file), text_(text) {}

  Result<History> read();

 private:
  // The document of the line [begin, end) of the text.
  Result<json::document> parse(std::size_t begin, std::size_t end);
  Result<void> read_header(std::size_t begin, std::size_t end);
  Result<void> read_event(std::size_t begin, std::size_t end);
  [[nodiscard]] tl::unexpected<Error> bad(std::string_view what) const {
    return error("{}, line {}: {}", file_.string(), line_, what);
  }

  const std::filesystem::path& file_;
  const simdjson::padded_string& text_;
  json::parser parser_;
  HistoryBuilder builder_;
  std::vector<std::string> nodes_;
  std::size_t line_ = 0;
  EventIndex expected_index_ = 0;
};

Result<json::document> Reader::parse(std::size_t begin, std::size_t end) {
  // On-demand parsing looks at what is asked for only: a line that lost its end must not pass.
  if (begin == end || text_.data()[begin] != '{' || text_.data()[end - 1] != '}')
    return bad("not a JSON object");
  const std::size_t capacity = text_.size() - begin + simdjson::SIMDJSON_PADDING;
  json::document document;
  const auto code = parser_.iterate(text_.data() + begin, end - begin, capacity).get(document);
  if (code != simdjson::SUCCESS) return bad(simdjson::error_message(code));
  return document;
}

Result<void> Reader::read_header(std::size_t begin, std::size_t end) {
  Result<json::document> document = parse(begin, end);
  if (!document) return pass_on(document.error());
  json::object object;
  if (document->get_object().get(object) != simdjson::SUCCESS) return bad("not a JSON object");
  std::optional<std::int64_t> schema;
  std::string kind;
  std::optional<Value> nodes;
  for (auto&& member : object) {
    json::field field;
    std::string_view key;
    if (std::move(member).get(field) != simdjson::SUCCESS ||
        field.unescaped_key().get(key) != simdjson::SUCCESS) {
      return bad("not a JSON object");
    }
    if (key == "schema" && !(schema = to<std::int64_t>(field.value()))) break;
    if (key == "kind") kind = to<std::string_view>(field.value()).value_or("");
    if (key == "kind" && kind.empty()) break;
    if (key == "nodes" && !(nodes = to_value(field.value(), 0))) break;
  }
  if (!schema || kind != "ordeal-history") return bad("not the header of an Ordeal history");
  if (*schema != 1)
    return bad(fmt::format("schema {} is not one that this Ordeal knows (1)", *schema));
  if (!nodes || nodes->as_list() == nullptr) return bad("\"nodes\" must be a list of names");
  for (const Value& node : *nodes->as_list()) {
    if (node.as_string() == nullptr) return bad("\"nodes\" must be a list of names");
    nodes_.push_back(*node.as_string());
  }
  builder_.set_nodes(nodes_);
  return {};
}

Result<void> Reader::read_event(std::size_t begin, std::size_t end) {
  Result<json::document> document = parse(begin, end);
  if (!document) return pass_on(document.error());
  json::object object;
  if (document->get_object().get(object) != simdjson::SUCCESS) return bad("not a JSON object");

  EventFields fields;
  for (auto&& member : object) {
    json::field field;
    std::string_view key;
    if (std::move(member).get(field) != simdjson::SUCCESS ||
        field.unescaped_key().get(key) != simdjson::SUCCESS) {
      return bad("not a JSON object");
    }
    if (!read_field(fields, key, field.value()))
      return bad(fmt::format("\"{}\" {}", key, expectation(key)));
  }
  Event event;
  if (!fields.index || *fields.index != expected_index_) {
    return bad(fmt::format("\"index\" must be {}", expected_index_));
  }
  event.index = expected_index_++;
  for (const auto& [key, present] : {std::pair{"time_ns", fields.time.has_value()},
                                     {"type", fields.type.has_value()},
                                     {"f", fields.function.has_value()},
                                     {"key", fields.key.has_value()},
                                     {"value", fields.value.has_value()}}) {
    if (!present) return bad(fmt::format("\"{}\" is missing", key));
  }
  if (!fields.process || *fields.process < 0 ||
      *fields.process > std::numeric_limits<Process>::max()) {
    return bad(fmt::format("\"process\" {}", expectation("process")));
  }
  event.time = Nanoseconds(*fields.time);
  event.process = static_cast<Process>(*fields.process);
  event.type = *fields.type;
  event.function = *fields.function;
  event.key = std::move(*fields.key);
  event.value = std::move(*fields.value);
  event.error = std::move(fields.error).value_or("");
  event.revision = fields.revision.value_or(0);
  if (event.type == EventType::invoke) {
    const auto position = std::find(nodes_.begin(), nodes_.end(), fields.node.value_or(""));
    if (position == nodes_.end()) return bad("\"node\" must be one that the header names");
    event.node = static_cast<NodeIndex>(position - nodes_.begin());
  }
  if (const auto added = builder_.add(std::move(event)); !added) return bad(added.error().message);
  return {};
}

Result<History> Reader::read() {
  const std::string_view text(text_.data(), text_.size());
  std::size_t begin = 0;
  for (;;) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) break;
    ++line_;
    const auto done = line_ == 1 ? read_header(begin, end) : read_event(begin, end);
    if (!done) return pass_on(done.error());
    begin = end + 1;
  }
  if (line_ == 0) return error("{}: no history: the header line is missing", file_.string());
  History history = std::move(builder_).finish();
  history.torn = begin < text.size();
  return history;
}

}  // namespace

Result<History> read_history(const std::filesystem::path& file) {
  simdjson::padded_string text;
  const auto code = simdjson::padded_string::load(file.string()).get(text);
  if (code != simdjson::SUCCESS) {
    return error("cannot read {}: {}", file.string(), simdjson::error_message(code));
  }
  return Reader(file, text).read();
}

}  // namespace ordeal
