#pragma once
// What tests of labs share: commands on a node by the real SSH client, child processes, and the
// comparison of what this machine holds before and after (tests/integration/residue.sh).

#include <algorithm>
#include <cstdio>
#include <functional>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clusters/lab/lab.h"
#include "core/time.h"

namespace ordeal::clusters {

struct Answer {
  int status = -1;
  std::string text;  // standard output and standard error
};

// Runs `action` in a child process that then ends without cleaning up; its output is a pipe.
inline pid_t in_child(const std::function<void()>& action, int* output) {
  int ends[2] = {-1, -1};
  if (pipe(ends) != 0) return -1;
  std::cout.flush();  // or the child writes what is buffered once more
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    action();
    _exit(0);
  }
  close(ends[1]);
  *output = ends[0];
  return child;
}

// Until everybody has closed the other end; says so if that takes too long.
inline std::string read_all(int fd) {
  std::string text;
  for (const Deadline deadline = Deadline::after(60s);;) {
    pollfd watched{fd, POLLIN, 0};
    char buffer[4096];
    const ssize_t size = poll(&watched, 1, 1000) > 0 ? read(fd, buffer, sizeof buffer) : -1;
    if (size > 0) text.append(buffer, static_cast<std::size_t>(size));
    if (deadline.passed()) text += "\n(still open)";
    if (size == 0 || deadline.passed()) break;
  }
  close(fd);
  return text;
}

inline int wait_for(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

inline Answer on_node(const std::string& lab, const std::string& node, const std::string& shell) {
  int output = -1;
  const pid_t child = in_child(
      [&] {
        const Error failure = lab_shell(lab, node, {"sh", "-c", shell});
        std::printf("%s\n", failure.message.c_str());
        std::fflush(stdout);
        _exit(255);
      },
      &output);
  Answer answer;
  answer.text = read_all(output);
  answer.status = wait_for(child);
  return answer;
}

inline bool eventually(const std::function<bool()>& condition) {
  const Deadline deadline = Deadline::after(20s);
  while (!condition()) {
    if (deadline.passed()) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

// Makes this process inherit every orphan among its descendants, so that nothing that a lab starts
// can hide from residue(), and takes what is there as the measure.
class Footprint {
 public:
  explicit Footprint(std::string lab_prefix) : prefix_(std::move(lab_prefix)) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    before_ = residue();
  }
  // Lines that were not there before, once nothing new disappears any more.
  [[nodiscard]] std::vector<std::string> left_behind() const {
    std::vector<std::string> news;
    eventually([&] {
      news = added();
      return news.empty();
    });
    return news;
  }

 private:
  [[nodiscard]] std::vector<std::string> residue() const {
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    int output = -1;
    const std::string script = std::string(ORDEAL_SOURCE_DIR) + "/tests/integration/residue.sh";
    const std::string top = std::to_string(getpid());
    const pid_t child =
        in_child([&] { execl("/bin/sh", "sh", script.c_str(), top.c_str(), nullptr); }, &output);
    std::istringstream text(read_all(output));
    waitpid(child, nullptr, 0);
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);)
      if (!line.starts_with("lab ") || line.starts_with("lab " + prefix_)) lines.push_back(line);
    return lines;
  }
  [[nodiscard]] std::vector<std::string> added() const {
    std::vector<std::string> news, before = before_;
    for (const auto& line : residue()) {
      const auto found = std::find(before.begin(), before.end(), line);
      if (found == before.end())
        news.push_back(line);
      else
        before.erase(found);
    }
    return news;
  }

  std::string prefix_;
  std::vector<std::string> before_;
};

}  // namespace ordeal::clusters
