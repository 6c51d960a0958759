#include "clusters/lab/ground.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clusters/lab/file_tree.h"
#include "clusters/lab/layer.h"
#include "clusters/lab/process.h"

namespace ordeal::clusters::lab {
namespace {

using Show = SystemDirectory::Show;

// A process that does nothing but keep a user namespace alive while that is being looked at.
class UserNamespace {
 public:
  // Empty when the kernel refuses.
  explicit UserNamespace(const std::string& proc) {
    holder_ = clone_process(CLONE_NEWUSER);
    if (holder_ == 0) {
      pause();
      _exit(0);
    }
    if (holder_ < 0) return;
    is_mapped_ = map_ids(proc, holder_, ids_of_own_users);
    file_ = File(open(fmt::format("{}/{}/ns/user", proc, holder_).c_str(), O_RDONLY | O_CLOEXEC));
  }
  UserNamespace(const UserNamespace&) = delete;
  UserNamespace& operator=(const UserNamespace&) = delete;
  ~UserNamespace() {
    if (holder_ <= 0) return;
    kill(holder_, SIGKILL);
    waitpid(holder_, nullptr, 0);
  }
  [[nodiscard]] bool exists() const { return holder_ > 0; }
  [[nodiscard]] bool is_mapped() const { return is_mapped_; }
  [[nodiscard]] int fd() const { return file_.fd(); }

 private:
  pid_t holder_ = -1;
  bool is_mapped_ = false;
  File file_;
};

// What the directory holds, detached from where it is mounted; owners moved into the users'
// namespace if given.
File detached(const std::string& directory, int users) {
  File tree(open_tree(AT_FDCWD, directory.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  must(bool(tree), "opening {}", directory);
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV;
  if (users >= 0) {
    attributes.attr_set |= MOUNT_ATTR_IDMAP;
    attributes.userns_fd = static_cast<unsigned>(users);
  }
  const int result = mount_setattr(tree.fd(), "", AT_EMPTY_PATH, &attributes, sizeof attributes);
  must(result == 0 || users >= 0, "making {} read-only", directory);
  return result == 0 ? std::move(tree) : File();
}

Isolation best_isolation(Isolation at_best, const std::vector<SystemDirectory>& directories,
                         const UserNamespace& users) {
  if (!users.exists()) return Isolation::few_capabilities;
  if (at_best != Isolation::own_users) return at_best;
  if (!users.is_mapped()) return Isolation::own_capabilities;
  for (const auto& directory : directories)
    if (!detached(directory.path, users.fd())) return Isolation::own_capabilities;
  return Isolation::own_users;
}

}  // namespace

std::vector<SystemDirectory> system_directories() {
  std::vector<SystemDirectory> all = {
      {"/usr", Show::all},     {"/bin", Show::all},          {"/sbin", Show::all},
      {"/lib", Show::all},     {"/lib32", Show::all},        {"/lib64", Show::all},
      {"/libx32", Show::all},  {"/etc", Show::public_files}, {"/opt", Show::public_files},
      {"/var", Show::folders}, {"/var/lib/dpkg", Show::all}};
  std::erase_if(all, [](const SystemDirectory& directory) {
    struct stat info {};
    return lstat(directory.path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode);
  });
  return all;
}

bool map_ids(const std::string& proc, pid_t process, unsigned first) {
  const std::string line = fmt::format("0 {} {}", first, id_count);
  for (const char* map : {"uid_map", "gid_map"}) {
    const File file(
        open(fmt::format("{}/{}/{}", proc, process, map).c_str(), O_WRONLY | O_CLOEXEC));
    if (!file || write(file.fd(), line.data(), line.size()) < 0) return false;
  }
  return true;
}

Ground prepare_ground(const LabSpec& spec) {
  const std::string base = spec.state.string();
  detach_mounts();
  mount_new("tmpfs", base, MS_NODEV, "mode=755,size=64m");
  for (const char* point : {"/labs", "/proc", "/sys", "/node", "/lower", "/layer"})
    make_directory(base + point, 0755);
  mount_again(labs_directory().string(), base + "/labs", false);
  mount_new("proc", base + "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "");
  mount_new("sysfs", base + "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, "");

  Ground ground;
  ground.directories = system_directories();
  const UserNamespace users(base + "/proc");
  ground.isolation = best_isolation(spec.options.at_best, ground.directories, users);
  files_belong_to(first_id(ground.isolation));
  for (const char* link : {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"}) {
    std::array<char, 256> target{};
    if (readlink(link, target.data(), target.size() - 1) > 0) make_link(target.data(), base + link);
  }
  for (const auto& directory : ground.directories) {
    write_layer(spec, base, directory);
    if (directory.show == Show::folders) continue;
    const std::string at = base + "/lower" + directory.path;
    make_directories(at);
    const File tree =
        detached(directory.path, ground.isolation == Isolation::own_users ? users.fd() : -1);
    must(move_mount(tree.fd(), "", AT_FDCWD, at.c_str(), MOVE_MOUNT_F_EMPTY_PATH) == 0,
         "mounting {}", at);
  }
  move_root_to(base);
  return ground;
}

}  // namespace ordeal::clusters::lab
