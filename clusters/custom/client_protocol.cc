#include "clusters/custom/client_protocol.h"

#include <algorithm>

#include "core/json_fields.h"

namespace ordeal::clusters::custom {
namespace {

Json names_of(const std::vector<Function>& functions) {
  Json names = Json::array();
  for (const Function function : functions) names.push_back(to_text(function));
  return names;
}

bool is_list_of_tuples(const Value& value, std::size_t size) {
  const Value::List* items = value.as_list();
  return items != nullptr && std::all_of(items->begin(), items->end(), [&](const Value& item) {
           return item.as_list() != nullptr && item.as_list()->size() == size;
         });
}

bool one_of(const Value& value, std::string_view a, std::string_view b) {
  return value.as_string() != nullptr && (*value.as_string() == a || *value.as_string() == b);
}

// A member that is a text, and what it says.
const std::string* text_member(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : found->get_ptr<const std::string*>();
}

}  // namespace

std::string excerpt(std::string_view line) {
  constexpr std::size_t longest = 120;
  std::string shown;
  for (const char c : line.substr(0, longest)) shown += c >= ' ' && c <= '~' ? c : '?';
  return line.size() > longest ? shown + "..." : shown;
}

std::string hello_line(const std::string& node, const std::string& host,
                       const std::vector<Function>& functions) {
  return to_line({{"hello", protocol_version},
                  {"node", node},
                  {"host", host},
                  {"functions", names_of(functions)}});
}

Result<std::string> read_hello(std::string_view line, const std::vector<Function>& functions) {
  const Result<Json> json = parse_json(line);
  if (!json || !json->is_object())
    return error(
        "its hello is no JSON object: \"{}\"; it must be one line like "
        "{{\"hello\":1,\"client\":\"name\",\"functions\":[\"read\"]}}",
        excerpt(line));
  int version = 0;
  std::string name = "unnamed";
  std::vector<std::string> spoken;
  const auto read = Fields(*json, "its hello")
                        .required("hello", version)
                        .optional("client", name)
                        .required("functions", spoken)
                        .status();
  if (!read) return pass_on(read.error());
  if (version != protocol_version)
    return error("it speaks version {} of the protocol, and this Ordeal version {}", version,
                 protocol_version);
  for (const Function function : functions) {
    if (std::find(spoken.begin(), spoken.end(), to_text(function)) == spoken.end())
      return error("its hello does not name the function {}, which the TOML says it speaks",
                   to_text(function));
  }
  return name.substr(0, 80);
}

std::string request_line(std::uint64_t id, const Request& request, Deadline deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline.left()).count();
  return to_line({{"id", id},
                  {"function", to_text(request.function)},
                  {"key", to_json(request.key)},
                  {"value", to_json(request.argument)},
                  {"timeout_ms", left}});
}

bool has_result(Function function) {
  switch (function) {
    case Function::read:
    case Function::members:
    case Function::acquire:
    case Function::dequeue:
    case Function::poll:
    case Function::watch:
    case Function::balances:
    case Function::saga:
    case Function::tcc:
    case Function::ledger:
    case Function::txn:
      return true;
    default:
      return false;
  }
}

std::string misfit(Function function, const Value& result) {
  const auto must_be = [&](bool fits, std::string_view what) {
    return fits ? std::string()
                : fmt::format("the value of {} must be {}, not {}", to_text(function), what,
                              excerpt(to_text(result)));
  };
  switch (function) {
    case Function::members:
      return must_be(result.as_list() != nullptr, "a list");
    case Function::acquire:
      return must_be(result.is_nil() || result.as_integer() != nullptr,
                     "the fencing token, an integer, or null");
    case Function::poll:
    case Function::watch:
    case Function::balances:
      return must_be(is_list_of_tuples(result, 2), "a list of pairs");
    case Function::ledger:
      return must_be(is_list_of_tuples(result, 3), "a list of [id, place, deed]");
    case Function::txn:
      return must_be(is_list_of_tuples(result, 3), "a list of [function, key, value]");
    case Function::saga:
      return must_be(one_of(result, "committed", "compensated"), "committed or compensated");
    case Function::tcc:
      return must_be(one_of(result, "confirmed", "cancelled"), "confirmed or cancelled");
    default:
      return {};
  }
}

Result<Completion> read_answer(std::string_view line, std::uint64_t id, Function function,
                               const FailCodes& definite) {
  const Result<Json> json = parse_json(line);
  if (!json || !json->is_object()) return error("no JSON object: \"{}\"", excerpt(line));
  const auto found_id = json->find("id");
  if (found_id == json->end() || !found_id->is_number_unsigned() ||
      found_id->get<std::uint64_t>() != id)
    return error("an answer to another request than {}: \"{}\"", id, excerpt(line));
  const int ways = static_cast<int>(json->contains("ok")) +
                   static_cast<int>(json->contains("fail")) +
                   static_cast<int>(json->contains("info"));
  if (ways != 1)
    return error("an answer needs exactly one of ok, fail and info: \"{}\"", excerpt(line));

  const std::string* text = text_member(*json, "text");
  const std::string more = text == nullptr ? "" : ": " + text->substr(0, 500);
  if (json->contains("ok")) {
    if (json->at("ok") != true) return error("\"ok\" must be true: \"{}\"", excerpt(line));
    if (!has_result(function)) return Completion{Outcome::ok, {}, {}};
    const auto value = json->find("value");
    if (value == json->end())
      return error("an ok of {} needs \"value\" (null where there is none)", to_text(function));
    Result<Value> result = value_from_json(*value);
    if (!result) return error("a value that is none of ours: {}", result.error().message);
    if (std::string why = misfit(function, *result); !why.empty()) return error("{}", why);
    return Completion{Outcome::ok, std::move(*result), {}};
  }
  const bool failed = json->contains("fail");
  const std::string* code = text_member(*json, failed ? "fail" : "info");
  if (code == nullptr || code->empty())
    return error("\"{}\" must be a text that names the error", failed ? "fail" : "info");
  if (failed && definite.count(*code) == 0)
    return Completion{Outcome::info, {}, "undeclared: fail with " + code->substr(0, 100) + more};
  return Completion{failed ? Outcome::fail : Outcome::info, {}, code->substr(0, 100) + more};
}

std::string_view misdeed_of(std::string_view line, std::uint64_t id) {
  using Bad = Json::error_handler_t;
  const Json text = std::string(line);
  if (text.dump(-1, ' ', false, Bad::ignore) != text.dump(-1, ' ', false, Bad::replace))
    return "not-utf8";
  const Result<Json> json = parse_json(line);
  const bool has_id = json && json->is_object() && json->contains("id");
  return has_id && json->at("id") != id ? "wrong-id" : "garbage";
}

}  // namespace ordeal::clusters::custom
