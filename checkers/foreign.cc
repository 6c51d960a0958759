#include "checkers/foreign.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "checkers/edn.h"

namespace ordeal::checkers {

namespace {

// An event as all event formats have it.
struct Line {
  Process process = 0;
  EventType type = EventType::invoke;
  std::string_view function;
  Value key;
  Value value;
  // Where values are read as pairs: whether it is one, and its first item; `value` is the second.
  EdnReader::Shape shape = EdnReader::Shape::nil;
  Value first;
};

struct Named {
  std::string_view name;
  Act act;
};
constexpr std::array other_names = {Named{"get", Act::read},      Named{"put", Act::write},
                                    Named{"inc", Act::increment}, Named{"enq", Act::enqueue},
                                    Named{"deq", Act::dequeue},   Named{"lock", Act::acquire},
                                    Named{"unlock", Act::release}};

std::optional<Act> act_of(std::string_view name) {
  if (const auto act = act_named(name)) return act;
  for (const Named& other : other_names) {
    if (other.name == name) return other.act;
  }
  return std::nullopt;
}

constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

std::optional<std::int64_t> number_in(std::string_view word) {
  std::int64_t number = 0;
  const auto [stop, failed] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (failed != std::errc() || stop != word.data() + word.size()) return std::nullopt;
  return number;
}

// Pairs events to calls. Errors name no line; the caller does.
//
// Jepsen's independent keys: every value is [key, value]. That all are is known at the end only,
// that some are not mostly at the first event. So whoever reads forms has values read as pairs
// until one does not fit, and then begins again without.
class Pairing {
 public:
  explicit Pairing(bool takes_pairs) : takes_pairs_(takes_pairs) {}

  [[nodiscard]] bool takes_pairs() const { return takes_pairs_; }
  // False once a value was no pair where they are taken.
  [[nodiscard]] bool fits() const { return fits_; }
  // A register of pairs, or compare-and-sets alone, look like independent keys: a read tells.
  [[nodiscard]] bool is_settled() const { return !takes_pairs_ || (fits_ && asks_); }

  Result<void> add(Line line);
  Result<Foreign> finish(std::string_view format) &&;

 private:
  std::string_view settle_model();

