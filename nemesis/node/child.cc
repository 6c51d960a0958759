#include "nemesis/node/child.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace ordeal::node {

namespace {

constexpr int timed_out = 124;
constexpr std::size_t kept_output = 4096;
constexpr int tick_ms = 5;

char oom_score[16] = "";  // what this process was started with; empty: unknown

void write_oom_score(const char* score) {
  const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  // Refused without CAP_SYS_RESOURCE: then nothing was, and nothing needs to be, changed.
  [[maybe_unused]] const ssize_t written = ::write(fd, score, std::strlen(score));
  ::close(fd);
}

[[noreturn]] void become_shell(const std::string& command, int output) {
  ::setsid();
  for (const int signal : {SIGHUP, SIGTERM, SIGINT, SIGPIPE}) ::signal(signal, SIG_DFL);
  if (oom_score[0] != '\0') write_oom_score(oom_score);
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  if (null > STDERR_FILENO) ::close(null);
  ::execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
  ::_exit(127);
}

std::string last_line_of(const std::string& output) {
  const std::size_t end = output.find_last_not_of("\n\r \t");
  if (end == std::string::npos) return {};
  const std::size_t newline = output.rfind('\n', end);
  const std::size_t begin = newline == std::string::npos ? 0 : newline + 1;
  return output.substr(begin, std::min<std::size_t>(end + 1 - begin, 500));
}

// Reads what is there; false at end of file.
bool drain(int fd, std::string& output) {
  char buffer[4096];
  for (;;) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) return false;
    output.append(buffer, static_cast<std::size_t>(got));
    if (output.size() > kept_output) output.erase(0, output.size() - kept_output);
  }
}

// A process in uninterruptible sleep survives SIGKILL for a while: it is not waited for.
void kill_group(pid_t pid) {
  ::kill(-pid, SIGKILL);
  for (int i = 0; i < 100 && ::waitpid(pid, nullptr, WNOHANG) == 0; ++i)
    ::poll(nullptr, 0, tick_ms);
}

}  // namespace

long long now_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<long long>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

ChildResult run_shell(const std::string& command, long long timeout_ms) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {125, "no pipe could be made"};
  const pid_t pid = ::fork();
  if (pid == 0) become_shell(command, ends[1]);
  ::close(ends[1]);
  if (pid < 0) {
    ::close(ends[0]);
    return {125, "no process could be started"};
  }
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  const long long give_up = now_ms() + timeout_ms;
  std::string output;
  bool open = true;
  int status = 0;
  // The end of the child counts, not the end of its output: a server that it started may hold the
  // pipe open.
  while (::waitpid(pid, &status, WNOHANG) == 0) {
    if (now_ms() >= give_up) {
      kill_group(pid);
      if (open) drain(ends[0], output);
      ::close(ends[0]);
      return {timed_out, last_line_of(output)};
    }
    pollfd readable{ends[0], POLLIN, 0};
    ::poll(&readable, open ? 1 : 0, tick_ms);
    if (open) open = drain(ends[0], output);
  }
  if (open) drain(ends[0], output);
  ::close(ends[0]);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), last_line_of(output)};
}

void shield_from_oom() {
  const int fd = ::open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  const ssize_t got = ::read(fd, oom_score, sizeof oom_score - 1);
  ::close(fd);
  if (got <= 0) return;
  oom_score[got] = '\0';
  write_oom_score("-1000");
}

}  // namespace ordeal::node
