#include "clusters/lab/file_tree.h"

#include <cerrno>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "clusters/lab/process.h"

namespace ordeal::clusters::lab {
namespace {

unsigned g_first_id = 0;

void own(const std::string& path) {
  must(lchown(path.c_str(), g_first_id, g_first_id) == 0, "giving {} an owner", path);
}

// Old and new root may be one place: the new is mounted over the old, which then is taken away from
// below.
void move_root_here() {
  must(syscall(SYS_pivot_root, ".", ".") == 0, "moving the root");
  must(umount2(".", MNT_DETACH) == 0, "leaving the old root");
  must(chdir("/") == 0, "entering the new root");
}

void keep_private(const char* mounts) {
  must(mount(nullptr, mounts, nullptr, MS_REC | MS_PRIVATE, nullptr) == 0,
       "keeping mounts private");
}

}  // namespace

void files_belong_to(unsigned id) { g_first_id = id; }

void make_directory(const std::string& path, mode_t mode) {
  must(mkdir(path.c_str(), mode) == 0 || errno == EEXIST, "making directory {}", path);
  must(chmod(path.c_str(), mode) == 0, "setting the mode of {}", path);
  own(path);
}

void make_directories(const std::string& path) {
  for (std::size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1))
    if (access(path.substr(0, end).c_str(), F_OK) != 0) make_directory(path.substr(0, end), 0755);
  if (access(path.c_str(), F_OK) != 0) make_directory(path, 0755);
}

void make_file(const std::string& path, std::string_view content, mode_t mode) {
  unlink(path.c_str());
  const File file(open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode));
  must(bool(file), "making {}", path);
  while (!content.empty()) {
    const ssize_t written = write(file.fd(), content.data(), content.size());
    must(written > 0, "writing {}", path);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  must(fchmod(file.fd(), mode) == 0, "setting the mode of {}", path);
  own(path);
}

void make_device(const std::string& path, unsigned major, unsigned minor) {
  must(mknod(path.c_str(), S_IFCHR | 0666, makedev(major, minor)) == 0, "making device {}", path);
  must(chmod(path.c_str(), 0666) == 0, "setting the mode of {}", path);
  own(path);
}

void make_link(const std::string& target, const std::string& path) {
  must(symlink(target.c_str(), path.c_str()) == 0, "making link {}", path);
  own(path);
}

void make_directory_like(const std::string& path, const struct stat& model) {
  const mode_t mode = model.st_mode & 07777;
  must(mkdir(path.c_str(), mode) == 0 || errno == EEXIST, "making directory {}", path);
  // Ids that a node does not have become its root's.
  const auto moved = [](unsigned id) { return g_first_id + (id < 65536 ? id : 0); };
  must(lchown(path.c_str(), moved(model.st_uid), moved(model.st_gid)) == 0, "giving {} an owner",
       path);
  must(chmod(path.c_str(), mode) == 0, "setting the mode of {}", path);
}

void mount_new(const std::string& type, const std::string& at, unsigned long flags,
               const std::string& options) {
  must(mount(type.c_str(), at.c_str(), type.c_str(), flags, options.c_str()) == 0,
       "mounting {} on {}", type, at);
}

void mount_again(const std::string& what, const std::string& at, bool read_only) {
  const File tree(open_tree(AT_FDCWD, what.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  must(bool(tree), "opening {}", what);
  mount_attr attributes{};
  (read_only ? attributes.attr_set : attributes.attr_clr) = MOUNT_ATTR_RDONLY;
  must(mount_setattr(tree.fd(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) == 0,
       "making {} {}", what, read_only ? "read-only" : "writable");
  must(move_mount(tree.fd(), "", AT_FDCWD, at.c_str(), MOVE_MOUNT_F_EMPTY_PATH) == 0,
       "mounting {} on {}", what, at);
}

void move_root_to(const std::string& directory) {
  must(chdir(directory.c_str()) == 0, "entering {}", directory);
  move_root_here();
}

void detach_mounts() {
  const File tree(open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
  must(bool(tree), "opening the root directory");
  const File self = open_pidfd(getpid());
  must(setns(self.fd(), CLONE_NEWNS) == 0, "leaving a changed root");
  // Before the first mount, and again for those that the copy brought along: nothing may travel to
  // the host.
  keep_private("/");
  must(move_mount(tree.fd(), "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) == 0, "mounting the root");
  must(fchdir(tree.fd()) == 0, "entering the root");
  keep_private(".");
  move_root_here();
}

}  // namespace ordeal::clusters::lab
