#pragma once
// Small files, whole: read, written so that a reader sees the old or the new content and never a
// half, and lines appended so that they are on the disk when the call returns.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace ordeal {

[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& file);
// Through a temporary name in the same folder, synced, then renamed.
[[nodiscard]] Result<void> write_file(const std::filesystem::path& file, std::string_view content);
// Complete lines only: a torn last line (no newline) is left out.
[[nodiscard]] Result<std::vector<std::string>> read_lines(const std::filesystem::path& file);

// A ledger: append(line) returns once the line is on the disk (fdatasync). Not for concurrent use
// of one object.
class LineLog {
 public:
  [[nodiscard]] static Result<LineLog> open(const std::filesystem::path& file);
  LineLog(LineLog&& other) noexcept;
  LineLog& operator=(LineLog&& other) noexcept;
  ~LineLog();

  [[nodiscard]] Result<void> append(std::string_view line);

 private:
  LineLog(int fd, std::filesystem::path file) : fd_(fd), file_(std::move(file)) {}
  int fd_ = -1;
  std::filesystem::path file_;
};

}  // namespace ordeal
