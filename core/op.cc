#include "core/op.h"

#include <fmt/format.h>

namespace ordeal {

namespace {

constexpr std::array<std::string_view, 20> function_names = {
    "read",     "write",    "cas",     "append", "add",    "members", "acquire",
    "release",  "enqueue",  "dequeue", "send",   "poll",   "ack",     "watch",
    "transfer", "balances", "saga",    "tcc",    "ledger", "txn"};
constexpr std::array<std::string_view, 3> outcome_names = {"ok", "fail", "info"};
constexpr std::array<std::string_view, 4> event_names = {"invoke", "ok", "fail", "info"};

template <class Enum, std::size_t size>
std::optional<Enum> named(const std::array<std::string_view, size>& names, std::string_view name) {
  for (std::size_t i = 0; i < size; ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_text(Function function) {
  return function_names.at(static_cast<std::size_t>(function));
}
std::string_view to_text(Outcome outcome) {
  return outcome_names.at(static_cast<std::size_t>(outcome));
}
std::string_view to_text(EventType type) { return event_names.at(static_cast<std::size_t>(type)); }

std::optional<Function> function_named(std::string_view name) {
  return named<Function>(function_names, name);
}

std::optional<EventType> event_type_named(std::string_view name) {
  return named<EventType>(event_names, name);
}

const std::vector<Function>& all_functions() {
  static const std::vector<Function> all = [] {
    std::vector<Function> functions;
    for (std::size_t i = 0; i < function_names.size(); ++i)
      functions.push_back(static_cast<Function>(i));
    return functions;
  }();
  return all;
}

bool is_answer(std::string_view error) {
  const auto begins = [&](std::string_view with) {
    return error.compare(0, with.size(), with) == 0;
  };
  return begins(cas_mismatch) || begins(lock_held) || begins(not_held) || begins(insufficient);
}

std::string to_text(const Request& request) {
  // A number alone would read as a value: "read key 0", "write key 0: 26", but "write x 26".
  const bool numbered = request.key.as_integer() != nullptr;
  const std::string key = (numbered ? "key " : "") + to_text(request.key);
  const std::string_view then = numbered ? ": " : " ";
  const auto* pair = request.argument.as_list();
  if (request.function == Function::cas && pair != nullptr && pair->size() == 2) {
    return fmt::format("cas {}{}{}->{}", key, then, to_text(pair->at(0)), to_text(pair->at(1)));
  }
  std::string text(to_text(request.function));
  if (!request.key.is_nil()) text += " " + key;
  if (!request.argument.is_nil() || request.function == Function::write)
    text += fmt::format("{}{}", request.key.is_nil() ? " " : then, to_text(request.argument));
  return text;
}

}  // namespace ordeal
