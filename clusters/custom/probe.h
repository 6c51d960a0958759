#pragma once
// Questions to a node: does it listen, what does it answer over HTTP. From this machine, within a
// deadline, without exceptions.

#include <string>
#include <string_view>

#include "core/result.h"
#include "core/time.h"

namespace ordeal::clusters::custom {

// `address` is "host:port" or "[v6]:port".
[[nodiscard]] Result<void> tcp_answers(const std::string& address, Deadline deadline);
// The body of a 2xx answer to a GET of "http://host:port/path"; at most a mebibyte of it.
[[nodiscard]] Result<std::string> http_get(const std::string& url, Deadline deadline);

}  // namespace ordeal::clusters::custom
