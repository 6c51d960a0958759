#include "core/value.h"

#include <type_traits>

#include <fmt/format.h>

namespace ordeal {

namespace {

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9fb21c651e98df25U;
  return hash ^ (hash >> 35U);
}

}  // namespace

const std::string* Value::as_string() const {
  const auto* text = std::get_if<Text>(&data_);
  return text == nullptr ? nullptr : text->get();
}

const Value::List* Value::as_list() const {
  const auto* items = std::get_if<Items>(&data_);
  return items == nullptr ? nullptr : items->get();
}

std::uint64_t Value::hash() const {
  std::uint64_t hash = mix(0x2545f4914f6cdd1dU, data_.index());
  if (const auto* boolean = as_boolean()) return mix(hash, *boolean ? 1 : 0);
  if (const auto* integer = as_integer()) return mix(hash, static_cast<std::uint64_t>(*integer));
  if (const auto* text = as_string()) return mix(hash, std::hash<std::string>()(*text));
  if (const auto* items = as_list()) {
    for (const Value& item : *items) hash = mix(hash, item.hash());
  }
  return hash;
}

bool operator==(const Value& a, const Value& b) {
  if (a.data_.index() != b.data_.index()) return false;
  if (const auto* integer = a.as_integer()) return *integer == *b.as_integer();  // nearly all
  if (const auto* text = a.as_string()) return *text == *b.as_string();
  if (const auto* items = a.as_list()) return *items == *b.as_list();
  if (const auto* boolean = a.as_boolean()) return *boolean == *b.as_boolean();
  return true;
}

std::string to_text(const Value& value) {
  if (const auto* boolean = value.as_boolean()) return *boolean ? "true" : "false";
  if (const auto* integer = value.as_integer()) return fmt::format("{}", *integer);
  if (const auto* text = value.as_string()) return *text;
  if (const auto* items = value.as_list()) {
    std::string joined = "[";
    for (const Value& item : *items) {
      if (joined.size() > 1) joined += ' ';
      joined += to_text(item);
    }
    return joined + "]";
  }
  return "nil";
}

}  // namespace ordeal
