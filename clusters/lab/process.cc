#include "clusters/lab/process.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/file.h"

namespace ordeal::clusters::lab {
namespace {

int g_error_channel = -1;

int to_poll_timeout(Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.left()).count();
  return static_cast<int>(std::min<std::int64_t>(left, 3'600'000));
}

// The fields of /proc/PID/stat from the third on; those before may contain blanks.
std::vector<std::string> stat_fields(const std::string& process) {
  const auto stat = read_file("/proc/" + process + "/stat");
  if (!stat) return {};
  const auto end_of_name = stat->rfind(')');
  if (end_of_name == std::string::npos) return {};
  std::istringstream rest(stat->substr(end_of_name + 1));
  std::vector<std::string> fields;
  for (std::string field; rest >> field;) fields.push_back(field);
  return fields;
}

}  // namespace

File& File::operator=(File&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) close(fd_);
    fd_ = other.release();
  }
  return *this;
}

File::~File() {
  if (fd_ >= 0) close(fd_);
}

int File::release() { return std::exchange(fd_, -1); }

pid_t clone_process(std::uint64_t flags) {
  clone_args args{};
  args.flags = flags;
  args.exit_signal = SIGCHLD;
  return static_cast<pid_t>(syscall(SYS_clone3, &args, sizeof args));
}

File open_pidfd(pid_t pid) { return File(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))); }

bool await_exit(const File& pidfd, Deadline deadline) {
  for (;;) {
    pollfd watched{pidfd.fd(), POLLIN, 0};
    const int ready = poll(&watched, 1, to_poll_timeout(deadline));
    if (ready > 0) return true;
    if (deadline.passed()) return false;
  }
}

std::optional<std::uint64_t> start_time(pid_t pid) {
  const auto fields = stat_fields(std::to_string(pid));
  constexpr std::size_t state = 0, started = 19;  // fields 3 and 22 of proc(5)
  if (fields.size() <= started || fields[state] == "Z" || fields[state] == "X") return {};
  return std::strtoull(fields[started].c_str(), nullptr, 10);
}

void set_process_title(const std::string& title) {
  prctl(PR_SET_NAME, "ordeal-lab");
  clearenv();
  const auto fields = stat_fields("self");
  // Fields 48 to 51 of proc(5): where the command line begins and the environment behind it ends.
  constexpr std::size_t begin_field = 45, end_field = 48;
  if (fields.size() <= end_field) return;
  const auto begin = std::strtoull(fields[begin_field].c_str(), nullptr, 10);
  const auto end = std::strtoull(fields[end_field].c_str(), nullptr, 10);
  if (begin == 0 || end <= begin + 1) return;
  char* const line = reinterpret_cast<char*>(begin);
  std::memset(line, 0, end - begin);
  std::memcpy(line, title.data(), std::min<std::size_t>(title.size(), end - begin - 1));
}

void close_other_files(std::vector<int> kept) {
  std::sort(kept.begin(), kept.end());
  unsigned first = 3;
  for (const int fd : kept) {
    if (fd < 3) continue;
    const auto next = static_cast<unsigned>(fd);
    if (next > first) close_range(first, next - 1, 0);
    first = next + 1;
  }
  close_range(first, ~0U, 0);
}

Result<Channel> Channel::make() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return error("making a socket pair: {}", std::strerror(errno));
  return Channel{File(ends[0]), File(ends[1])};
}

void send_message(int fd, std::string_view message) {
  while (send(fd, message.data(), message.size(), MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

std::optional<std::string> receive_message(int fd, Deadline deadline, int unless) {
  for (;;) {
    pollfd watched[] = {{fd, POLLIN, 0}, {unless, 0, 0}};
    const int ready = poll(watched, 2, to_poll_timeout(deadline));
    if (ready > 0 && watched[1].revents != 0) return {};
    if (ready > 0) {
      char buffer[4096];
      const ssize_t size = recv(fd, buffer, sizeof buffer, 0);
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) return {};
      return std::string(buffer, static_cast<std::size_t>(size));
    }
    if (deadline.passed()) return {};
  }
}

void report_errors_to(int fd) { g_error_channel = fd; }

void end_with_error(std::string_view sentence, int error_number) {
  send_message(g_error_channel,
               fmt::format("{}{}: {}", error_prefix, sentence, std::strerror(error_number)));
  _exit(1);
}

}  // namespace ordeal::clusters::lab
