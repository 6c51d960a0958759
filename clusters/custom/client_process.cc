#include "clusters/custom/client_process.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ordeal::clusters::custom {
namespace {

constexpr off_t log_limit = off_t{16} << 20U;

int to_poll_timeout(Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.left()).count();
  return static_cast<int>(std::min<std::int64_t>(left, 3'600'000));
}

// posix_spawn's lists, freed whatever happens.
struct Spawn {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  Spawn() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  Spawn(const Spawn&) = delete;
  Spawn& operator=(const Spawn&) = delete;
  ~Spawn() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
};

Result<int> spawn(const std::vector<std::string>& command, const std::filesystem::path& folder,
                  int in, int out, int err) {
  Spawn how;
  posix_spawn_file_actions_adddup2(&how.actions, in, 0);
  posix_spawn_file_actions_adddup2(&how.actions, out, 1);
  posix_spawn_file_actions_adddup2(&how.actions, err, 2);
  if (!folder.empty()) posix_spawn_file_actions_addchdir_np(&how.actions, folder.c_str());
  // Signals as a program expects them, whatever this process does with its own.
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&how.attributes, &none);
  posix_spawnattr_setsigdefault(&how.attributes, &all);
  posix_spawnattr_setflags(&how.attributes,
                           POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  // setpriv (util-linux) has the kernel end the client when this thread is gone, even by SIGKILL.
  std::vector<std::string> words = {"setpriv", "--pdeathsig", "KILL", "--"};
  words.insert(words.end(), command.begin(), command.end());
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t pid = -1;
  const int refused =
      ::posix_spawnp(&pid, "setpriv", &how.actions, &how.attributes, arguments.data(), environ);
  if (refused != 0) return error("cannot start {}: {}", command.front(), std::strerror(refused));
  return pid;
}

}  // namespace

Result<std::unique_ptr<ClientProcess>> ClientProcess::start(const std::vector<std::string>& command,
                                                            const std::filesystem::path& folder,
                                                            const std::filesystem::path& log) {
  const char* log_name = log.empty() ? "/dev/null" : log.c_str();
  const int err = ::open(log_name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (err < 0) return error("cannot open {}: {}", log_name, std::strerror(errno));
  // Sockets, so that writing to a program that is gone raises no signal.
  int in[2] = {-1, -1}, out[2] = {-1, -1};
  Result<int> pid = error("no socket pair for a client: {}", std::strerror(errno));
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) == 0 &&
      ::pipe2(out, O_CLOEXEC) == 0) {
    pid = spawn(command, folder, in[1], out[1], err);
  }
  for (const int end : {in[1], out[1]})
    if (end >= 0) ::close(end);
  if (!pid) {
    for (const int end : {in[0], out[0], err})
      if (end >= 0) ::close(end);
    return pass_on(pid.error());
  }
  for (const int end : {in[0], out[0]}) ::fcntl(end, F_SETFL, O_NONBLOCK);
  return std::unique_ptr<ClientProcess>(new ClientProcess(*pid, in[0], out[0], err));
}

ClientProcess::~ClientProcess() {
  close_input();
  // The group first: it exists as long as its leader is not reaped.
  if (status_ == -1) {
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
    }
  }
  bound_log();
  ::close(out_);
  ::close(log_);
}

void ClientProcess::close_input() {
  if (in_ >= 0) ::close(in_);
  in_ = -1;
}

// A program that logs without end must not fill the disk; what it said last is lost then.
void ClientProcess::bound_log() const {
  struct stat now {};
  if (::fstat(log_, &now) == 0 && S_ISREG(now.st_mode) && now.st_size > log_limit)
    (void)!::ftruncate(log_, 0);
}

bool ClientProcess::write_line(std::string_view line, Deadline deadline) {
  bound_log();
  std::string rest(line);
  rest += '\n';
  std::string_view left = rest;
  while (!left.empty()) {
    const ssize_t sent = ::send(in_, left.data(), left.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      left.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return false;
    pollfd watched{in_, POLLOUT, 0};
    if (::poll(&watched, 1, to_poll_timeout(deadline)) <= 0 && deadline.passed()) return false;
  }
  return true;
}

// Whatever is there now, up to the bound; `silent` when nothing is.
LineEnd ClientProcess::receive() {
  char chunk[16384];
  const ssize_t got = ::read(out_, chunk, sizeof chunk);
  if (got > 0) {
    buffer_.append(chunk, static_cast<std::size_t>(got));
    return LineEnd::line;
  }
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return LineEnd::silent;
  ended_ = true;
  return LineEnd::ended;
}

LineEnd ClientProcess::read_line(std::string& line, Deadline deadline) {
  std::size_t looked = 0;
  for (;;) {
    const std::size_t end = buffer_.find('\n', looked);
    if (end != std::string::npos) {
      line = buffer_.substr(0, end);
      if (!line.empty() && line.back() == '\r') line.pop_back();
      buffer_.erase(0, end + 1);
      return LineEnd::line;
    }
    looked = buffer_.size();
    if (looked > longest_line) return LineEnd::flooded;
    if (ended_) return LineEnd::ended;
    pollfd watched{out_, POLLIN, 0};
    if (::poll(&watched, 1, to_poll_timeout(deadline)) <= 0) {
      if (deadline.passed()) return LineEnd::silent;
      continue;
    }
    (void)receive();
  }
}

bool ClientProcess::has_more() {
  if (!buffer_.empty() || ended_) return true;
  return receive() != LineEnd::silent;
}

std::string ClientProcess::ending() {
  for (int wait = 0; status_ == -1 && wait < 20; ++wait) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      status_ = status;
      ::kill(-pid_, SIGKILL);  // children that it left behind
      break;
    }
    ::poll(nullptr, 0, 5);
  }
  if (status_ == -1) return "it closed its output and still runs";
  if (WIFSIGNALED(status_)) return fmt::format("killed by signal {}", WTERMSIG(status_));
  return fmt::format("exit status {}", WEXITSTATUS(status_));
}

}  // namespace ordeal::clusters::custom
