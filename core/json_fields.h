#pragma once
// Members of a JSON object, one after the other, without exceptions: the first that is missing or
// of the wrong type is remembered, the rest are skipped, and status() tells it by name.

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/json.h"

namespace ordeal {

// Nanoseconds, or null.
inline Json optional_ns(const std::optional<Nanoseconds>& time) {
  return time ? Json(time->count()) : Json();
}

// What a field may be of; false when the JSON is something else.
inline bool read_json(const Json& json, std::string& to) {
  if (!json.is_string()) return false;
  to = json.get_ref<const std::string&>();
  return true;
}
inline bool read_json(const Json& json, bool& to) {
  if (!json.is_boolean()) return false;
  to = json.get<bool>();
  return true;
}
inline bool read_json(const Json& json, double& to) {
  if (!json.is_number()) return false;
  to = json.get<double>();
  return true;
}
template <class Integer>
requires std::is_integral_v<Integer>
bool read_json(const Json& json, Integer& to) {
  if (!json.is_number_integer()) return false;
  if (json.is_number_unsigned()) {
    const auto wide = json.get<std::uint64_t>();
    if (wide > static_cast<std::uint64_t>(std::numeric_limits<Integer>::max())) return false;
    to = static_cast<Integer>(wide);
    return true;
  }
  const auto wide = json.get<std::int64_t>();
  if constexpr (std::is_unsigned_v<Integer>) return false;
  if (wide < static_cast<std::int64_t>(std::numeric_limits<Integer>::min())) return false;
  to = static_cast<Integer>(wide);
  return true;
}
inline bool read_json(const Json& json, Nanoseconds& to) {
  std::int64_t count = 0;
  if (!read_json(json, count)) return false;
  to = Nanoseconds(count);
  return true;
}
inline bool read_json(const Json& json, Value& to) {
  Result<Value> value = value_from_json(json);
  if (!value) return false;
  to = std::move(*value);
  return true;
}
inline bool read_json(const Json& json, Json& to) {
  to = json;
  return true;
}
template <class T>
bool read_json(const Json& json, std::vector<T>& to) {
  if (!json.is_array()) return false;
  to.clear();
  for (const Json& item : json) {
    T read{};
    if (!read_json(item, read)) return false;
    to.push_back(std::move(read));
  }
  return true;
}

class Fields {
 public:
  Fields(const Json& json, std::string_view what) : json_(json), what_(what) {
    if (!json.is_object()) complain(fmt::format("{} must be an object", what));
  }

  template <class T>
  Fields& required(std::string_view key, T& to) {
    if (const Json* found = find(key)) return read(key, *found, to);
    complain(fmt::format("{} has no \"{}\"", what_, key));
    return *this;
  }

  // Absent and null leave `to` as it is.
  template <class T>
  Fields& optional(std::string_view key, T& to) {
    const Json* found = find(key);
    return found == nullptr || found->is_null() ? *this : read(key, *found, to);
  }
  template <class T>
  Fields& optional(std::string_view key, std::optional<T>& to) {
    const Json* found = find(key);
    if (found == nullptr || found->is_null()) return *this;
    T value{};
    read(key, *found, value);
    to = std::move(value);
    return *this;
  }

  // A name that `parse` knows (std::optional<Enum> parse(std::string_view)).
  template <class Enum, class Parse>
  Fields& named(std::string_view key, Enum& to, Parse parse) {
    std::string name;
    required(key, name);
    if (failed_) return *this;
    const std::optional<Enum> known = parse(name);
    if (known) {
      to = *known;
    } else {
      complain(fmt::format("{}: \"{}\" is not a known {}", what_, name, key));
    }
    return *this;
  }

  // A nested object or list of objects, read by a function Result<T>(const Json&).
  template <class T, class Parse>
  Fields& each(std::string_view key, std::vector<T>& to, Parse parse) {
    Json items;
    required(key, items);
    if (failed_) return *this;
    if (!items.is_array()) {
      complain(fmt::format("{}: \"{}\" must be a list", what_, key));
      return *this;
    }
    for (const Json& item : items) {
      Result<T> parsed = parse(item);
      if (!parsed) {
        complain(fmt::format("{}: {}", what_, parsed.error().message));
        return *this;
      }
      to.push_back(std::move(*parsed));
    }
    return *this;
  }

  // Every key of the object must be one of these.
  Fields& only(std::initializer_list<std::string_view> known);

  [[nodiscard]] Result<void> status() const {
    if (failed_) return pass_on(*failed_);
    return {};
  }

 private:
  [[nodiscard]] const Json* find(std::string_view key) const {
    if (failed_) return nullptr;
    const auto found = json_.find(std::string(key));
    return found == json_.end() ? nullptr : &*found;
  }
  template <class T>
  Fields& read(std::string_view key, const Json& found, T& to) {
    if (!read_json(found, to))
      complain(fmt::format("{}: \"{}\" is of the wrong type or range", what_, key));
    return *this;
  }
  void complain(std::string text) {
    if (!failed_) failed_ = Error{std::move(text)};
  }

  const Json& json_;
  std::string_view what_;
  std::optional<Error> failed_;
};

// The known word nearest to a mistyped one, for "did you mean"; empty when none is near.
[[nodiscard]] std::string_view nearest_word(std::string_view word,
                                            const std::vector<std::string_view>& known);

}  // namespace ordeal
