#include "tests/checkers/script.h"

#include <cstdlib>
#include <map>
#include <sstream>

#include <fmt/format.h>

namespace ordeal::checkers::test {

namespace {

Value value_in(std::string_view text) {
  return text == "nil" ? Value() : Value(std::stoi(std::string(text)));
}

// Adds events one millisecond apart; refuses what no run can record.
class Recorder {
 public:
  Recorder() { builder_.set_nodes({"n1", "n2", "n3", "n4", "n5"}); }

  void invoke(Process process, Request request) {
    record(process, EventType::invoke, request, request.argument, 0);
    open_[process] = std::move(request);
  }
  void complete(Process process, EventType type, Value result = {}, std::int64_t revision = 0) {
    record(process, type, open_.at(process), std::move(result), revision);
  }
  [[nodiscard]] const Request& open(Process process) const { return open_.at(process); }
  [[nodiscard]] History finish() && { return std::move(builder_).finish(); }

 private:
  void record(Process process, EventType type, const Request& request, Value value,
              std::int64_t revision) {
    Event event;
    event.index = next_++;
    event.time = event.index * 1ms;
    event.process = process;
    event.node = static_cast<NodeIndex>(process % 5);
    event.type = type;
    event.function = request.function;
    event.key = request.key;
    event.value = std::move(value);
    event.revision = revision;
    if (type == EventType::fail) {
      event.error = event.function == Function::cas ? std::string(cas_mismatch) : "refused";
    }
    const auto added = builder_.add(std::move(event));
    ORDEAL_CHECK(added.has_value(), added ? "" : added.error().message);
  }

  HistoryBuilder builder_;
  EventIndex next_ = 0;
  std::map<Process, Request> open_;
};

Request request_in(std::string_view text) {
  Request request;
  request.key = Value("x");
  if (const auto at = text.find('@'); at != text.npos) {
    request.key = Value(std::string(text.substr(at + 1)));
    text = text.substr(0, at);
  }
  const std::string_view rest = text.substr(1);
  if (text.front() == 'w') {
    request.function = Function::write;
    request.argument = value_in(rest);
  } else if (text.front() == 'c') {
    const auto comma = rest.find(',');
    request.function = Function::cas;
    request.argument =
        Value::list({value_in(rest.substr(0, comma)), value_in(rest.substr(comma + 1))});
  }
  return request;
}

// What one process is in the middle of, and whether it took effect.
struct Pending {
  bool done = false;
  bool swapped = false;
  bool gone = false;
  Value seen;
  std::int64_t revision = 0;
};

class RandomRun {
 public:
  RandomRun(const Shape& shape, Rng& rng) : shape_(shape), rng_(rng) {}

  History run() {
    std::size_t left = shape_.operations;
    std::size_t idle_turns = 0;
    while (left > 0 || (!pending_.empty() && idle_turns < 20)) {
      const auto place = rng_.below(shape_.processes);
      const Process process = processes_[place] * 10 + static_cast<Process>(place);
      const auto entry = pending_.find(process);
      idle_turns = left > 0 ? 0 : idle_turns + 1;
      if (entry == pending_.end()) {
        if (left == 0) continue;
        --left;
        recorder_.invoke(process, draw());
        pending_[process] = {};
      } else if (!entry->second.done) {
        advance(process, entry->second);
        if (entry->second.gone) pending_.erase(entry);
      } else {
        complete(process, entry->second);
        pending_.erase(entry);
      }
      if (!late_.empty() && rng_.chance(0.3)) {
        Pending ignored;
        take_effect(late_.back(), ignored);
        late_.pop_back();
      }
    }
    return std::move(recorder_).finish();
  }

 private:
  Value some_value() {
    if (shape_.values > 0)
      return rng_.chance(0.05) ? Value() : Value(rng_.between(1, shape_.values));
    return rng_.chance(0.3) ? Value() : Value(rng_.between(1, std::max(fresh_, 1)));
  }
  Value new_value() { return shape_.values > 0 ? some_value() : Value(++fresh_); }

  Request draw() {
    Request request;
    request.key = Value(static_cast<int>(rng_.below(static_cast<std::uint64_t>(shape_.keys))));
    const auto dice = rng_.below(10);
    if (dice < 4) return request;
    request.function = dice < 7 ? Function::write : Function::cas;
    if (request.function == Function::write) {
      request.argument = new_value();
    } else {
      const Value expected = rng_.chance(0.7) ? state_[to_text(request.key)] : some_value();
      request.argument = Value::list({expected, new_value()});
    }
    return request;
  }

