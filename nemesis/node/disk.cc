// A file system over a server's data folder that behaves like a bad disk. It stands on the folder
// itself, which it opened before it was mounted: what is written goes there at once, and when it is
// unmounted the folder is as the server left it (or as the power cut left it).

#define FUSE_USE_VERSION 34

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <thread>

#include <dirent.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "nemesis/node/keeper.h"
#include "nemesis/node/misplaced.h"
#include "nemesis/node/tasks.h"
#include "nemesis/node/undo_log.h"

namespace ordeal::node {

namespace {

constexpr std::uint64_t block = 4096;

enum class Harm {
  none,
  power_cut,
  lying_fsync,
  eio,
  enospc,
  slow_fsync,
  read_corruption,
  misdirected_write
};

// What the disk is told to do, and what it has done. One a process.
struct Disk {
  int root = -1;
  Harm harm = Harm::none;
  std::string harmed_call;  // eio: fsync, write or read
  int percent = 100;        // of the calls, or of the blocks
  int delay_ms = 0;
  PowerCut cut;
  std::mutex mutex;  // of the log, and of all changes, so that their order is that of the log
  UndoLog* log = nullptr;
  Misplaced misplaced;
  std::atomic<std::uint64_t> writes = 0, syncs = 0, harmed = 0, draws = 0;

  [[nodiscard]] bool keeps_log() const {
    return harm == Harm::power_cut || harm == Harm::lying_fsync;
  }
  [[nodiscard]] bool happens() {
    return mix(cut.seed + ++draws) % 100 < static_cast<std::uint64_t>(percent);
  }
  // The calls of an errno fault: 0, or a negative errno.
  int refuse(const char* call) {
    if (harm == Harm::eio && harmed_call == call && happens()) {
      ++harmed;
      return -EIO;
    }
    if (harm == Harm::enospc && std::strcmp(call, "write") == 0 && happens()) {
      ++harmed;
      return -ENOSPC;
    }
    return 0;
  }
  static std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31U);
  }
};

Disk g_disk;

using Handle = std::shared_ptr<OpenFile>;

Handle& handle(fuse_file_info* info) { return *reinterpret_cast<Handle*>(info->fh); }
// The path below our folder.
const char* below(const char* path) { return path[1] == '\0' ? "." : path + 1; }
int answer(long result) { return result < 0 ? -errno : static_cast<int>(result); }
bool is_hidden(const char* path) {
  const std::size_t size = std::strlen(UndoLog::hidden);
  return std::strncmp(path + 1, UndoLog::hidden, size) == 0 &&
         (path[1 + size] == '\0' || path[1 + size] == '/');
}

int get_attributes(const char* path, struct stat* info, fuse_file_info* file) {
  if (file != nullptr && file->fh != 0) return answer(::fstat(handle(file)->fd, info));
  if (is_hidden(path)) return -ENOENT;
  return answer(::fstatat(g_disk.root, below(path), info, AT_SYMLINK_NOFOLLOW));
}

int read_link(const char* path, char* to, std::size_t size) {
  const ssize_t got = ::readlinkat(g_disk.root, below(path), to, size - 1);
  if (got < 0) return -errno;
  to[got] = '\0';
  return 0;
}

