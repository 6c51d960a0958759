#pragma once
// How keys and values stand in etcd: as JSON text under one prefix, so that 3 and "3" stay apart
// and etcdctl shows them legibly. Pure functions.

#include <optional>
#include <string>
#include <string_view>

#include "core/value.h"

namespace ordeal::clusters::etcd {

inline constexpr std::string_view key_prefix = "ordeal/";

// Nothing when the value has no text: nil, which etcd shows as the absence of the key, and strings
// that are not UTF-8.
[[nodiscard]] std::optional<std::string> encode(const Value& value);
[[nodiscard]] std::optional<std::string> encode_key(const Value& key);

// The inverse of encode. Bytes that encode() cannot have made come back as a string that says so,
// which no write can have written: a checker shall see them.
[[nodiscard]] Value decode(std::string_view bytes);

}  // namespace ordeal::clusters::etcd
