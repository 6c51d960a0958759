#include "core/value.h"

#include <atomic>

#include <fmt/format.h>

namespace ordeal {

namespace {

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9fb21c651e98df25U;
  return hash ^ (hash >> 35U);
}

}  // namespace

struct Value::Text {
  std::atomic<std::size_t> owners = 1;
  const std::string text;
};

struct Value::Items {
  std::atomic<std::size_t> owners = 1;
  const List items;
};

Value::Value(std::string text) : kind_(Kind::text) { data_.text = new Text{1, std::move(text)}; }
Value::Value(List items) : kind_(Kind::list) { data_.items = new Items{1, std::move(items)}; }

void Value::share() const {
  auto& owners = kind_ == Kind::text ? data_.text->owners : data_.items->owners;
  owners.fetch_add(1, std::memory_order_relaxed);
}

void Value::release() {
  // The only owner need not count down: nobody else can come by.
  const auto is_last = [](std::atomic<std::size_t>& owners) {
    return owners.load(std::memory_order_acquire) == 1 ||
           owners.fetch_sub(1, std::memory_order_acq_rel) == 1;
  };
  if (kind_ == Kind::text) {
    if (is_last(data_.text->owners)) delete data_.text;
  } else if (is_last(data_.items->owners)) {
    delete data_.items;
  }
}

const std::string* Value::as_string() const {
  return kind_ == Kind::text ? &data_.text->text : nullptr;
}

const Value::List* Value::as_list() const {
  return kind_ == Kind::list ? &data_.items->items : nullptr;
}

std::uint64_t Value::hash() const {
  std::uint64_t hash = mix(0x2545f4914f6cdd1dU, static_cast<std::uint64_t>(kind_));
  if (const auto* boolean = as_boolean()) return mix(hash, *boolean ? 1 : 0);
  if (const auto* integer = as_integer()) return mix(hash, static_cast<std::uint64_t>(*integer));
  if (const auto* text = as_string()) return mix(hash, std::hash<std::string>()(*text));
  if (const auto* items = as_list()) {
    for (const Value& item : *items) hash = mix(hash, item.hash());
  }
  return hash;
}

bool operator==(const Value& a, const Value& b) {
  if (a.kind_ != b.kind_) return false;
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