  bool takes_pairs_;
  bool fits_ = true;
  bool asks_ = false;  // some read asks for the value of a key
  unsigned acts_ = 0;  // those invoked, a bit each
  std::vector<Call> calls_;
  std::vector<bool> failed_;
  std::unordered_map<Process, std::size_t> open_;  // place of its call, or none
  EventIndex next_ = 0;
};

Result<void> Pairing::add(Line line) {
  if (next_ == never - 1) return error("there are too many events");
  const EventIndex index = next_++;
  std::size_t& open = open_.try_emplace(line.process, none).first->second;
  if (line.type == EventType::invoke) {
    const auto act = act_of(line.function);
    if (!act || *act == Act::txn) {
      return error(
          "\"{}\" is a function that this check does not know; transactions, banks and the "
          "like are not judged for linearizability",
          line.function.substr(0, 40));
    }
    if (open != none) {
      return error("process {} invokes although its operation {} is not complete", line.process,
                   calls_[open].invoked);
    }
    acts_ |= 1U << static_cast<unsigned>(*act);
    if (takes_pairs_) {
      fits_ = fits_ && line.shape == EdnReader::Shape::pair && line.key.is_nil();
      asks_ = asks_ || (*act == Act::read && line.value.is_nil());
      line.key = std::move(line.first);
    }
    open = calls_.size();
    Call& call = calls_.emplace_back();
    call.invoked = index;
    call.act = *act;
    call.process = line.process;
    call.key = std::move(line.key);
    call.argument = std::move(line.value);
    failed_.push_back(false);
    return {};
  }
  if (open == none) {
    return error("process {} completes an operation that it never invoked", line.process);
  }
  const std::size_t place = std::exchange(open, none);
  Call& call = calls_[place];
  if (const auto act = act_of(line.function); act && *act != call.act) {
    return error("process {} completes {} although it invoked {}", line.process, line.function,
                 to_text(call.act));
  }
  failed_[place] = line.type == EventType::fail;
  if (line.type == EventType::info) return {};
  call.completed = index;
  if (line.type == EventType::fail) return {};
  if (takes_pairs_) fits_ = fits_ && line.shape != EdnReader::Shape::other;
  if (!takes_pairs_ || line.shape == EdnReader::Shape::pair) call.result = std::move(line.value);
  return {};
}

std::string_view Pairing::settle_model() {
  const auto has = [&](Act act) { return (acts_ >> static_cast<unsigned>(act) & 1U) != 0; };
  if (has(Act::cas)) return "register";
  if (has(Act::acquire) || has(Act::release)) return "mutex";
  if (has(Act::enqueue) || has(Act::dequeue)) return "queue";
  if (has(Act::push) || has(Act::pop)) return "stack";
  if (has(Act::insert) || has(Act::extract)) return "priority-queue";
  if (has(Act::increment)) return "counter";
  if (has(Act::append)) return "kv";
  if (!has(Act::add)) return has(Act::contains) || has(Act::members) ? "set" : "register";
  // A set, read as a whole; or a counter, if numbers are read.
  const auto reads_number = [](const Call& call) {
    return call.act == Act::read && call.result.as_integer() != nullptr;
  };
  const bool counts = std::ranges::any_of(calls_, reads_number);
  for (Call& call : calls_) {
    if (call.act == Act::add && counts) call.act = Act::increment;
    if (call.act == Act::read && !counts) call.act = Act::members;
  }
  return counts ? "counter" : "set";
}

bool is_answer(Act act) {
  return act == Act::read || act == Act::members || act == Act::contains || act == Act::dequeue ||
         act == Act::pop || act == Act::extract;
}

// The history of a register, as the register checker reads it.
void add_operation(History& history, Call& call, bool failed) {
  Operation& op = history.operations.emplace_back();
  op.key = std::move(call.key);
  op.invoked = call.invoked;
  op.completed = call.completed;
  op.process = call.process;
  op.function = call.act == Act::read    ? Function::read
                : call.act == Act::write ? Function::write
                                         : Function::cas;
  op.outcome = failed ? Outcome::fail : call.is_certain() ? Outcome::ok : Outcome::info;
  if (op.function != Function::read) op.argument = std::move(call.argument);
  if (op.function == Function::read) op.result = std::move(call.result);
}

Result<Foreign> Pairing::finish(std::string_view format) && {
  Foreign found;
  found.format = format;
  found.model = settle_model();
  found.history.events = next_;
  if (found.model == "register") found.history.operations.reserve(calls_.size());
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    Call& call = calls_[i];
    if (found.model == "register") {
      add_operation(found.history, call, failed_[i]);
      continue;
    }
    // The argument of what only answers is what Jepsen repeats of it; the answer of what does not
    // is the argument once more.
    if (is_answer(call.act) && call.act != Act::contains) {
      call.argument = {};
    } else if (call.act != Act::contains && call.act != Act::acquire) {
      call.result = {};
    }
    if (call.act == Act::acquire || call.act == Act::release) call.argument = {};
    if (!failed_[i]) found.calls.push_back(std::move(call));
  }
  return found;
}

std::optional<EventType> type_named(std::string_view word) { return event_type_named(word); }

// The format whose events `read_events` reads, up to one that does not fit.
template <class ReadEvents>
Result<Foreign> read_forms(std::string_view text, std::string_view format, ReadEvents read_events) {
  Pairing pairing(true);
  Result<void> read = read_events(text, pairing);
  if (read && !pairing.is_settled()) {
    pairing = Pairing(false);
    read = read_events(text, pairing);
  }
  if (!read) return pass_on(read.error());
  return std::move(pairing).finish(format);
}

bool read_value(EdnReader& reader, Line& line, const Pairing& pairing) {
  return pairing.takes_pairs() ? reader.next_pair(line.first, line.value, line.shape)
                               : reader.next(line.value);
}

// ---- EDN and JSON

Result<bool> read_event(EdnReader& reader, const Pairing& pairing, Line& line) {
  reader.skip(1);
  bool has_process = false;
  bool is_client = true;
  bool has_type = false;
  for (;;) {
    const char c = reader.peek();
    if (c == 0) return reader.bad("an event is not closed");
    if (c == '}') break;
    const std::string_view name = reader.word();
    if (name.empty()) return reader.bad("the name of a field is expected");
    if (reader.peek() == 0) return reader.bad("an event is not closed");
    if (name == "process") {
      Value process;
      if (!reader.next(process)) return reader.failure();
      const std::int64_t* number = process.as_integer();
      has_process = true;
      is_client = number != nullptr;
      if (is_client && (*number < 0 || *number > std::numeric_limits<Process>::max())) {
        return reader.bad("a process is out of range");
      }
      if (is_client) line.process = static_cast<Process>(*number);
    } else if (name == "type") {
      const auto type = type_named(reader.word());
      if (!type) return reader.bad("a type must be invoke, ok, fail or info");
      line.type = *type;
      has_type = true;
    } else if (name == "f") {
      line.function = reader.word();
    } else if (name == "value") {
      if (!read_value(reader, line, pairing)) return reader.failure();
    } else if (name == "key") {
      if (!reader.next(line.key)) return reader.failure();
    } else if (!reader.pass()) {
      return reader.failure();
    }
  }
  reader.skip(1);
  if (!has_type) return reader.bad("an event has no type");
  if (!has_process) return reader.bad("an event has no process");
  return is_client;
}

Result<void> read_edn(std::string_view text, Pairing& pairing) {
  EdnReader reader(text);
  const bool in_list = reader.peek() == '[' || reader.peek() == '(';
  if (in_list) reader.skip(1);
  for (char c = reader.peek(); c != 0 && pairing.fits(); c = reader.peek()) {
    if (in_list && (c == ']' || c == ')')) break;
    if (c == '#') {  // a record's tag
      (void)reader.word();
      continue;
    }
    if (c != '{') return reader.bad("an event must be a map");
    Line line;
    const auto is_client = read_event(reader, pairing, line);
    if (!is_client) return pass_on(is_client.error());
    if (!*is_client) continue;
    if (const auto added = pairing.add(std::move(line)); !added) {
      return reader.bad(added.error().message);
    }
  }
  return {};
}

// ---- Porcupine's logs: "INFO  jepsen.util - 4  :invoke :cas [1 2]"

Result<void> read_log(std::string_view text, Pairing& pairing) {
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size() && pairing.fits();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view row = text.substr(begin, end - begin);
    begin = end + 1;
    ++number;
    const auto dash = row.find(" - ");
    if (dash == row.npos) continue;
    EdnReader reader(row.substr(dash + 3));
    const auto process = number_in(reader.word());
    const auto type = type_named(reader.word());
    if (!process || !type) continue;  // a line of the nemesis, or of something else
    if (*process < 0 || *process > std::numeric_limits<Process>::max()) {
      return error("line {}: a process is out of range", number);
    }
    Line line;
    line.process = static_cast<Process>(*process);
    line.type = *type;
    line.function = reader.word();
    if (reader.peek() != 0 && line.type != EventType::info) {
      if (!read_value(reader, line, pairing)) {
        return error("line {}: {}", number, reader.failure().value().message);
      }
    }
    if (const auto added = pairing.add(std::move(line)); !added) {
      return error("line {}: {}", number, added.error().message);
    }
  }
  return {};
}

