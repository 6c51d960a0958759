#pragma once
// One node over SSH: run a command, move a file, hold a stream open. The only way Ordeal touches a
// node.
//
// Every call has a deadline and returns by then. Every failure is a sentence that names node, step
// and cause. All methods may be called from any thread at any time; calls run concurrently over one
// connection. A lost connection is reopened for the next call, but a command that was already sent
// is never sent again: its caller learns that its fate is unknown.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "clusters/node.h"
#include "core/result.h"
#include "core/time.h"

namespace ordeal::clusters {

struct Command {
  std::string shell;          // run by the node's /bin/sh -c
  std::string input;          // its standard input, then end of file
  Nanoseconds timeout = 10s;  // then run() returns, and the node kills it with its process group
  std::size_t output_limit = 1 << 20;  // bytes kept of each stream; the rest is read and dropped
};

struct Output {
  int exit_status = 0;  // 128 + signal number when a signal ended it, as a shell has it
  std::string signal;   // "KILL"; empty when it exited
  std::string out, err;
  bool truncated = false;  // a stream exceeded output_limit
  [[nodiscard]] bool ok() const { return exit_status == 0; }
};

// A long-lived command whose standard input stays open: the guard's channel. Ends when destroyed.
class Stream {
 public:
  virtual ~Stream() = default;
  [[nodiscard]] virtual Result<void> write(std::string_view bytes) = 0;
  // The next whole line of its output, without the newline; an Error at end of file, on a lost
  // connection or at the deadline.
  [[nodiscard]] virtual Result<std::string> read_line(Deadline deadline) = 0;
  [[nodiscard]] virtual bool alive() const = 0;
};

class Remote {
 public:
  virtual ~Remote() = default;
  [[nodiscard]] virtual const Node& node() const = 0;

  // An exit status other than 0 is not an Error: the command ran. It ends when its output ends:
  // what it leaves running in the background must have its output redirected, and a session of its
  // own (setsid) to outlive a time-out.
  [[nodiscard]] virtual Result<Output> run(const Command& command) = 0;
  // Replaces `path` atomically (temporary name, rename), with the given permission bits; parent
  // folders are made.
  [[nodiscard]] virtual Result<void> upload(std::string_view content, const std::string& path,
                                            unsigned mode, Nanoseconds timeout) = 0;
  // At most `limit` bytes, the last ones when the file is longer.
  [[nodiscard]] virtual Result<void> download(const std::string& path,
                                              const std::filesystem::path& to, std::size_t limit,
                                              Nanoseconds timeout) = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<Stream>> stream(const std::string& shell,
                                                               Nanoseconds timeout) = 0;
};

// Runs and insists on exit status 0; otherwise an Error with node, step, status and the last line
// of stderr. Returns standard output.
[[nodiscard]] Result<std::string> run_or_error(Remote& remote, const Command& command,
                                               std::string_view step);

// Secrets that authentication may need beside keys and the agent.
struct Credentials {
  std::optional<std::string> password;
};

// Connects, checks the host key, authenticates (key, agent, password), in that order of errors.
[[nodiscard]] Result<std::unique_ptr<Remote>> connect(const Node& node,
                                                      const Credentials& credentials,
                                                      Nanoseconds timeout);

// Single-quotes text for /bin/sh.
[[nodiscard]] std::string shell_quote(std::string_view text);

// Does the same on several nodes at once, a thread each; results by position. What cannot have a
// thread of its own is done by the calling one. `action` must not throw.
template <class T>
[[nodiscard]] std::vector<Result<T>> on_each(std::size_t count,
                                             const std::function<Result<T>(std::size_t)>& action) {
  std::vector<std::optional<Result<T>>> answers(count);
  {
    std::vector<std::jthread> threads;
    threads.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      const auto work = [&answers, &action, i] { answers[i].emplace(action(i)); };
      try {
        threads.emplace_back(work);
      } catch (const std::system_error&) {
        work();
      }
    }
  }
  std::vector<Result<T>> results;
  results.reserve(count);
  for (std::optional<Result<T>>& answer : answers) results.push_back(std::move(*answer));
  return results;
}

}  // namespace ordeal::clusters
