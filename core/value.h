#pragma once
// A value in the shared operation vocabulary: keys, arguments and results of operations. nil, a
// boolean, a 64-bit integer, a string, or a list of values. 16 bytes; strings and lists are
// immutable and shared, so that copies are cheap and safe between threads. What was moved from is
// nil.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ordeal {

class Value {
 public:
  using List = std::vector<Value>;

  Value() = default;  // nil
  Value(std::int64_t integer) : kind_(Kind::integer) { data_.integer = integer; }
  Value(int integer) : Value(static_cast<std::int64_t>(integer)) {}
  explicit Value(bool boolean) : kind_(Kind::boolean) { data_.boolean = boolean; }
  Value(std::string text);
  Value(const char* text) : Value(std::string(text)) {}
  Value(List items);

  Value(const Value& other) : kind_(other.kind_), data_(other.data_) {
    if (is_shared()) share();
  }
  Value(Value&& other) noexcept
      : kind_(std::exchange(other.kind_, Kind::nil)), data_(other.data_) {}
  Value& operator=(Value other) noexcept {
    std::swap(kind_, other.kind_);
    std::swap(data_, other.data_);
    return *this;
  }
  ~Value() {
    if (is_shared()) release();
  }

  [[nodiscard]] static Value list(std::initializer_list<Value> items) { return Value(List(items)); }

  [[nodiscard]] bool is_nil() const { return kind_ == Kind::nil; }
  // Null when the value is of another type.
  [[nodiscard]] const std::int64_t* as_integer() const {
    return kind_ == Kind::integer ? &data_.integer : nullptr;
  }
  [[nodiscard]] const bool* as_boolean() const {
    return kind_ == Kind::boolean ? &data_.boolean : nullptr;
  }
  [[nodiscard]] const std::string* as_string() const;
  [[nodiscard]] const List* as_list() const;

  [[nodiscard]] std::uint64_t hash() const;
  friend bool operator==(const Value& a, const Value& b);

 private:
  enum class Kind : std::uint8_t { nil, boolean, integer, text, list };
  struct Text;
  struct Items;
  // A variant of shared pointers would do, but asks what it holds whenever it is moved, which took
  // readers a third of their time.
  union Data {
    std::int64_t integer;
    bool boolean;
    Text* text;
    Items* items;
  };

  [[nodiscard]] bool is_shared() const { return kind_ >= Kind::text; }
  void share() const;
  void release();

  Kind kind_ = Kind::nil;
  Data data_ = {};
};

// For people: nil, 3, x, [1 2].
[[nodiscard]] std::string to_text(const Value& value);

struct ValueHash {
  std::size_t operator()(const Value& value) const { return value.hash(); }
};

}  // namespace ordeal
