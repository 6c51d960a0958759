#pragma once
// A client program of the user's as a child process: lines to its standard input, lines from its
// standard output, its standard error appended to a log. It may do whatever it likes: every call
// returns by its deadline, what is kept of its output is bounded, and when the object goes, the
// process group is killed and reaped. It dies with the thread that started it, too. Threads: one at
// a time.

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"

namespace ordeal::clusters::custom {

inline constexpr std::size_t longest_line = std::size_t{1} << 20U;

// What came of waiting for a line.
enum class LineEnd {
  line,
  silent,   // nothing by the deadline
  ended,    // end of file: the program is gone, or closed its output
  flooded,  // longest_line bytes and no end of a line
};

class ClientProcess {
 public:
  // `command` is looked up in PATH when it has no slash, and is relative to `folder` when it has.
  // `log` empty: standard error goes nowhere.
  [[nodiscard]] static Result<std::unique_ptr<ClientProcess>> start(
      const std::vector<std::string>& command, const std::filesystem::path& folder,
      const std::filesystem::path& log);
  ClientProcess(const ClientProcess&) = delete;
  ClientProcess& operator=(const ClientProcess&) = delete;
  ~ClientProcess();

  // False when it does not take the line by the deadline, or is gone.
  [[nodiscard]] bool write_line(std::string_view line, Deadline deadline);
  [[nodiscard]] LineEnd read_line(std::string& line, Deadline deadline);
  // The program sees the end of its input.
  void close_input();
  // True when it has said something, or ended, that nobody has read.
  [[nodiscard]] bool has_more();
  // How it ended, for people: "exit status 1", "killed by signal 11"; waits a moment for it to end.
  [[nodiscard]] std::string ending();
  [[nodiscard]] int pid() const { return pid_; }

 private:
  ClientProcess(int pid, int in, int out, int log) : pid_(pid), in_(in), out_(out), log_(log) {}
  LineEnd receive();
  void bound_log() const;

  int pid_;
  int in_, out_, log_;
  std::string buffer_;  // read and not yet handed out
  bool ended_ = false;  // end of file was seen
  int status_ = -1;     // as of waitpid; -1: not reaped
};

}  // namespace ordeal::clusters::custom
