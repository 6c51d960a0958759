#pragma once
// What the environment refused: Result<T> carries either a value or an Error made of one sentence
// for the user.
//
// Three kinds of trouble have three mechanisms. What an operation on the tested system did is data
// (Outcome). What the environment refused (a port, a host, a disk) is an Error in a Result. What
// only a defect of ours can cause is CHECK, on in release builds too. Exceptions enter from
// libraries only and are caught where the library is called.

#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>
#include <tl/expected.hpp>

namespace ordeal {

struct Error {
  std::string message;  // one sentence: what, where, why and, where there is one, what to do

  // Puts the step that failed in front: error("refused").during("starting n3") reads "starting n3:
  // refused".
  [[nodiscard]] Error during(std::string_view step) const {
    return {fmt::format("{}: {}", step, message)};
  }
};

template <class T>
using Result = tl::expected<T, Error>;

template <class... Args>
[[nodiscard]] tl::unexpected<Error> error(fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected<Error>(Error{fmt::format(format, std::forward<Args>(args)...)});
}

// Hands an error of one Result on as that of another, with the step that it happened in.
[[nodiscard]] inline tl::unexpected<Error> pass_on(const Error& cause, std::string_view step) {
  return tl::unexpected<Error>(cause.during(step));
}
[[nodiscard]] inline tl::unexpected<Error> pass_on(const Error& cause) {
  return tl::unexpected<Error>(cause);
}

// Ends the process with the broken invariant in words.
[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               std::string_view why);

}  // namespace ordeal

#define ORDEAL_CHECK(condition, why) \
  ((condition) ? void() : ::ordeal::check_failed(__FILE__, __LINE__, #condition, why))