// ---- "[3] call enq(1)", "[3] return 1"

Value plain_value(std::string_view word) {
  if (const auto number = number_in(word)) return Value(*number);
  return word.empty() || word == "empty" ? Value() : Value(std::string(word));
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

Result<Foreign> read_calls(std::string_view text) {
  Pairing pairing(false);
  bool is_stack = false;
  std::unordered_map<Process, std::string_view> open;
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view row = trimmed(text.substr(begin, end - begin));
    begin = end + 1;
    ++number;
    is_stack |= row.starts_with("# @object") && row.find("stack") != row.npos;
    if (row.empty() || row.front() == '#') continue;
    const auto close = row.find(']');
    const auto process = row.front() == '[' && close != row.npos
                             ? number_in(trimmed(row.substr(1, close - 1)))
                             : std::nullopt;
    if (!process || *process < 0 || *process > std::numeric_limits<Process>::max()) {
      return error("line {}: \"[process] call ...\" or \"[process] return ...\" is expected",
                   number);
    }
    row = trimmed(row.substr(close + 1));
    Line line;
    line.process = static_cast<Process>(*process);
    if (row.starts_with("call ")) {
      row = trimmed(row.substr(5));
      const auto stop = row.find_first_of("( \t");
      std::string_view name = row.substr(0, stop);
      if (name == "add") name = is_stack ? "push" : "enqueue";
      if (name == "remove") name = is_stack ? "pop" : "dequeue";
      std::string_view argument = stop == row.npos ? "" : row.substr(stop + 1);
      if (argument.ends_with(')')) argument.remove_suffix(1);
      line.function = name;
      line.value = plain_value(trimmed(argument));
      open[line.process] = name;
    } else if (row.starts_with("return")) {
      line.type = EventType::ok;
      line.function = open[line.process];
      line.value = plain_value(trimmed(row.substr(6)));
    } else {
      return error("line {}: \"call\" or \"return\" is expected", number);
    }
    if (const auto added = pairing.add(std::move(line)); !added) {
      return error("line {}: {}", number, added.error().message);
    }
  }
  return std::move(pairing).finish("calls");
}

