#include "clusters/etcd/encoding.h"

#include <fmt/core.h>

#include "core/json.h"

namespace ordeal::clusters::etcd {
namespace {

std::string escape(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    if (c >= ' ' && c <= '~' && c != '\\') {
      text += c;
    } else {
      text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return text;
}

}  // namespace

std::optional<std::string> encode(const Value& value) {
  if (value.is_nil()) return std::nullopt;
  if (const std::int64_t* integer = value.as_integer()) return std::to_string(*integer);
  try {
    return to_json(value).dump();
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

std::optional<std::string> encode_key(const Value& key) {
  auto text = encode(key);
  if (text) text->insert(0, key_prefix);
  return text;
}

Value decode(std::string_view bytes) {
  if (const auto json = parse_json(bytes)) {
    const auto value = value_from_json(*json);
    if (value && encode(*value) == bytes) return *value;
  }
  return fmt::format("not written by ordeal: {}", escape(bytes.substr(0, 200)));
}

}  // namespace ordeal::clusters::etcd
