#include "checkers/call.h"

#include <array>

#include <fmt/format.h>

#include "checkers/split.h"

namespace ordeal::checkers {

namespace {

constexpr std::array<std::string_view, 19> names = {
    "read",     "write",   "cas",       "mismatch", "append",  "add",  "remove",
    "contains", "members", "increment", "enqueue",  "dequeue", "push", "pop",
    "insert",   "extract", "acquire",   "release",  "txn"};

}  // namespace

std::optional<Act> act_named(std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<Act>(i);
  }
  return std::nullopt;
}

std::string_view to_text(Act act) { return names.at(static_cast<std::size_t>(act)); }

std::optional<std::vector<Call>> calls_of(const History& history, FailedCas failed_cas) {
  std::vector<Call> calls;
  for (const Operation& op : history.operations) {
    auto act = act_named(to_text(op.function));
    if (!act) return std::nullopt;
    const bool certain = op.outcome != Outcome::info && op.completed != never;
    if (op.outcome == Outcome::fail) {
      if (failed_cas == FailedCas::ignored || !is_mismatch(history, op)) continue;
      act = Act::mismatch;
    }
    Call call;
    call.invoked = op.invoked;
    call.completed = certain ? op.completed : never;
    call.act = *act;
    call.process = op.process;
    call.key = op.key;
    call.argument = op.argument;
    if (certain && op.outcome == Outcome::ok) call.result = op.result;
    calls.push_back(std::move(call));
  }
  return calls;
}

std::string to_text(const Call& call) {
  std::string text = fmt::format("op {} {}", call.invoked, to_text(call.act));
  if (!call.key.is_nil()) text += " " + to_text(call.key);
  if (!call.argument.is_nil()) text += " " + to_text(call.argument);
  if (!call.is_certain()) return text + " -> ?";
  if (!call.result.is_nil()) text += " -> " + to_text(call.result);
  return text;
}

}  // namespace ordeal::checkers
