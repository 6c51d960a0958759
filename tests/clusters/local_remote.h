#pragma once
// A Remote for tests that needs no SSH: every command is run by this machine's /bin/sh in a process
// group of its own. It keeps the contract of clusters/remote.h (deadlines, bounded output, streams)
// and remembers what it was asked to run. `intercept` lets a test answer in the place of the shell,
// for instance with a failure.

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clusters/remote.h"
#include "core/file.h"

namespace ordeal::clusters {

// A running /bin/sh -c with three pipes; killed with all its children when destroyed.
class LocalProcess {
 public:
  explicit LocalProcess(const std::string& shell) {
    int ends[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
    for (auto& pair : ends)
      ORDEAL_CHECK(::pipe2(pair, O_CLOEXEC) == 0, "no pipe for a test command");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0][0], 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1][1], 1);
    posix_spawn_file_actions_adddup2(&actions, ends[2][1], 2);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    std::string sh = "sh", dash_c = "-c", text = shell;
    char* arguments[] = {sh.data(), dash_c.data(), text.data(), nullptr};
    const int refused = posix_spawn(&pid_, "/bin/sh", &actions, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    ORDEAL_CHECK(refused == 0, "no /bin/sh for a test command");
    ::close(ends[0][0]);
    ::close(ends[1][1]);
    ::close(ends[2][1]);
    in = ends[0][1];
    out = ends[1][0];
    err = ends[2][0];
    for (const int fd : {in, out, err}) ::fcntl(fd, F_SETFL, O_NONBLOCK);
  }
  LocalProcess(const LocalProcess&) = delete;
  LocalProcess& operator=(const LocalProcess&) = delete;
  ~LocalProcess() {
    close_input();
    for (int wait = 0; wait < 200 && !reaped_ && !reap(); ++wait) {
      std::this_thread::sleep_for(1ms);
      if (wait == 100) ::kill(-pid_, SIGKILL);
    }
    ::kill(-pid_, SIGKILL);
    if (!reaped_) ::waitpid(pid_, &status_, 0);
    ::close(out);
    ::close(err);
  }

  void close_input() {
    if (in >= 0) ::close(in);
    in = -1;
  }
  // True once the shell has ended.
  bool reap() {
    if (!reaped_) reaped_ = ::waitpid(pid_, &status_, WNOHANG) == pid_;
    return reaped_;
  }
  void kill_group() { ::kill(-pid_, SIGKILL); }
  [[nodiscard]] int status() const { return status_; }

  int in = -1, out = -1, err = -1;

 private:
  pid_t pid_ = -1;
  int status_ = 0;
  bool reaped_ = false;
};

// One poll of at most 20 ms; feeds `input`, hands what came to `on_out` and `on_err`. False at end
// of both streams.
inline bool pump(LocalProcess& process, std::string_view& input, bool close_after_input,
                 const std::function<void(std::string_view)>& on_out,
                 const std::function<void(std::string_view)>& on_err, bool& out_open,
                 bool& err_open) {
  if (input.empty() && close_after_input) process.close_input();
  pollfd fds[3] = {{out_open ? process.out : -1, POLLIN, 0},
                   {err_open ? process.err : -1, POLLIN, 0},
                   {input.empty() ? -1 : process.in, POLLOUT, 0}};
  ::poll(fds, 3, 20);
  char buffer[65536];
  if (fds[0].revents != 0) {
    const ssize_t got = ::read(process.out, buffer, sizeof buffer);
    if (got > 0) on_out({buffer, static_cast<std::size_t>(got)});
    if (got == 0) out_open = false;
  }
  if (fds[1].revents != 0) {
    const ssize_t got = ::read(process.err, buffer, sizeof buffer);
    if (got > 0) on_err({buffer, static_cast<std::size_t>(got)});
    if (got == 0) err_open = false;
  }
  if (fds[2].revents != 0) {
    const ssize_t put = ::write(process.in, input.data(), input.size());
    if (put > 0) input.remove_prefix(static_cast<std::size_t>(put));
    if (put < 0 && errno != EAGAIN) input = {};
  }
  return out_open || err_open;
}

class LocalStream final : public Stream {
 public:
  LocalStream(std::string node, const std::string& shell)
      : node_(std::move(node)), process_(shell) {}

  Result<void> write(std::string_view bytes) override {
    const std::lock_guard lock(writing_);
    const Deadline deadline = Deadline::after(10s);
    while (!bytes.empty() && !deadline.passed()) {
      const ssize_t put = ::write(process_.in, bytes.data(), bytes.size());
      if (put > 0) bytes.remove_prefix(static_cast<std::size_t>(put));
      if (put < 0 && errno != EAGAIN)
        return error("{}: writing to the command failed: {}", node_, std::strerror(errno));
      if (put < 0) std::this_thread::sleep_for(1ms);
    }
    if (!bytes.empty()) return error("{}: the command does not read its input", node_);
    return {};
  }

