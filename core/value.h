#pragma once
// A value in the shared operation vocabulary: keys, arguments and results of operations. nil, a
// boolean, a 64-bit integer, a string, or a list of values. 24 bytes; strings and lists are
// immutable and shared, so that copies are cheap and safe between threads.

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace ordeal {

class Value {
 public:
  using List = std::vector<Value>;

  Value() = default;  // nil
  Value(std::int64_t integer) : data_(integer) {}
  Value(int integer) : data_(static_cast<std::int64_t>(integer)) {}
  explicit Value(bool boolean) : data_(boolean) {}
  Value(std::string text) : data_(std::make_shared<const std::string>(std::move(text))) {}
  Value(const char* text) : Value(std::string(text)) {}
  Value(List items) : data_(std::make_shared<const List>(std::move(items))) {}

  [[nodiscard]] static Value list(std::initializer_list<Value> items) { return Value(List(items)); }

  [[nodiscard]] bool is_nil() const { return std::holds_alternative<std::monostate>(data_); }
  // Null when the value is of another type.
  [[nodiscard]] const std::int64_t* as_integer() const { return std::get_if<std::int64_t>(&data_); }
  [[nodiscard]] const bool* as_boolean() const { return std::get_if<bool>(&data_); }
  [[nodiscard]] const std::string* as_string() const;
  [[nodiscard]] const List* as_list() const;

  [[nodiscard]] std::uint64_t hash() const;
  friend bool operator==(const Value& a, const Value& b);

 private:
  using Text = std::shared_ptr<const std::string>;
  using Items = std::shared_ptr<const List>;
  std::variant<std::monostate, bool, std::int64_t, Text, Items> data_;
};

// For people: nil, 3, x, [1 2].
[[nodiscard]] std::string to_text(const Value& value);

struct ValueHash {
  std::size_t operator()(const Value& value) const { return value.hash(); }
};

}  // namespace ordeal
