#pragma once
// File system work of the child processes of a lab. Failures end the process, by must().

#include <string>
#include <string_view>

#include <sys/stat.h>
#include <sys/types.h>

namespace ordeal::clusters::lab {

// All that is made belongs to this user and group, until changed. Set once.
void files_belong_to(unsigned id);

void make_directory(const std::string& path, mode_t mode);  // one level; may exist
void make_directories(const std::string& path);             // with parents, 0755
void make_file(const std::string& path, std::string_view content, mode_t mode);
void make_device(const std::string& path, unsigned major, unsigned minor);
void make_link(const std::string& target, const std::string& path);
// A directory like that one: its mode, and its owner moved into the range of files_belong_to.
void make_directory_like(const std::string& path, const struct stat& model);

void mount_new(const std::string& type, const std::string& at, unsigned long flags,
               const std::string& options);
// Shows `what` (a file or a directory without the mounts below it) at `at` too.
void mount_again(const std::string& what, const std::string& at, bool read_only);
// Makes `directory`, a mount point, the root of the calling process and forgets the old one.
void move_root_to(const std::string& directory);
// In a new mount namespace: cuts its mounts off from the host's, and makes what the calling process
// sees as its root the root of all. After a chroot(2) it was not: the kernel then makes no user
// namespaces, and the way out stays open.
void detach_mounts();

}  // namespace ordeal::clusters::lab