// ---- "# queue", then "enq 7 12 15": what, element, beginning and end

Result<Foreign> read_intervals(std::string_view text) {
  struct Edge {
    std::int64_t at;
    bool is_end;
    std::size_t call;
  };
  std::vector<Edge> edges;
  std::vector<std::pair<Act, Value>> deeds;
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view row = trimmed(text.substr(begin, end - begin));
    begin = end + 1;
    ++number;
    if (row.empty() || row.front() == '#') continue;
    EdnReader reader(row);
    std::string_view name = reader.word();
    if (name == "peek") name = "contains";
    const auto act = act_of(name);
    const Value element = plain_value(reader.word());
    const auto from = number_in(reader.word());
    const auto to = number_in(reader.word());
    if (!act || !from || !to || *to < *from) {
      return error("line {}: a function, an element, a beginning and an end are expected", number);
    }
    edges.push_back({*from, false, deeds.size()});
    edges.push_back({*to, true, deeds.size()});
    deeds.emplace_back(*act, element);
  }
  if (edges.size() >= never) return error("there are too many calls");
  // What begins at the moment at which another ends overlaps it.
  std::ranges::stable_sort(edges, [](const Edge& a, const Edge& b) {
    return a.at != b.at ? a.at < b.at : a.is_end < b.is_end;
  });
  Foreign found;
  found.format = "intervals";
  std::vector<std::size_t> places(deeds.size());
  for (std::size_t i = 0; i < edges.size(); ++i) {
    if (edges[i].is_end) {
      found.calls[places[edges[i].call]].completed = static_cast<EventIndex>(i);
      continue;
    }
    places[edges[i].call] = found.calls.size();
    const auto& [act, element] = deeds[edges[i].call];
    Call call;
    call.invoked = static_cast<EventIndex>(i);
    call.act = act;
    const bool takes = act == Act::dequeue || act == Act::pop || act == Act::extract;
    (takes ? call.result : call.argument) = element;
    if (act == Act::contains) call.result = Value(true);
    found.calls.push_back(std::move(call));
  }
  const auto has = [&](Act act) {
    return std::ranges::find(found.calls, act, &Call::act) != found.calls.end();
  };
  found.model = has(Act::push) || has(Act::pop)          ? "stack"
                : has(Act::insert) || has(Act::extract)  ? "priority-queue"
                : has(Act::enqueue) || has(Act::dequeue) ? "queue"
                                                         : "set";
  return found;
}

}  // namespace

std::string_view foreign_format_of(std::string_view text) {
  const std::string_view head = text.substr(0, 4096);
  const auto first = head.find_first_not_of(" \t\r\n");
  if (first == head.npos) return {};
  if (head.find("jepsen.util - ") != head.npos) return "porcupine-log";
  if (head.find("] call ") != head.npos) return "calls";
  const char c = head[first];
  if (c == '{' || c == '(' || (c == '[' && head.find('{') != head.npos)) return "edn";
  if (head.find(":type") != head.npos) return "edn";  // behind a comment or a tag
  for (const std::string_view word :
       {"# queue", "# stack", "# set", "# priorityqueue", "enq ", "push "}) {
    if (head.substr(first).starts_with(word)) return "intervals";
  }
  return {};
}

Result<Foreign> read_foreign(std::string_view text, std::string_view name,
                             std::string_view format) {
  if (format.empty()) format = foreign_format_of(text);
  Result<Foreign> found = format == "edn"             ? read_forms(text, "edn", read_edn)
                          : format == "porcupine-log" ? read_forms(text, "porcupine-log", read_log)
                          : format == "calls"         ? read_calls(text)
                          : format == "intervals"
                              ? read_intervals(text)
                              : error("it is in none of the formats {}", foreign_formats);
  if (!found) return pass_on(found.error(), name);
  return found;
}

}  // namespace ordeal::checkers
