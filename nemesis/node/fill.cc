// Fills the file system below a server's data, and only one that is the server's alone. What fills
// it is a file without a name: the kernel gives its space back as soon as the process is gone,
// however it goes.

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "nemesis/node/keeper.h"
#include "nemesis/node/tasks.h"

namespace ordeal::node {

namespace {

constexpr long long look_ms = 20;  // what is freed meanwhile is taken too
constexpr unsigned long long page = 4096;
constexpr unsigned long long far = 1U << 24U;  // further than a block of any file system

bool device_of(const std::string& path, dev_t& device) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return false;
  device = info.st_dev;
  return true;
}

// The folder, or the nearest one above it that is there.
std::string existing(std::string folder) {
  dev_t device = 0;
  while (folder.size() > 1 && !device_of(folder, device)) folder.resize(folder.rfind('/'));
  return folder.empty() ? "/" : folder;
}

unsigned long long free_bytes(int fd) {
  struct statvfs space {};
  if (::fstatvfs(fd, &space) != 0) return 0;
  return static_cast<unsigned long long>(space.f_bfree) * space.f_frsize;
}

unsigned long long available_memory() {
  FILE* file = std::fopen("/proc/meminfo", "re");
  if (file == nullptr) return 0;
  char line[256];
  unsigned long long kib = 0;
  while (std::fgets(line, sizeof line, file) != nullptr) {
    if (std::sscanf(line, "MemAvailable: %llu", &kib) == 1) break;
  }
  std::fclose(file);
  return kib * 1024;
}

// Empty when the file system of the folder may be filled.
std::string refusal(const std::string& wanted, const std::string& ours) {
  const std::string folder = existing(wanted);
  dev_t own = 0, other = 0;
  if (!device_of(folder, own)) return folder + ": " + std::strerror(errno);
  for (const std::string& shared :
       {std::string("/"), std::string("/var"), std::string("/var/log"), std::string("/var/lib"),
        std::string("/tmp"), std::string("/run"), std::string("/home"), std::string("/boot"),
        ours}) {
    if (device_of(shared, other) && other == own)
      return "the data of the server is on the same file system as " + shared +
             ", which must not be filled; put it on one of its own, or use disk faults with "
             "shape=enospc";
  }
  struct statfs kind {};
  struct statvfs space {};
  if (::statfs(folder.c_str(), &kind) != 0 || ::statvfs(folder.c_str(), &space) != 0)
    return folder + ": " + std::strerror(errno);
  const auto bytes = static_cast<unsigned long long>(space.f_bfree) * space.f_frsize;
  if (kind.f_type == TMPFS_MAGIC && bytes > available_memory() / 4)
    return "filling " + folder + " would take " + std::to_string(bytes >> 20U) +
           " MiB of memory, more than a quarter of what the node has left";
  return {};
}

// Takes what is free, in ever smaller pieces. Returns the size of the file.
unsigned long long take_all(int fd, unsigned long long size) {
  for (unsigned long long step = free_bytes(fd); step >= page; step /= 2) {
    step -= step % page;
    while (::posix_fallocate(fd, static_cast<off_t>(size), static_cast<off_t>(step)) == 0)
      size += step;
  }
  return size;
}

}  // namespace

int run_fill(const Arguments& arguments) {
  const std::string folder = arguments.text("data");
  int fd = -1;
  const auto prepare = [&](std::string& trouble) {
    trouble = refusal(folder, arguments.text("directory"));
    if (!trouble.empty()) return false;
    fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) trouble = folder + " takes no file without a name: " + std::strerror(errno);
    return fd >= 0;
  };
  return start_keeper(arguments, prepare, [&](Keeper& keeper) {
    unsigned long long size = 0;
    do {
      size = take_all(fd, size);
      char byte = 0;
      // The proof: a byte that needs a block of its own finds none.
      const bool is_full =
          ::pwrite(fd, &byte, 1, static_cast<off_t>(size + far)) < 0 && errno == ENOSPC;
      if (is_full)
        keeper.tell(std::to_string(size >> 10U) + " KiB fill it, and nothing more can be written");
    } while (keeper.wait_ms(look_ms));
    ::close(fd);
    keeper.tell("its last " + std::to_string(size >> 10U) + " KiB are free again");
  });
}

int check_fill(const Arguments& arguments) {
  const std::string why = refusal(arguments.text("data"), arguments.text("directory"));
  if (!why.empty()) std::fprintf(stderr, "%s\n", why.c_str());
  return why.empty() ? 0 : 1;
}

}  // namespace ordeal::node
