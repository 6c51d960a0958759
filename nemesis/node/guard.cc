#include "nemesis/node/guard.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "nemesis/node/child.h"
#include "nemesis/node/protocol.h"

namespace ordeal::node {

namespace {

using nemesis::take_word;

constexpr long log_limit = 256 * 1024;
constexpr std::size_t line_limit = 1 << 20;
// Pauses before each further round over the undos that failed.
constexpr int retry_pause_ms[] = {0, 200, 500, 1000, 2000, 4000};

// guard.log, and guard.log.old once it is full: never more than two of them.
class Log {
 public:
  explicit Log(std::string file) : file_(std::move(file)) {}

  void write(const std::string& text) const {
    struct stat info {};
    if (::stat(file_.c_str(), &info) == 0 && info.st_size > log_limit) {
      ::rename(file_.c_str(), (file_ + ".old").c_str());
    }
    FILE* file = ::fopen(file_.c_str(), "ae");
    if (file == nullptr) return;  // a full disk must not keep the guard from undoing
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    tm utc{};
    ::gmtime_r(&now.tv_sec, &utc);
    char stamp[32];
    ::strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    ::fprintf(file, "%s.%03ldZ %d %s\n", stamp, now.tv_nsec / 1'000'000, ::getpid(), text.c_str());
    ::fclose(file);
  }

 private:
  std::string file_;
};

// Never blocks for long: when nobody reads any more, undoing goes first.
void say(const std::string& line) {
  pollfd writable{STDOUT_FILENO, POLLOUT, 0};
  if (::poll(&writable, 1, 1000) <= 0) return;
  const std::string text = line + "\n";
  [[maybe_unused]] const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
}

struct Undo {
  std::string id, command;
};

class Guard {
 public:
  explicit Guard(const GuardSettings& settings)
      : settings_(settings), log_(settings.directory + "/guard.log") {}

  // Listens until the end of the controller, and says what ended it.
  std::string listen() {
    long long heard = now_ms();
    for (;;) {
      const long long left = heard + settings_.silence_ms - now_ms();
      pollfd input{STDIN_FILENO, POLLIN, 0};
      // Also polled once when the time is over: an undo may have taken it while words were waiting.
      const int ready = ::poll(&input, 1, left > 0 ? static_cast<int>(left) + 1 : 0);
      if (ready < 0 && errno == EINTR) continue;
      if (ready <= 0) return "silence";
      char buffer[65536];
      const ssize_t got = ::read(STDIN_FILENO, buffer, sizeof buffer);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return "channel closed";
      heard = now_ms();
      input_.append(buffer, static_cast<std::size_t>(got));
      for (std::size_t end = 0; (end = input_.find('\n')) != std::string::npos;) {
        const std::string line = input_.substr(0, end);
        input_.erase(0, end + 1);
        if (!obey(line)) return "told to quit";
      }
      if (input_.size() > line_limit) return "a line without end";
    }
  }

  // Undoes everything, newest first; what fails gets further rounds. True when nothing is left.
  bool undo_all(const std::string& why) {
    log_.write(why + ", " + std::to_string(held_.size()) + " held");
    for (const int pause : retry_pause_ms) {
      if (held_.empty()) break;
      ::poll(nullptr, 0, pause);
      for (std::size_t i = held_.size(); i-- > 0;) {
        if (run("undo", held_[i]).status == 0)
          held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(i));
      }
    }
    for (const Undo& undo : held_) log_.write("given up: " + nemesis::escape_line(undo.command));
    return held_.empty();
  }

 private:
  // False when told to quit.
  bool obey(std::string_view line) {
    const std::string_view verb = take_word(line);
    if (verb == "quit") return false;
    if (verb == "hold") {
      const std::string id(take_word(line));
      forget(id);
      held_.push_back({id, nemesis::unescape_line(line)});
      say("held " + id);
    } else if (verb == "do" || verb == "undo") {
      const std::string id(take_word(line));
      const Undo* held = find(id);
      if (held == nullptr) {
        say("failed " + id + " 127 the guard holds no undo of it");
        return true;
      }
      const bool undoing = verb == "undo";
      const ChildResult result =
          run(verb, {id, undoing ? held->command : nemesis::unescape_line(line)});
      if (undoing && result.status == 0) forget(id);
      say(result.status == 0 ? "done " + id
                             : "failed " + id + " " + std::to_string(result.status) + " " +
                                   nemesis::escape_line(result.last_line));
    }
    return true;
  }

  [[nodiscard]] const Undo* find(const std::string& id) const {
    for (const Undo& candidate : held_) {
      if (candidate.id == id) return &candidate;
    }
    return nullptr;
  }

  void forget(const std::string& id) {
    for (std::size_t i = held_.size(); i-- > 0;) {
      if (held_[i].id == id) held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

  ChildResult run(std::string_view verb, const Undo& what) {
    const long long begin = now_ms();
    const ChildResult result = run_shell(what.command, settings_.command_ms);
    log_.write(std::string(verb) + " " + what.id + " status " + std::to_string(result.status) +
               " in " + std::to_string(now_ms() - begin) + " ms " +
               nemesis::escape_line(result.last_line));
    return result;
  }

  GuardSettings settings_;
  Log log_;
  std::vector<Undo> held_;
  std::string input_;
};

// Moves into a session of its own, out of reach of signals to sshd's. The first process stays as a
// shell of the second, because sshd takes its end for the end of the command.
void detach() {
  for (const int signal : {SIGHUP, SIGTERM, SIGINT, SIGPIPE}) ::signal(signal, SIG_IGN);
  const pid_t pid = ::fork();
  if (pid > 0) {
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::close(fd);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  }
  ::setsid();
  [[maybe_unused]] const int moved = ::chdir("/");
}

// The process id in the lock's file; "?" when there is none.
std::string holder_of(int lock) {
  char text[16] = "";
  const ssize_t got = ::pread(lock, text, sizeof text - 1, 0);
  return got > 0 ? text : "?";
}

// Waits for the guard before this one to end. True when this one holds the node.
bool take_lock(int lock, long long wait_ms) {
  const long long give_up = now_ms() + wait_ms;
  while (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    pollfd input{STDIN_FILENO, 0, 0};  // hang-up only
    if (now_ms() >= give_up || ::poll(&input, 1, 50) > 0) return false;
  }
  const std::string pid = std::to_string(::getpid());
  [[maybe_unused]] const bool written =
      ::ftruncate(lock, 0) == 0 && ::pwrite(lock, pid.data(), pid.size(), 0) > 0;
  return true;
}

}  // namespace

int run_guard(const GuardSettings& settings) {
  detach();
  shield_from_oom();
  ::umask(022);
  ::mkdir(settings.directory.c_str(), 0755);
  const std::string lock_file = settings.directory + "/guard.lock";
  const int lock = ::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock < 0) {
    say("unable to open " + lock_file + ": " + std::strerror(errno));
    return 2;
  }
  if (!take_lock(lock, settings.wait_ms)) {
    say("busy " + holder_of(lock));
    return 2;
  }
  say("ready");
  Guard guard(settings);
  const std::string why = guard.listen();
  return guard.undo_all(why) ? 0 : 1;
}

}  // namespace ordeal::node
