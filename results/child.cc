#include "results/child.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace ordeal::results {

namespace {

std::string why(int code) { return std::error_code(code, std::generic_category()).message(); }

struct Pipe {
  Pipe() {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) ends = {-1, -1};
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close(0);
    close(1);
  }
  void close(std::size_t end) {
    if (ends.at(end) >= 0) ::close(ends.at(end));
    ends.at(end) = -1;
  }
  std::array<int, 2> ends{-1, -1};
};

// Writes and reads by turns until the child closes its output. False when a limit was exceeded.
bool exchange(Pipe& in, Pipe& out, const std::string& input, Deadline deadline, std::size_t limit,
              std::string& output) {
  ::fcntl(in.ends[1], F_SETFL, O_NONBLOCK);
  std::size_t written = 0;
  if (input.empty()) in.close(1);
  for (;;) {
    std::array<pollfd, 2> polled = {pollfd{out.ends[0], POLLIN, 0}, pollfd{in.ends[1], POLLOUT, 0}};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline.left());
    const int ready = ::poll(polled.data(), 2, static_cast<int>(left.count()) + 1);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    if (polled[1].revents != 0) {
      const ssize_t done = ::write(in.ends[1], input.data() + written, input.size() - written);
      if (done > 0) written += static_cast<std::size_t>(done);
      if (written == input.size() || (done < 0 && errno != EAGAIN)) in.close(1);
    }
    if (polled[0].revents == 0) continue;
    std::array<char, 16 * 1024> chunk{};
    const ssize_t got = ::read(out.ends[0], chunk.data(), chunk.size());
    if (got <= 0) return got == 0;
    output.append(chunk.data(), static_cast<std::size_t>(got));
    if (output.size() > limit) return false;
  }
}

}  // namespace

Result<std::string> run_child(const std::vector<std::string>& command, const std::string& input,
                              Nanoseconds within, std::size_t output_limit) {
  Pipe in;
  Pipe out;
  if (in.ends[0] < 0 || out.ends[0] < 0) return error("no pipe for {}: {}", command[0], why(errno));
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.ends[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  // A child that closed its input must not end us; it shall have signals as usual itself.
  posix_spawnattr_t attributes{};
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t defaults;
  sigemptyset(&none);
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t pid = 0;
  const int started = ::posix_spawnp(&pid, words[0], &actions, &attributes, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (started != 0) return error("{} cannot be started: {}", command[0], why(started));
  in.close(0);
  out.close(1);

  sigset_t pipe_signal;
  sigset_t before;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  std::string output;
  const bool whole = exchange(in, out, input, Deadline::after(within), output_limit, output);
  if (!whole) ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  const timespec at_once{};
  ::sigtimedwait(&pipe_signal, nullptr, &at_once);  // one of ours, if there was any
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (!whole) return error("{} took too long or wrote too much, and was ended", command[0]);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return error("{} failed", command[0]);
  return output;
}

}  // namespace ordeal::results
