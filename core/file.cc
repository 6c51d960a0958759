#include "core/file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ordeal {

namespace {

// strerror_r, so that threads do not share a buffer.
std::string errno_text() { return std::error_code(errno, std::generic_category()).message(); }

Result<void> write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return error("{}", errno_text());
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

Result<std::string> read_file(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return error("cannot read {}: {}", file.string(), errno_text());
  std::string content;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const std::string why = errno_text();
      ::close(fd);
      return error("cannot read {}: {}", file.string(), why);
    }
    if (got == 0) break;
    content.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(fd);
  return content;
}

Result<void> write_file(const std::filesystem::path& file, std::string_view content) {
  const std::string temporary = fmt::format("{}.{}.tmp", file.string(), ::getpid());
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return error("cannot write {}: {}", file.string(), errno_text());
  Result<void> written = write_all(fd, content);
  if (written && ::fsync(fd) != 0) written = error("{}", errno_text());
  if (::close(fd) != 0 && written) written = error("{}", errno_text());
  if (written && ::rename(temporary.c_str(), file.c_str()) != 0)
    written = error("{}", errno_text());
  if (!written) {
    ::unlink(temporary.c_str());
    return pass_on(written.error(), fmt::format("cannot write {}", file.string()));
  }
  return {};
}

Result<std::vector<std::string>> read_lines(const std::filesystem::path& file) {
  const Result<std::string> content = read_file(file);
  if (!content) return pass_on(content.error());
  std::vector<std::string> lines;
  for (std::size_t begin = 0;;) {
    const std::size_t end = content->find('\n', begin);
    if (end == std::string::npos) return lines;
    lines.push_back(content->substr(begin, end - begin));
    begin = end + 1;
  }
}

Result<LineLog> LineLog::open(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return error("cannot write {}: {}", file.string(), errno_text());
  return LineLog(fd, file);
}

LineLog::LineLog(LineLog&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), file_(std::move(other.file_)) {}

LineLog& LineLog::operator=(LineLog&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(file_, other.file_);
  return *this;
}

LineLog::~LineLog() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> LineLog::append(std::string_view line) {
  ORDEAL_CHECK(line.find('\n') == std::string_view::npos, "a log line must be one line");
  Result<void> written = write_all(fd_, std::string(line) + '\n');
  if (written && ::fdatasync(fd_) != 0 && errno != EINVAL) written = error("{}", errno_text());
  if (!written) return pass_on(written.error(), fmt::format("cannot write {}", file_.string()));
  return {};
}

}  // namespace ordeal
