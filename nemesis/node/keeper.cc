#include "nemesis/node/keeper.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nemesis/node/child.h"
#include "nemesis/node/tasks.h"

namespace ordeal::node {

namespace {

constexpr long long guard_look_ms = 500;
constexpr int looks_without_guard = 2;  // one guard may be giving way to the next
constexpr long long gentle_ms = 4000, hard_ms = 4000;
constexpr long long slice_ms = 20;

volatile std::sig_atomic_t asked_to_end = 0;
void note_signal(int) { asked_to_end = 1; }

std::string folder_of(const Arguments& arguments) { return arguments.text("directory") + "/keep"; }
std::string path_of(const Arguments& arguments, const char* ending) {
  return folder_of(arguments) + "/" + arguments.text("name") + ending;
}

std::string read_small(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  char text[4096];
  const ssize_t got = ::read(fd, text, sizeof text);
  ::close(fd);
  return {text, got > 0 ? static_cast<std::size_t>(got) : 0};
}

bool write_small(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return false;
  const bool whole = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(fd);
  return whole && ::rename(fresh.c_str(), path.c_str()) == 0;
}

// Field 22 of /proc/PID/stat; 0 when there is no such process, or it is a zombie.
unsigned long long born(int pid) {
  const std::string stat = read_small("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t end = stat.rfind(')');
  if (end == std::string::npos || end + 2 >= stat.size()) return 0;
  if (stat[end + 2] == 'Z' || stat[end + 2] == 'X') return 0;
  const char* rest = stat.c_str() + end + 2;
  for (int field = 3; field < 22; ++field) {
    rest = std::strchr(rest, ' ');
    if (rest == nullptr) return 0;
    ++rest;
  }
  return std::strtoull(rest, nullptr, 10);
}

// The living keeper on record; 0 for none.
int keeper_on_record(const std::string& pid_file) {
  int pid = 0;
  unsigned long long start = 0;
  if (std::sscanf(read_small(pid_file).c_str(), "%d %llu", &pid, &start) != 2) return 0;
  return pid > 1 && start != 0 && born(pid) == start ? pid : 0;
}

bool await_end(const std::string& pid_file, long long patience_ms) {
  const long long give_up = now_ms() + patience_ms;
  while (keeper_on_record(pid_file) != 0) {
    if (now_ms() >= give_up) return false;
    ::poll(nullptr, 0, static_cast<int>(slice_ms));
  }
  return true;
}

int end_named(const std::string& base) {
  const std::string pid_file = base + ".pid";
  if (const int pid = keeper_on_record(pid_file); pid != 0) {
    ::kill(pid, SIGTERM);
    if (!await_end(pid_file, gentle_ms)) {
      ::kill(pid, SIGKILL);
      if (!await_end(pid_file, hard_ms)) {
        std::fprintf(stderr, "process %d does not end\n", pid);
        return 1;
      }
    }
  }
  ::unlink(pid_file.c_str());
  ::rename((base + ".told").c_str(), (base + ".last").c_str());  // its last words
  detach_dead_disks();
  return 0;
}

void leave_the_shell() {
  ::setsid();
  const int null = ::open("/dev/null", O_RDWR);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null, fd);
  if (null > STDERR_FILENO) ::close(null);
  struct sigaction action {};
  action.sa_handler = note_signal;
  for (const int number : {SIGTERM, SIGINT}) ::sigaction(number, &action, nullptr);
  for (const int number : {SIGHUP, SIGPIPE}) ::signal(number, SIG_IGN);
  [[maybe_unused]] const int moved = ::chdir("/");
}

}  // namespace

Keeper::Keeper(const Arguments& arguments)
    : lock_file_(arguments.text("directory") + "/guard.lock"),
      told_file_(path_of(arguments, ".told")) {}

bool Keeper::is_to_end() {
  if (asked_to_end != 0) return true;
  if (now_ms() - looked_at_guard_ < guard_look_ms) return false;
  looked_at_guard_ = now_ms();
  const int fd = ::open(lock_file_.c_str(), O_RDONLY | O_CLOEXEC);
  const bool is_free = fd < 0 || ::flock(fd, LOCK_SH | LOCK_NB) == 0;
  if (fd >= 0) ::close(fd);
  without_guard_ = is_free ? without_guard_ + 1 : 0;
  return without_guard_ > looks_without_guard;
}

bool Keeper::wait_ms(long long milliseconds) {
  const long long until = now_ms() + milliseconds;
  for (;;) {
    if (is_to_end()) return false;
    const long long left = until - now_ms();
    if (left <= 0) return true;
    ::poll(nullptr, 0, static_cast<int>(left < slice_ms ? left : slice_ms));
  }
}

void Keeper::tell(const std::string& words) const { write_small(told_file_, words + "\n"); }

int start_keeper(const Arguments& arguments, const std::function<bool(std::string&)>& prepare,
                 const std::function<void(Keeper&)>& task) {
  ::mkdir(folder_of(arguments).c_str(), 0755);
  const std::string base = path_of(arguments, "");
  if (end_named(base) != 0) return 1;  // injected twice
  std::string trouble;
  if (!prepare(trouble)) {
    std::fprintf(stderr, "%s\n", trouble.c_str());
    return 1;
  }
  const pid_t pid = ::fork();
  if (pid < 0) {
    std::fprintf(stderr, "no process could be started: %s\n", std::strerror(errno));
    return 1;
  }
  if (pid > 0) {
    // Recorded by the parent, so that whoever waits for this command finds the record.
    if (write_small(base + ".pid", std::to_string(pid) + " " + std::to_string(born(pid)) + "\n"))
      return 0;
    ::kill(pid, SIGTERM);
    std::fprintf(stderr, "%s.pid cannot be written\n", base.c_str());
    return 1;
  }
  leave_the_shell();
  ::unlink((base + ".told").c_str());
  ::unlink((base + ".last").c_str());
  Keeper keeper(arguments);
  task(keeper);
  ::_exit(0);
}

int end_keeper(const Arguments& arguments) { return end_named(path_of(arguments, "")); }

int tell_of_keeper(const Arguments& arguments) {
  if (keeper_on_record(path_of(arguments, ".pid")) == 0) {
    std::fprintf(stderr, "what keeps the fault up has ended\n");
    return 1;
  }
  const std::string words = read_small(path_of(arguments, ".told"));
  if (words.empty()) {
    std::fprintf(stderr, "no effect yet\n");
    return 1;
  }
  std::fputs(words.c_str(), stdout);
  return 0;
}

int is_keeper_gone(const Arguments& arguments) {
  const int pid = keeper_on_record(path_of(arguments, ".pid"));
  if (pid != 0) std::fprintf(stderr, "process %d still keeps the fault up\n", pid);
  return pid == 0 ? 0 : 1;
}

int end_all_keepers(const Arguments& arguments) {
  const std::string folder = folder_of(arguments);
  detach_dead_disks();
  int status = release(arguments);
  DIR* open = ::opendir(folder.c_str());
  if (open == nullptr) return status;
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(open)) {
    const std::string name = entry->d_name;
    if (name.size() > 4 && name.substr(name.size() - 4) == ".pid")
      names.push_back(name.substr(0, name.size() - 4));
  }
  ::closedir(open);
  for (const std::string& name : names) status |= end_named(folder + "/" + name);
  return status;
}

}  // namespace ordeal::node
