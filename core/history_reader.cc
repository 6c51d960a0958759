#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <simdjson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/history.h"
#include "core/history_codec.h"

namespace ordeal {

namespace {

namespace json = simdjson::ondemand;

// On-demand parsing forbids any further use of a document after an error, so whoever sees nullopt
// stops reading.
template <class T>
std::optional<T> to(json::value from) {
  T found{};
  if (from.get(found) != simdjson::SUCCESS) return std::nullopt;
  return found;
}

std::optional<Value> to_value(json::value from, int depth) {
  if (depth > value_nesting_limit) return std::nullopt;
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
    if (text) (key == "node" ? fields.node : fields.error) = *text;
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

// The complete lines of a file, read piece by piece. A line stays until the next is asked for, and
// behind it is room that simdjson may look at.
class Lines {
 public:
  explicit Lines(int fd) : fd_(fd) {}
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;
  ~Lines() { ::close(fd_); }

  // Nullopt at the end, and when the file cannot be read.
  std::optional<std::string_view> next();
  [[nodiscard]] bool failed() const { return failed_; }
  // At the end: whether the file ended within a line.
  [[nodiscard]] bool torn() const { return begin_ != end_; }

 private:
  bool read_more();

  int fd_;
  std::vector<char> buffer_ = std::vector<char>(std::size_t{1} << 18U);
  std::size_t begin_ = 0, end_ = 0;  // of what was read and is no line yet
  bool failed_ = false;
};

std::optional<std::string_view> Lines::next() {
  for (std::size_t searched = 0;;) {
    const std::string_view left(buffer_.data() + begin_, end_ - begin_);
    const std::size_t length = left.find('\n', searched);
    if (length != left.npos) {
      begin_ += length + 1;
      return left.substr(0, length);
    }
    searched = left.size();
    if (!read_more()) return std::nullopt;
  }
}

bool Lines::read_more() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  if (buffer_.size() - end_ <= simdjson::SIMDJSON_PADDING) buffer_.resize(2 * buffer_.size());
  const std::size_t room = buffer_.size() - end_ - simdjson::SIMDJSON_PADDING;
  ssize_t got = 0;
  do {
    got = ::read(fd_, buffer_.data() + end_, room);
  } while (got < 0 && errno == EINTR);
  if (got > 0) end_ += static_cast<std::size_t>(got);
  failed_ = got < 0;
  return got > 0;
}

tl::unexpected<Error> unreadable(const std::filesystem::path& file) {
  return error("cannot read {}: {}", file.string(), simdjson::error_message(simdjson::IO_ERROR));
}

class Reader {
 public:
  explicit Reader(const std::filesystem::path& file) : file_(file) {}

  Result<History> read(Lines& lines);

 private:
  Result<json::document> parse(std::string_view line);
  Result<void> read_header(std::string_view line);
  Result<void> read_event(std::string_view line);
  Result<EventFields> parse_event(std::string_view line);
  Result<void> add(EventFields&& fields);
  [[nodiscard]] tl::unexpected<Error> bad(std::string_view what) const {
    return error("{}, line {}: {}", file_.string(), line_, what);
  }

  const std::filesystem::path& file_;
  json::parser parser_;
  HistoryBuilder builder_;
  std::vector<std::string> nodes_;
  std::size_t line_ = 0;
  EventIndex expected_index_ = 0;
};

Result<json::document> Reader::parse(std::string_view line) {
  // On-demand parsing looks at what is asked for only: a line that lost its end must not pass.
  if (!line.starts_with('{') || !line.ends_with('}')) return bad("not a JSON object");
  json::document document;
  const auto code = parser_.iterate(line, line.size() + simdjson::SIMDJSON_PADDING).get(document);
  if (code != simdjson::SUCCESS) return bad(simdjson::error_message(code));
  return document;
}

Result<void> Reader::read_header(std::string_view line) {
  Result<json::document> document = parse(line);
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

Result<EventFields> Reader::parse_event(std::string_view line) {
  Result<json::document> document = parse(line);
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
  return fields;
}

Result<void> Reader::add(EventFields&& fields) {
  if (!fields.index || *fields.index != expected_index_) {
    return bad(fmt::format("\"index\" must be {}", expected_index_));
  }
  Event event;
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
  event.error = fields.error.value_or("");
  event.revision = fields.revision.value_or(0);
  if (event.type == EventType::invoke) {
    const auto position = std::find(nodes_.begin(), nodes_.end(), fields.node.value_or(""));
    if (position == nodes_.end()) return bad("\"node\" must be one that the header names");
    event.node = static_cast<NodeIndex>(position - nodes_.begin());
  }
  if (const auto added = builder_.add(std::move(event)); !added) return bad(added.error().message);
  return {};
}

Result<void> Reader::read_event(std::string_view line) {
  if (auto fields = read_event_line(line)) return add(*std::move(fields));
  auto fields = parse_event(line);
  if (!fields) return pass_on(fields.error());
  return add(*std::move(fields));
}

Result<History> Reader::read(Lines& lines) {
  while (const auto line = lines.next()) {
    ++line_;
    const auto done = line_ == 1 ? read_header(*line) : read_event(*line);
    if (!done) return pass_on(done.error());
  }
  if (lines.failed()) return unreadable(file_);
  if (line_ == 0) return error("{}: no history: the header line is missing", file_.string());
  History history = std::move(builder_).finish();
  history.torn = lines.torn();
  return history;
}

}  // namespace

Result<History> read_history(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return unreadable(file);
  Lines lines(fd);
  struct stat status {};
  // A device or a pipe need not end.
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return unreadable(file);
  return Reader(file).read(lines);
}

}  // namespace ordeal