  // Takes effect, or is given up before that: then it may take effect later.
  void advance(Process process, Pending& pending) {
    if (!rng_.chance(shape_.unknown / 2)) return take_effect(recorder_.open(process), pending);
    if (rng_.chance(0.5)) late_.push_back(recorder_.open(process));
    give_up(process);
    pending.gone = true;
  }

  void give_up(Process process) {
    if (rng_.chance(0.7)) recorder_.complete(process, EventType::info);
    ++processes_[static_cast<std::size_t>(process % 10)];
  }

  void take_effect(const Request& request, Pending& pending) {
    Value& state = state_[to_text(request.key)];
    pending.done = true;
    pending.seen = state;
    if (request.function == Function::write) state = request.argument;
    if (request.function == Function::cas) {
      pending.swapped = state == request.argument.as_list()->at(0);
      if (pending.swapped) state = request.argument.as_list()->at(1);
    }
    if (request.function == Function::write || pending.swapped) ++revision_;
    pending.revision = revision_;
  }

  void complete(Process process, const Pending& pending) {
    const Request request = recorder_.open(process);
    const bool lie = rng_.chance(shape_.lie);
    const bool unknown = rng_.chance(shape_.unknown);
    std::int64_t revision = shape_.tells_revisions ? pending.revision + 1 : 0;
    if (shape_.tells_revisions && lie && rng_.chance(0.5)) revision = rng_.between(1, revision + 1);
    if (unknown) {
      if (lie) late_.push_back(request);  // takes effect once more
      give_up(process);
    } else if (request.function == Function::read) {
      recorder_.complete(process, EventType::ok, lie ? some_value() : pending.seen, revision);
    } else if (request.function == Function::cas) {
      recorder_.complete(process, pending.swapped != lie ? EventType::ok : EventType::fail, {},
                         revision);
    } else {
      recorder_.complete(process, lie ? EventType::fail : EventType::ok, {}, revision);
    }
  }

  const Shape& shape_;
  Rng& rng_;
  Recorder recorder_;
  std::map<std::string, Value> state_;
  std::map<Process, Pending> pending_;
  std::vector<Request> late_;  // unknown, and not at rest
  std::array<Process, 10> processes_{};
  int fresh_ = 0;
  std::int64_t revision_ = 0;
};

}  // namespace

History history_of(std::string_view script) {
  Recorder recorder;
  std::istringstream words{std::string(script)};
  for (std::string word; words >> word;) {
    const auto colon = word.find(':');
    const Process process = std::stoi(word.substr(0, colon));
    const std::string what = word.substr(colon + 1);
    if (what == "fail" || what == "info") {
      recorder.complete(process, *event_type_named(what));
    } else if (what.starts_with("ok")) {
      recorder.complete(process, EventType::ok, what == "ok" ? Value() : value_in(what.substr(2)));
    } else {
      recorder.invoke(process, request_in(what));
    }
  }
  return std::move(recorder).finish();
}

History random_history(const Shape& shape, Rng& rng) { return RandomRun(shape, rng).run(); }

Shape random_shape(Rng& rng) {
  Shape shape;
  shape.operations = 3 + rng.below(6);
  shape.processes = 1 + rng.below(4);
  shape.values = rng.chance(0.5) ? 0 : static_cast<int>(rng.between(1, 3));
  shape.keys = rng.chance(0.8) ? 1 : 2;
  shape.unknown = rng.chance(0.3) ? 0 : 0.3;
  shape.lie = rng.chance(0.3) ? 0 : 0.3;
  shape.tells_revisions = rng.chance(0.5);
  return shape;
}

std::uint64_t histories_to_try(std::uint64_t usual) {
  const char* most = std::getenv("MOST_HISTORIES");
  return most == nullptr ? usual : std::min<std::uint64_t>(usual, std::strtoull(most, nullptr, 10));
}

std::string to_text(const History& history) {
  std::string text;
  for (const Operation& op : history.operations) {
    text += fmt::format("  [{}, {}] process {} {} -> {} {}\n", op.invoked,
                        op.completed == never ? "..." : fmt::format("{}", op.completed), op.process,
                        to_text(Request{op.function, op.key, op.argument}), to_text(op.outcome),
                        to_text(op.result));
  }
  return text;
}

}  // namespace ordeal::checkers::test
