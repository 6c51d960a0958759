#include "core/history.h"

#include <limits>
#include <unordered_map>

namespace ordeal {

namespace {

Outcome outcome_of(EventType type) {
  switch (type) {
    case EventType::ok:
      return Outcome::ok;
    case EventType::fail:
      return Outcome::fail;
    case EventType::invoke:
    case EventType::info:
      break;
  }
  return Outcome::info;
}

// What a process is in, if not the operation at a position.
constexpr std::size_t nothing = std::numeric_limits<std::size_t>::max();
constexpr std::size_t retirement = nothing - 1;  // by an info

}  // namespace

struct HistoryBuilder::State {
  History history;
  std::unordered_map<Process, std::size_t> processes;
  std::unordered_map<std::string, std::uint32_t> errors;
  std::optional<EventIndex> last;

  std::uint32_t intern(const std::string& text) {
    if (text.empty()) return 0;
    const auto [entry, added] =
        errors.try_emplace(text, static_cast<std::uint32_t>(history.errors.size()));
    if (added) history.errors.push_back(text);
    return entry->second;
  }

  Result<void> invoke(Event& event);
  Result<void> complete(Event& event);
};

Result<void> HistoryBuilder::State::invoke(Event& event) {
  std::size_t& doing = processes.try_emplace(event.process, nothing).first->second;
  if (doing == retirement) {
    return error("event {}: process {} acts again after an operation of unknown outcome",
                 event.index, event.process);
  }
  if (doing != nothing) {
    return error("event {}: process {} invokes although its operation {} is not complete",
                 event.index, event.process, history.operations[doing].invoked);
  }
  doing = history.operations.size();
  Operation& op = history.operations.emplace_back();
  op.key = std::move(event.key);
  op.argument = std::move(event.value);
  op.invoked_at = event.time;
  op.invoked = event.index;
  op.process = event.process;
  op.node = event.node;
  op.function = event.function;
  return {};
}

Result<void> HistoryBuilder::State::complete(Event& event) {
  const auto entry = processes.find(event.process);
  if (entry == processes.end() || entry->second >= retirement) {
    return error("event {}: process {} completes an operation that it never invoked", event.index,
                 event.process);
  }
  Operation& op = history.operations[entry->second];
  entry->second = event.type == EventType::info ? retirement : nothing;
  if (op.function != event.function || !(op.key == event.key)) {
    return error("event {}: process {} completes {} {} although it invoked {} {}", event.index,
                 event.process, to_text(event.function), to_text(event.key), to_text(op.function),
                 to_text(op.key));
  }
  op.completed = event.index;
  op.completed_at = event.time;
  op.outcome = outcome_of(event.type);
  op.result = std::move(event.value);
  op.error = intern(event.error);
  op.revision = event.revision;
  return {};
}

HistoryBuilder::HistoryBuilder() : state_(std::make_unique<State>()) {}
HistoryBuilder::HistoryBuilder(HistoryBuilder&&) noexcept = default;
HistoryBuilder& HistoryBuilder::operator=(HistoryBuilder&&) noexcept = default;
HistoryBuilder::~HistoryBuilder() = default;

void HistoryBuilder::set_nodes(std::vector<std::string> nodes) {
  state_->history.nodes = std::move(nodes);
}

Result<void> HistoryBuilder::add(Event event) {
  State& state = *state_;
  if (event.index == never) return error("event {}: the index is out of range", event.index);
  if (state.last && event.index <= *state.last) {
    return error("event {}: its index does not follow {}", event.index, *state.last);
  }
  state.last = event.index;
  ++state.history.events;
  return event.type == EventType::invoke ? state.invoke(event) : state.complete(event);
}

History HistoryBuilder::finish() && { return std::move(state_->history); }

}  // namespace ordeal