int open_folder(const char* path, fuse_file_info* file) {
  if (is_hidden(path)) return -ENOENT;
  const int fd = ::openat(g_disk.root, below(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return -errno;
  file->fh = reinterpret_cast<std::uint64_t>(new Handle(std::make_shared<OpenFile>(fd, 0)));
  return 0;
}

// Open files have a handle and, as they may be removed, no path.
int read_folder(const char*, void* to, fuse_fill_dir_t fill, off_t, fuse_file_info* file,
                fuse_readdir_flags) {
  const int fd = ::openat(handle(file)->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return -errno;
  DIR* folder = ::fdopendir(fd);
  while (const dirent* entry = ::readdir(folder)) {
    if (std::strcmp(entry->d_name, UndoLog::hidden) == 0) continue;
    struct stat info {};
    info.st_ino = entry->d_ino;
    info.st_mode = static_cast<mode_t>(entry->d_type) << 12U;
    if (fill(to, entry->d_name, &info, 0, static_cast<fuse_fill_dir_flags>(0)) != 0) break;
  }
  ::closedir(folder);
  return 0;
}

void give_to_caller(const char* path) {
  const fuse_context* caller = fuse_get_context();
  [[maybe_unused]] const int given =
      ::fchownat(g_disk.root, below(path), caller->uid, caller->gid, AT_SYMLINK_NOFOLLOW);
}

int make_folder(const char* path, mode_t mode) {
  if (const int refused = g_disk.refuse("write"); refused != 0) return refused;
  const std::lock_guard lock(g_disk.mutex);
  if (::mkdirat(g_disk.root, below(path), mode) != 0) return -errno;
  give_to_caller(path);
  if (g_disk.keeps_log()) g_disk.log->made_folder(below(path));
  return 0;
}

int remove_file(const char* path) {
  const std::lock_guard lock(g_disk.mutex);
  const std::string kept = g_disk.keeps_log() ? g_disk.log->keep(below(path)) : std::string();
  if (::unlinkat(g_disk.root, below(path), 0) != 0) {
    const int why = errno;
    g_disk.log->forget(kept);
    return -why;
  }
  if (g_disk.keeps_log()) g_disk.log->removed(below(path), kept);
  return 0;
}

int remove_folder(const char* path) {
  const std::lock_guard lock(g_disk.mutex);
  struct stat info {};
  if (::fstatat(g_disk.root, below(path), &info, AT_SYMLINK_NOFOLLOW) != 0 ||
      ::unlinkat(g_disk.root, below(path), AT_REMOVEDIR) != 0)
    return -errno;
  if (g_disk.keeps_log()) g_disk.log->removed_folder(below(path), info.st_mode & 07777U);
  return 0;
}

int rename_file(const char* from, const char* to, unsigned flags) {
  const std::lock_guard lock(g_disk.mutex);
  const std::string kept = g_disk.keeps_log() ? g_disk.log->keep(below(to)) : std::string();
  if (::renameat2(g_disk.root, below(from), g_disk.root, below(to), flags) != 0) {
    const int why = errno;
    g_disk.log->forget(kept);
    return -why;
  }
  if (g_disk.keeps_log()) g_disk.log->renamed(below(from), below(to), kept);
  return 0;
}

int make_symlink(const char* target, const char* path) {
  return answer(::symlinkat(target, g_disk.root, below(path)));
}
int make_hard_link(const char* from, const char* to) {
  return answer(::linkat(g_disk.root, below(from), g_disk.root, below(to), 0));
}
int change_mode(const char* path, mode_t mode, fuse_file_info* file) {
  if (file != nullptr) return answer(::fchmod(handle(file)->fd, mode));
  return answer(::fchmodat(g_disk.root, below(path), mode, 0));
}
int change_owner(const char* path, uid_t user, gid_t group, fuse_file_info* file) {
  if (file != nullptr) return answer(::fchown(handle(file)->fd, user, group));
  return answer(::fchownat(g_disk.root, below(path), user, group, AT_SYMLINK_NOFOLLOW));
}
int change_times(const char* path, const timespec times[2], fuse_file_info* file) {
  if (file != nullptr) return answer(::futimens(handle(file)->fd, times));
  return answer(::utimensat(g_disk.root, below(path), times, AT_SYMLINK_NOFOLLOW));
}

// Readable too, as the log must read what a write replaces; the kernel has checked the caller's
// rights, and does appending itself.
Handle open_below(const char* path, int flags, mode_t mode) {
  flags &= ~(O_APPEND | O_DIRECT | O_SYNC | O_DSYNC);
  if ((flags & O_ACCMODE) == O_WRONLY) flags = (flags & ~O_ACCMODE) | O_RDWR;
  const int fd = ::openat(g_disk.root, below(path), flags | O_CLOEXEC, mode);
  if (fd < 0) return nullptr;
  struct stat info {};
  ::fstat(fd, &info);
  return std::make_shared<OpenFile>(fd, info.st_ino);
}

int resize(const Handle& file, off_t size) {
  const std::lock_guard lock(g_disk.mutex);
  if (g_disk.keeps_log()) g_disk.log->will_resize(file, size);
  g_disk.misplaced.resized(file->inode, size);
  return answer(::ftruncate(file->fd, size));
}

int truncate_file(const char* path, off_t size, fuse_file_info* file) {
  if (const int refused = g_disk.refuse("write"); refused != 0) return refused;
  if (file != nullptr) return resize(handle(file), size);
  const Handle opened = open_below(path, O_RDWR, 0);
  return opened == nullptr ? -errno : resize(opened, size);
}

int open_file(const char* path, fuse_file_info* file) {
  if (is_hidden(path)) return -ENOENT;
  Handle opened = open_below(path, file->flags & ~(O_CREAT | O_EXCL | O_TRUNC), 0);
  if (opened == nullptr) return -errno;
  if ((file->flags & O_TRUNC) != 0) {
    if (const int failed = resize(opened, 0); failed != 0) return failed;
  }
  file->fh = reinterpret_cast<std::uint64_t>(new Handle(std::move(opened)));
  return 0;
}

int create_file(const char* path, mode_t mode, fuse_file_info* file) {
  if (const int refused = g_disk.refuse("write"); refused != 0) return refused;
  const std::unique_lock lock(g_disk.mutex);
  const bool is_new = ::faccessat(g_disk.root, below(path), F_OK, AT_SYMLINK_NOFOLLOW) != 0;
  Handle opened = open_below(path, file->flags | O_CREAT, mode);
  if (opened == nullptr) return -errno;
  if (is_new) {
    give_to_caller(path);
    g_disk.misplaced.resized(opened->inode, 0);  // its number was perhaps another file's
    if (g_disk.keeps_log()) g_disk.log->created(below(path));
  }
  file->fh = reinterpret_cast<std::uint64_t>(new Handle(std::move(opened)));
  return 0;
}

// The same bits for as long as the fault is on, as of a damaged surface.
void damage(char* data, std::size_t size, off_t offset, ino_t inode) {
  const auto first = static_cast<std::uint64_t>(offset) / block;
  const auto last = (static_cast<std::uint64_t>(offset) + size) / block;
  for (std::uint64_t at = first; at <= last; ++at) {
    const std::uint64_t draw = Disk::mix(Disk::mix(g_disk.cut.seed ^ inode) + at);
    if (draw % 100 >= static_cast<std::uint64_t>(g_disk.percent)) continue;
    const auto byte = static_cast<off_t>(at * block + (draw >> 8U) % block);
    if (byte < offset || byte >= offset + static_cast<off_t>(size)) continue;
    char& harmed = data[byte - offset];
    harmed = static_cast<char>(harmed ^ (1 << ((draw >> 40U) % 8)));
    ++g_disk.harmed;
  }
}

int read_file(const char*, char* to, std::size_t size, off_t offset, fuse_file_info* file) {
  if (const int refused = g_disk.refuse("read"); refused != 0) return refused;
  const ssize_t got = ::pread(handle(file)->fd, to, size, offset);
  if (got > 0 && g_disk.harm == Harm::read_corruption)
    damage(to, static_cast<std::size_t>(got), offset, handle(file)->inode);
  if (got > 0 && g_disk.harm == Harm::misdirected_write) {
    const std::lock_guard lock(g_disk.mutex);
    g_disk.misplaced.show(handle(file)->inode, offset, to, static_cast<std::size_t>(got));
  }
  return answer(got);
}

// The write arrives in the folder, and is shown in another place of the same file; at the end of a
// file that has grown by it there were zeros.
int misdirect(const Handle& file, const char* data, std::size_t size, off_t offset) {
  constexpr off_t furthest = 16;  // blocks
  const std::lock_guard lock(g_disk.mutex);
  struct stat info {};
  std::string before(size, '\0');
  if (::fstat(file->fd, &info) != 0 || ::pread(file->fd, before.data(), size, offset) < 0)
    return -errno;
  const ssize_t written = ::pwrite(file->fd, data, size, offset);
  if (written != static_cast<ssize_t>(size)) return answer(written);
  const auto draw = static_cast<off_t>(Disk::mix(g_disk.cut.seed + ++g_disk.draws) >> 8U);
  off_t wrong = offset + (1 + draw % furthest) * static_cast<off_t>(block);
  if (wrong >= info.st_size) wrong = std::max<off_t>(2 * offset - wrong, 0);
  if (wrong == offset || g_disk.misplaced.is_full()) {
    g_disk.misplaced.wrote(file->inode, offset, data, size);
    return answer(written);
  }
  // What was shown there already is what such a disk holds.
  g_disk.misplaced.show(file->inode, offset, before.data(), size);
  g_disk.misplaced.misplace(file->inode, offset, before, wrong, std::string(data, size));
  ++g_disk.harmed;
  return answer(written);
}

int write_file(const char*, const char* data, std::size_t size, off_t offset,
               fuse_file_info* file) {
  if (const int refused = g_disk.refuse("write"); refused != 0) return refused;
  ++g_disk.writes;
  if (g_disk.harm == Harm::misdirected_write) {
    if (g_disk.happens()) return misdirect(handle(file), data, size, offset);
    const std::lock_guard lock(g_disk.mutex);
    g_disk.misplaced.wrote(handle(file)->inode, offset, data, size);
    return answer(::pwrite(handle(file)->fd, data, size, offset));
  }
  if (!g_disk.keeps_log()) return answer(::pwrite(handle(file)->fd, data, size, offset));
  const std::lock_guard lock(g_disk.mutex);
  g_disk.log->will_write(handle(file), offset, g_disk.cut.keep_percent > 0 ? data : nullptr, size);
  return answer(::pwrite(handle(file)->fd, data, size, offset));
}

int allocate(const char*, int mode, off_t offset, off_t size, fuse_file_info* file) {
  if (const int refused = g_disk.refuse("write"); refused != 0) return refused;
  const std::lock_guard lock(g_disk.mutex);
  if (g_disk.keeps_log()) {
    if ((mode & ~FALLOC_FL_KEEP_SIZE) != 0) return -EOPNOTSUPP;  // punching holes: not logged
    struct stat info {};
    ::fstat(handle(file)->fd, &info);
    if ((mode & FALLOC_FL_KEEP_SIZE) == 0 && offset + size > info.st_size)
      g_disk.log->will_resize(handle(file), offset + size);
  }
  return answer(::fallocate(handle(file)->fd, mode, offset, size));
}

// True when the call is to answer at once, as if all were well.
bool is_lie() {
  ++g_disk.syncs;
  if (g_disk.harm == Harm::slow_fsync) {
    ++g_disk.harmed;
    ::poll(nullptr, 0, g_disk.delay_ms);
  }
  if (g_disk.harm != Harm::lying_fsync) return false;
  ++g_disk.harmed;
  return true;
}

int sync_file(const char*, int only_data, fuse_file_info* file) {
  if (const int refused = g_disk.refuse("fsync"); refused != 0) return refused;
  if (is_lie()) return 0;
  const int fd = handle(file)->fd;
  if ((only_data != 0 ? ::fdatasync(fd) : ::fsync(fd)) != 0) return -errno;
  const std::lock_guard lock(g_disk.mutex);
  if (g_disk.keeps_log()) g_disk.log->settle(handle(file)->inode);
  return 0;
}

int sync_folder(const char*, int, fuse_file_info* file) {
  if (const int refused = g_disk.refuse("fsync"); refused != 0) return refused;
  if (is_lie()) return 0;
  const int result = answer(::fsync(handle(file)->fd));
  const std::lock_guard lock(g_disk.mutex);
  if (result == 0 && g_disk.keeps_log()) g_disk.log->settle_names();
  return result;
}

int release_file(const char*, fuse_file_info* file) {
  delete &handle(file);
  return 0;
}

int tell_space(const char* path, struct statvfs* space) {
  const int fd = ::openat(g_disk.root, below(path), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  const int result = answer(::fstatvfs(fd, space));
  ::close(fd);
  if (g_disk.harm == Harm::enospc) space->f_bfree = space->f_bavail = 0;
  return result;
}

void* settle_configuration(fuse_conn_info* connection, fuse_config* configuration) {
  configuration->use_ino = 1;
  configuration->hard_remove = 1;  // we hold files open by descriptor
  configuration->nullpath_ok = 1;
  connection->max_write = 1U << 20U;
  return nullptr;
}

fuse_operations operations() {
  fuse_operations all{};
  all.init = settle_configuration;
  all.getattr = get_attributes;
  all.readlink = read_link;
  all.opendir = open_folder;
  all.readdir = read_folder;
  all.releasedir = release_file;
  all.mkdir = make_folder;
  all.unlink = remove_file;
  all.rmdir = remove_folder;
  all.rename = rename_file;
  all.symlink = make_symlink;
  all.link = make_hard_link;
  all.chmod = change_mode;
  all.chown = change_owner;
  all.utimens = change_times;
  all.truncate = truncate_file;
  all.open = open_file;
  all.create = create_file;
  all.read = read_file;
  all.write = write_file;
  all.fallocate = allocate;
  all.fsync = sync_file;
  all.fsyncdir = sync_folder;
  all.release = release_file;
  all.statfs = tell_space;
  return all;
}

Harm harm_named(const std::string& name) {
  if (name == "power-cut") return Harm::power_cut;
  if (name == "lying-fsync") return Harm::lying_fsync;
  if (name == "eio") return Harm::eio;
  if (name == "enospc") return Harm::enospc;
  if (name == "slow-fsync") return Harm::slow_fsync;
  if (name == "read-corruption") return Harm::read_corruption;
  if (name == "misdirected-write") return Harm::misdirected_write;
  return Harm::none;
}

std::string told_of_effect() {
  const std::string traffic = std::to_string(g_disk.writes) + " writes and " +
                              std::to_string(g_disk.syncs) + " syncs went through it";
  if (g_disk.harm == Harm::power_cut) {
    const std::lock_guard lock(g_disk.mutex);
    return g_disk.writes == 0
               ? ""
               : traffic + ", " + std::to_string(g_disk.log->size()) + " changes are not durable";
  }
  if (g_disk.harmed == 0) return "";
  return std::to_string(g_disk.harmed) + " calls harmed; " + traffic;
}

fuse* mount_over(const std::string& folder, std::string& trouble) {
  g_disk.root = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (g_disk.root < 0) {
    trouble = folder + ": " + std::strerror(errno);
    return nullptr;
  }
  static const fuse_operations all = operations();
  fuse_args arguments = FUSE_ARGS_INIT(0, nullptr);
  fuse_opt_add_arg(&arguments, "ordeal");
  fuse_opt_add_arg(&arguments, "-oallow_other,default_permissions,fsname=ordeal,subtype=ordeal");
  fuse* made = fuse_new(&arguments, &all, sizeof all, nullptr);
  fuse_opt_free_args(&arguments);
  if (made == nullptr || fuse_mount(made, folder.c_str()) != 0) {
    trouble = "a file system cannot be mounted over " + folder +
              " (that needs /dev/fuse and the right to mount)";
    return nullptr;
  }
  return made;
}

void serve(fuse* files) {
  fuse_loop_config loop{};
  loop.clone_fd = 0;
  loop.max_idle_threads = 8;
  fuse_loop_mt(files, &loop);
}

}  // namespace

int run_disk(const Arguments& arguments) {
  const std::string folder = arguments.text("data");
  g_disk.harm = harm_named(arguments.text("harm"));
  g_disk.harmed_call = arguments.text("call", "fsync");
  g_disk.percent = static_cast<int>(arguments.integer("percent", 100));
  g_disk.delay_ms = static_cast<int>(arguments.integer("delay-ms"));
  g_disk.cut.keep_percent = static_cast<int>(arguments.integer("keep-percent"));
  g_disk.cut.torn_percent = static_cast<int>(arguments.integer("torn-percent"));
  g_disk.cut.seed = static_cast<std::uint64_t>(arguments.integer("seed"));
  ::umask(0);
  fuse* files = nullptr;
  const auto prepare = [&](std::string& trouble) {
    if (g_disk.harm == Harm::none) {
      trouble = "no such harm: " + arguments.text("harm");
      return false;
    }
    files = mount_over(folder, trouble);
    return files != nullptr;
  };
  return start_keeper(arguments, prepare, [&](Keeper& keeper) {
    UndoLog log(g_disk.root);
    g_disk.log = &log;
    std::thread server([&] { serve(files); });
    while (keeper.wait_ms(300)) {
      if (const std::string words = told_of_effect(); !words.empty()) keeper.tell(words);
    }
    ::umount2(folder.c_str(), MNT_DETACH);
    {
      // Nothing is changed any more from here on.
      const std::lock_guard lock(g_disk.mutex);
      if (g_disk.keeps_log()) keeper.tell(log.cut(g_disk.cut));
      log.close();
    }
    ::_exit(0);  // threads of the server may still wait for the kernel
  });
}

void detach_dead_disks() {
  FILE* mounts = std::fopen("/proc/self/mounts", "re");
  if (mounts == nullptr) return;
  char line[8192];
  while (std::fgets(line, sizeof line, mounts) != nullptr) {
    char folder[4096] = "", kind[64] = "";
    if (std::sscanf(line, "%*s %4095s %63s", folder, kind) != 2) continue;
    struct stat info {};
    if (std::strcmp(kind, "fuse.ordeal") != 0 || ::stat(folder, &info) == 0) continue;
    if (::umount2(folder, MNT_DETACH) != 0) continue;
    // What a power cut would have brought back stays removed.
    const std::string hidden = std::string(folder) + "/" + UndoLog::hidden;
    DIR* kept = ::opendir(hidden.c_str());
    while (kept != nullptr) {
      const dirent* entry = ::readdir(kept);
      if (entry == nullptr) break;
      if (entry->d_name[0] != '.') ::unlinkat(::dirfd(kept), entry->d_name, 0);
    }
    if (kept != nullptr) ::closedir(kept);
    ::rmdir(hidden.c_str());
  }
  std::fclose(mounts);
}

int check_disk(const Arguments& arguments) {
  const std::string folder = arguments.text("directory") + "/check-disk";
  ::mkdir(folder.c_str(), 0700);
  std::string trouble;
  fuse* files = mount_over(folder, trouble);
  if (files != nullptr) ::umount2(folder.c_str(), MNT_DETACH);
  ::rmdir(folder.c_str());
  if (files != nullptr) return 0;
  std::fprintf(stderr, "%s\n", trouble.c_str());
  return 1;
}

}  // namespace ordeal::node