  Result<std::string> read_line(Deadline deadline) override {
    const std::lock_guard lock(reading_);
    for (;;) {
      if (const auto end = pending_.find('\n'); end != std::string::npos) {
        std::string line = pending_.substr(0, end);
        pending_.erase(0, end + 1);
        return line;
      }
      if (!out_open_) return error("{}: the command's output ended", node_);
      if (deadline.passed()) return error("{}: no line before the deadline", node_);
      std::string_view nothing;
      (void)pump(
          process_, nothing, false, [this](std::string_view bytes) { pending_ += bytes; },
          [](std::string_view) {}, out_open_, err_open_);
    }
  }

  bool alive() const override {
    const std::lock_guard lock(reading_);
    return !process_.reap();
  }

 private:
  const std::string node_;
  mutable LocalProcess process_;
  mutable std::mutex reading_;
  std::mutex writing_;
  std::string pending_;
  bool out_open_ = true, err_open_ = true;
};

class LocalRemote final : public Remote {
 public:
  explicit LocalRemote(std::string name = "n1") {
    // The dead reader of a pipe shall be an error of write, not the end of the tests.
    ::signal(SIGPIPE, SIG_IGN);
    node_.name = std::move(name);
    node_.host = "127.0.0.1";
  }

  const Node& node() const override { return node_; }

  Result<Output> run(const Command& command) override {
    remember(command.shell);
    if (intercept) {
      if (auto answer = intercept(command)) return *answer;
    }
    LocalProcess process(command.shell);
    const Deadline deadline = Deadline::after(command.timeout);
    Output output;
    const auto keep = [&](std::string& into, std::string_view bytes) {
      const std::size_t room = command.output_limit - std::min(command.output_limit, into.size());
      output.truncated = output.truncated || bytes.size() > room;
      into += bytes.substr(0, room);
    };
    std::string_view input = command.input;
    bool out_open = true, err_open = true;
    const auto late = [&]() -> Result<Output> {
      process.kill_group();
      return error("{}: the command did not end within {}: {}", node_.name,
                   to_text(command.timeout), command.shell);
    };
    while (pump(
        process, input, true, [&](std::string_view bytes) { keep(output.out, bytes); },
        [&](std::string_view bytes) { keep(output.err, bytes); }, out_open, err_open)) {
      if (deadline.passed()) return late();
    }
    while (!process.reap()) {
      if (deadline.passed()) return late();
      std::this_thread::sleep_for(1ms);
    }
    if (WIFSIGNALED(process.status())) {
      output.exit_status = 128 + WTERMSIG(process.status());
      output.signal = sigabbrev_np(WTERMSIG(process.status()));
    } else {
      output.exit_status = WEXITSTATUS(process.status());
    }
    return output;
  }

  Result<void> upload(std::string_view content, const std::string& path, unsigned mode,
                      Nanoseconds) override {
    remember("upload " + path);
    std::error_code failed;
    if (const auto folder = std::filesystem::path(path).parent_path(); !folder.empty())
      std::filesystem::create_directories(folder, failed);
    if (auto written = write_file(path, content); !written)
      return pass_on(written.error(), node_.name);
    std::filesystem::permissions(path, static_cast<std::filesystem::perms>(mode), failed);
    if (failed) return error("{}: {}: {}", node_.name, path, failed.message());
    return {};
  }

  Result<void> download(const std::string& path, const std::filesystem::path& to, std::size_t limit,
                        Nanoseconds) override {
    remember("download " + path);
    auto content = read_file(path);
    if (!content) return pass_on(content.error(), node_.name);
    if (content->size() > limit) content->erase(0, content->size() - limit);
    return write_file(to, *content);
  }

  Result<std::unique_ptr<Stream>> stream(const std::string& shell, Nanoseconds) override {
    remember(shell);
    return std::make_unique<LocalStream>(node_.name, shell);
  }

  // What was asked for, in order.
  [[nodiscard]] std::vector<std::string> commands() const {
    const std::lock_guard lock(mutex_);
    return commands_;
  }

  // Answers run() in the place of the shell when it returns a value. Set it before threads use the
  // object.
  std::function<std::optional<Result<Output>>(const Command&)> intercept;

 private:
  void remember(const std::string& what) {
    const std::lock_guard lock(mutex_);
    commands_.push_back(what);
  }

  Node node_;
  mutable std::mutex mutex_;
  std::vector<std::string> commands_;
};

}  // namespace ordeal::clusters
