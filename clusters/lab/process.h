#pragma once
// Processes of a lab, by plain system calls: made with new namespaces, named, identified beyond the
// reuse of their number, and talking to each other in short messages.
//
// A child process of a lab has nobody to return an Error to: must() sends the sentence to whoever
// waits at the other end of its channel and ends the process.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>
#include <sys/types.h>

#include "core/result.h"
#include "core/time.h"

namespace ordeal::clusters::lab {

// An open file that closes itself.
class File {
 public:
  File() = default;
  explicit File(int fd) : fd_(fd) {}
  File(File&& other) noexcept : fd_(other.release()) {}
  File& operator=(File&& other) noexcept;
  ~File();
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }
  [[nodiscard]] int release();

 private:
  int fd_ = -1;
};

// clone3() with these CLONE_ flags: returns twice, as fork() does. The caller must have no other
// threads.
[[nodiscard]] pid_t clone_process(std::uint64_t flags);
[[nodiscard]] File open_pidfd(pid_t pid);
// False when the process was still there at the deadline.
[[nodiscard]] bool await_exit(const File& pidfd, Deadline deadline);

// When a process started, in clock ticks since boot: with the number, it names one process for
// ever. Empty when there is none, or only a zombie.
[[nodiscard]] std::optional<std::uint64_t> start_time(pid_t pid);
// What `ps` shows of the calling process; takes the room of its command line and of its
// environment, which is cleared.
void set_process_title(const std::string& title);
// Closes all files but these and the three standard ones.
void close_other_files(std::vector<int> kept);

// One end of a connection between two related processes, in messages. Reads end with the other
// end's last process.
struct Channel {
  File near, far;
  [[nodiscard]] static Result<Channel> make();
};
void send_message(int fd, std::string_view message);
// Empty at the end of file, at the deadline, and as soon as `unless` (-1: nothing) is hung up.
[[nodiscard]] std::optional<std::string> receive_message(int fd, Deadline deadline,
                                                         int unless = -1);

inline constexpr std::string_view error_prefix = "error: ";
// Where must() of this process reports; set once, first of all.
void report_errors_to(int fd);
[[noreturn]] void end_with_error(std::string_view sentence, int error_number);

// The condition is that of a system call whose errno explains its failure.
template <class... Args>
void must(bool condition, fmt::format_string<Args...> format, Args&&... args) {
  if (condition) return;
  const int error_number = errno;
  end_with_error(fmt::format(format, std::forward<Args>(args)...), error_number);
}

}  // namespace ordeal::clusters::lab
