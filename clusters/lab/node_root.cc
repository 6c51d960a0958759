#include "clusters/lab/node_root.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "clusters/lab/file_tree.h"
#include "clusters/lab/process.h"

namespace ordeal::clusters::lab {
namespace {

constexpr unsigned long no_programs = MS_NOSUID | MS_NODEV | MS_NOEXEC;

void mount_overlays(const std::string& disk, const std::string& root, const Ground& ground) {
  for (const auto& directory : ground.directories) {
    std::string name = directory.path.substr(1);
    std::replace(name.begin(), name.end(), '/', '-');
    const std::string upper = disk + "/" + name, work = upper + ".work";
    struct stat info {};
    must(stat(("/layer" + directory.path).c_str(), &info) == 0, "looking at {}", directory.path);
    make_directory_like(upper, info);
    make_directory(work, 0700);
    make_directories(root + directory.path);
    std::string lower = "/layer" + directory.path;
    if (directory.show != SystemDirectory::Show::folders) lower += ":/lower" + directory.path;
    mount_new("overlay", root + directory.path, 0,
              fmt::format("lowerdir={},upperdir={},workdir={}", lower, upper, work));
  }
}

void make_devices(const std::string& dev) {
  struct Device {
    const char* name;
    unsigned major, minor;
  };
  static constexpr Device harmless[] = {{"null", 1, 3},       {"zero", 1, 5},    {"full", 1, 7},
                                        {"random", 1, 8},     {"urandom", 1, 9}, {"tty", 5, 0},
                                        {"net/tun", 10, 200}, {"fuse", 10, 229}};
  make_directory(dev, 0755);
  make_directory(dev + "/net", 0755);
  for (const auto& device : harmless)
    make_device(dev + "/" + device.name, device.major, device.minor);
  make_directory(dev + "/shm", 01777);
  make_directory(dev + "/pts", 0755);
  make_link("pts/ptmx", dev + "/ptmx");
  make_link("/proc/self/fd", dev + "/fd");
  make_link("/proc/self/fd/0", dev + "/stdin");
  make_link("/proc/self/fd/1", dev + "/stdout");
  make_link("/proc/self/fd/2", dev + "/stderr");
}

// Files of /proc act on the whole machine. Some refuse everyone but the host's root, which a node's
// root is not in a lab with users of its own; here none of them depends on that.
void mount_proc(const std::string& root) {
  const std::string proc = root + "/proc";
  mount_new("proc", proc, no_programs, "");
  for (const char* file :
       {"/kcore", "/kmsg", "/keys", "/key-users", "/sysrq-trigger", "/timer_list", "/sched_debug",
        "/latency_stats", "/kallsyms", "/config.gz", "/mtrr"})
    if (access((proc + file).c_str(), F_OK) == 0)
      mount_again(root + "/dev/null", proc + file, true);
  for (const char* part : {"/sys", "/irq", "/bus", "/fs", "/acpi", "/scsi", "/driver", "/pressure"})
    if (access((proc + part).c_str(), F_OK) == 0) mount_again(proc + part, proc + part, true);
  // These two are about the reader's own network and user namespaces.
  for (const char* own : {"/sys/net", "/sys/user"})
    if (access((proc + own).c_str(), F_OK) == 0) mount_again(proc + own, proc + own, false);
}

std::string random_id() {
  std::array<unsigned char, 16> bytes{};
  must(getentropy(bytes.data(), bytes.size()) == 0, "drawing a machine id");
  std::string text;
  for (const unsigned byte : bytes) text += fmt::format("{:02x}", byte);
  return text + "\n";
}

}  // namespace

void enter_node_root(const LabSpec& spec, const Ground& ground, std::size_t node) {
  const std::string disk = "/node", root = disk + "/root";
  const unsigned first = first_id(ground.isolation);
  files_belong_to(first);
  mount_new("tmpfs", disk, 0,
            fmt::format("mode=755,size={},uid={},gid={}", spec.options.disk_bytes, first, first));
  make_directory(root, 0755);
  mount_again(root, root, false);
  for (const char* folder :
       {"/run", "/run/lock", "/home", "/mnt", "/media", "/srv", "/opt", "/proc", "/sys"})
    make_directory(root + folder, 0755);
  make_directory(root + "/tmp", 01777);
  make_directory(root + "/root", 0700);
  for (const char* link : {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"}) {
    std::array<char, 256> target{};
    if (readlink(link, target.data(), target.size() - 1) > 0) make_link(target.data(), root + link);
  }
  mount_overlays(disk, root, ground);
  make_devices(root + "/dev");
  constexpr unsigned tty_group = 5;
  mount_new("devpts", root + "/dev/pts", MS_NOSUID | MS_NOEXEC,
            fmt::format("newinstance,ptmxmode=0666,mode=0620,gid={}", first + tty_group));
  mount_proc(root);
  mount_again("/sys", root + "/sys", true);
  make_file(root + "/etc/hostname", node_name(node) + "\n", 0644);
  make_file(root + "/etc/machine-id", random_id(), 0444);
  move_root_to(root);
}

}  // namespace ordeal::clusters::lab
