#include "nemesis/trigger.h"

#include <charconv>
#include <condition_variable>
#include <mutex>

#include <fmt/core.h>

#include "nemesis/turns.h"

namespace ordeal::nemesis {

namespace {

constexpr Nanoseconds pause = 100ms;
constexpr Nanoseconds log_timeout = 2s;

struct When {
  std::string what, argument;
  std::uint64_t count = 0;
};

When parse(const std::string& text) {
  When when;
  const std::size_t blank = text.find(' ');
  when.what = text.substr(0, blank);
  if (blank != std::string::npos) when.argument = text.substr(blank + 1);
  (void)std::from_chars(when.argument.data(), when.argument.data() + when.argument.size(),
                        when.count);
  return when;
}

// How often the servers' logs hold the text by now.
std::uint64_t lines_with(const std::string& text, const Crew& crew, const Arena& arena) {
  const auto answers = clusters::on_each<std::string>(crew.size(), [&](std::size_t node) {
    std::string files;
    for (const std::string& log : arena.cluster->logs(node))
      files += " " + clusters::shell_quote(log);
    return crew.look(node,
                     fmt::format("cat -- {} 2>/dev/null | grep -cF -e {} || true",
                                 files.empty() ? "/dev/null" : files, clusters::shell_quote(text)),
                     log_timeout);
  });
  std::uint64_t total = 0;
  for (const auto& answer : answers) {
    std::uint64_t count = 0;
    if (answer) (void)std::from_chars(answer->data(), answer->data() + answer->size(), count);
    total += count;
  }
  return total;
}

}  // namespace

Result<void> check_trigger(const FaultSpec& spec) {
  const auto found = spec.parameters.find("when");
  if (found == spec.parameters.end()) return {};
  const When when = parse(text_of(spec, "when").value_or(""));
  if (when.what == "operations" && when.count > 0) return {};
  if (when.what == "leader-change" && when.argument.empty()) return {};
  if (when.what == "log" && !when.argument.empty()) return {};
  return error(
      "fault {}: \"when\" must be \"operations N\", \"leader-change\" or \"log TEXT\", or be left "
      "out",
      spec.id);
}

bool await_trigger(const FaultSpec& spec, Crew& crew, const Arena& arena, const Outside& outside,
                   const std::stop_token& stop) {
  const auto text = text_of(spec, "when");
  if (!text) return !stop.stop_requested();
  const When when = parse(*text);
  const Deadline deadline = Deadline::after(10 * spec.duration);
  const auto leader = outside.leader ? outside.leader() : std::nullopt;
  const std::uint64_t lines = when.what == "log" ? lines_with(when.argument, crew, arena) : 0;
  const auto fired = [&] {
    if (when.what == "operations") return outside.operations && outside.operations() >= when.count;
    if (when.what == "log") return lines_with(when.argument, crew, arena) > lines;
    const auto now = outside.leader ? outside.leader() : std::nullopt;
    return now.has_value() && now != leader;
  };
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested() && !deadline.passed()) {
    if (fired()) return true;
    wake.wait_for(lock, stop, pause, [] { return false; });
  }
  if (!stop.stop_requested())
    crew.note(spec.id, FaultStep::skipped, "",
              fmt::format("what it waited for (\"{}\") did not happen within {}", *text,
                          to_text(10 * spec.duration)));
  return false;
}

}  // namespace ordeal::nemesis
