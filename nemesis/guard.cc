#include "nemesis/guard.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include <fmt/core.h>

#include "nemesis/node/protocol.h"
#include "nemesis/node_program.h"

namespace ordeal::nemesis {

namespace {

constexpr Nanoseconds heartbeat = 500ms;
constexpr Nanoseconds patience = 5s;  // beyond what the node needs, for the way to it and back
constexpr Nanoseconds push_timeout = 60s;

double seconds(Nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

struct Guard::State {
  std::string node;
  GuardOptions options;
  std::unique_ptr<clusters::Stream> stream;
  std::mutex asking;   // one question and its answer at a time
  std::mutex writing;  // heartbeats come between
  std::atomic<bool> lost = false;
  std::jthread heart;  // last: it ends before what it uses

  Result<void> write(std::string_view line) {
    const std::lock_guard lock(writing);
    Result<void> written = stream->write(fmt::format("{}\n", line));
    if (!written) lost = true;
    return written;
  }

  // Sends a line about `id` and waits for the answer to it. Answers to earlier questions that
  // nobody waited for to the end are passed over.
  Result<void> ask(const std::string& line, const std::string& id, Nanoseconds timeout) {
    ORDEAL_CHECK(!id.empty() && id.find_first_of(" \n") == std::string::npos, "not a guard's id");
    const std::lock_guard lock(asking);
    if (lost) return error("{}: the guard's channel is lost", node);
    if (Result<void> written = write(line); !written) {
      return pass_on(written.error(), fmt::format("{}: the guard's channel is lost", node));
    }
    const Deadline deadline = Deadline::after(timeout);
    for (;;) {
      const Result<std::string> answer = stream->read_line(deadline);
      if (!answer) {
        lost = true;  // the node hears no more beats either, and undoes what it holds
        return pass_on(answer.error(), fmt::format("{}: the guard did not answer", node));
      }
      std::string_view rest = *answer;
      const std::string_view verb = take_word(rest);
      if (take_word(rest) != id) continue;
      if (verb == "held" || verb == "done") return {};
      if (verb == "failed") {
        const std::string status(take_word(rest));
        if (status == "124")
          return error("{}: it did not end within {}", node, to_text(options.step_timeout));
        return error("{}: exit status {}: {}", node, status,
                     rest.empty() ? "it printed nothing" : unescape_line(rest));
      }
    }
  }

  void beat(const std::stop_token& stop) {
    std::mutex sleeping;
    std::condition_variable_any wake;
    std::unique_lock lock(sleeping);
    while (!stop.stop_requested() && !lost && write("beat")) {
      wake.wait_for(lock, stop, heartbeat, [] { return false; });
    }
  }
};

Result<std::unique_ptr<Guard>> Guard::start(clusters::Remote& remote, const GuardOptions& options) {
  const std::string node = remote.node().name;
  const std::string program = options.directory + "/bin/ordeal-node";
  if (auto pushed = remote.upload(node_program(), program, 0755, push_timeout); !pushed) {
    return pass_on(pushed.error(), fmt::format("{}: pushing the guard", node));
  }
  auto stream = remote.stream(
      fmt::format(
          "exec {} guard --timeout {:.3f} --command-timeout {:.3f} --wait {:.3f} --directory {}",
          clusters::shell_quote(program), seconds(options.silence), seconds(options.step_timeout),
          seconds(options.wait), clusters::shell_quote(options.directory)),
      options.step_timeout);
  if (!stream) return pass_on(stream.error(), fmt::format("{}: starting the guard", node));
  const Result<std::string> answer = (*stream)->read_line(Deadline::after(options.wait + patience));
  if (!answer) return pass_on(answer.error(), fmt::format("{}: the guard did not start", node));
  std::string_view rest = *answer;
  const std::string_view verb = take_word(rest);
  if (verb == "busy") {
    return error(
        "{}: another Ordeal is at work there (its guard is process {}); wait until it has ended, "
        "or end it",
        node, rest);
  }
  if (verb != "ready") return error("{}: the guard did not start: {}", node, *answer);
  auto state = std::make_unique<State>();
  state->node = node;
  state->options = options;
  state->stream = std::move(*stream);
  State* shared = state.get();
  state->heart = std::jthread([shared](const std::stop_token& stop) { shared->beat(stop); });
  return std::unique_ptr<Guard>(new Guard(std::move(state)));
}

Guard::Guard(std::unique_ptr<State> state) : state_(std::move(state)) {}

Guard::~Guard() {
  if (!state_->lost) (void)state_->write("quit");
}

Result<void> Guard::hold(const std::string& id, const std::string& undo_command) {
  return state_->ask(fmt::format("hold {} {}", id, escape_line(undo_command)), id, patience);
}

Result<void> Guard::inject(const std::string& id, const std::string& command) {
  return state_->ask(fmt::format("do {} {}", id, escape_line(command)), id,
                     state_->options.step_timeout + patience);
}

Result<void> Guard::undo(const std::string& id) {
  return state_->ask("undo " + id, id, state_->options.step_timeout + patience);
}

bool Guard::alive() const { return !state_->lost && state_->stream->alive(); }

}  // namespace ordeal::nemesis
