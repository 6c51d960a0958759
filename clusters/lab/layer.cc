#include "clusters/lab/layer.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "clusters/lab/file_tree.h"
#include "clusters/lab/process.h"
#include "core/file.h"

namespace ordeal::clusters::lab {
namespace {

using Show = SystemDirectory::Show;

// Walks the host's directory and writes into the layer: for public_files, the folders on the way to
// a hole and the holes (overlayfs calls a device 0,0 a whiteout); for folders, the folders and
// links alone. What lies too deep, or behind too many others, is left out.
class LayerWriter {
 public:
  LayerWriter(Show show, int depth_limit) : show_(show), depth_limit_(depth_limit) {}

  void write(const std::string& from, const std::string& to, int depth = 0) {
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(from.c_str()), closedir);
    if (!folder) return;
    while (const dirent* entry = readdir(folder.get())) {
      const std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (++seen_ > seen_limit && show_ == Show::folders) return;
      struct stat info {};
      if (fstatat(dirfd(folder.get()), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
      if (show_ == Show::folders)
        add_folder(from + "/" + name, to + "/" + name, info, depth);
      else
        add_hole(from + "/" + name, to + "/" + name, info, depth);
    }
  }

 private:
  void add_folder(const std::string& from, const std::string& to, const struct stat& info,
                  int depth) {
    if (S_ISLNK(info.st_mode)) {
      std::array<char, 4096> target{};
      if (readlink(from.c_str(), target.data(), target.size() - 1) > 0)
        make_link(target.data(), to);
    } else if (S_ISDIR(info.st_mode)) {
      make_directory_like(to, info);
      if (depth + 1 < depth_limit_) write(from, to, depth + 1);
    }
  }

  void add_hole(const std::string& from, const std::string& to, const struct stat& info,
                int depth) {
    if (S_ISLNK(info.st_mode)) return;
    const bool is_folder = S_ISDIR(info.st_mode);
    const mode_t needed = is_folder ? S_IROTH | S_IXOTH : S_IROTH;
    const bool is_beyond_limits = is_folder && (depth + 1 >= depth_limit_ || seen_ >= seen_limit);
    if ((info.st_mode & needed) != needed || is_beyond_limits) {
      make_parents_like(from, to);
      must(mknod(to.c_str(), S_IFCHR, makedev(0, 0)) == 0, "hiding {}", from);
    } else if (is_folder) {
      write(from, to, depth + 1);
    }
  }

  // The folders of the layer give the merged ones their owner and mode.
  void make_parents_like(const std::string& from, const std::string& to) {
    const std::string from_parent = from.substr(0, from.rfind('/'));
    const std::string to_parent = to.substr(0, to.rfind('/'));
    if (access(to_parent.c_str(), F_OK) == 0) return;
    make_parents_like(from_parent, to_parent);
    struct stat info {};
    must(stat(from_parent.c_str(), &info) == 0, "looking at {}", from_parent);
    make_directory_like(to_parent, info);
  }

  static constexpr int seen_limit = 50'000;
  Show show_;
  int depth_limit_;
  int seen_ = 0;
};

// The host's accounts; root's shell is one that starts fast. No password opens any of them.
void write_accounts(const std::string& etc) {
  const auto accounts = read_file("/etc/passwd");
  std::string passwd = "root:x:0:0:root:/root:/bin/sh\n", shadow = "root:*:19000:0:99999:7:::\n";
  std::size_t begin = 0;
  while (accounts && begin < accounts->size()) {
    const auto end = std::min(accounts->find('\n', begin), accounts->size());
    const std::string line = accounts->substr(begin, end - begin);
    const std::string user = line.substr(0, line.find(':'));
    begin = end + 1;
    if (user.empty() || user == "root") continue;
    passwd += line + "\n";
    shadow += user + ":*:19000:0:99999:7:::\n";
  }
  make_file(etc + "/passwd", passwd, 0644);
  make_file(etc + "/shadow", shadow, 0600);
}

void write_names(const std::string& etc, std::size_t nodes) {
  std::string hosts = "127.0.0.1 localhost\n::1 localhost ip6-localhost\n";
  const auto add = [&](std::size_t position, const std::string& name) {
    hosts +=
        fmt::format("{} {}\n{} {}\n", ip4_address(position), name, ip6_address(position), name);
  };
  for (std::size_t node = 1; node <= nodes; ++node) add(node, node_name(node));
  add(control_position, "control");
  make_file(etc + "/hosts", hosts, 0644);
  // No name servers, no foreign account services, and none of the host's rules about who may
  // connect.
  make_file(etc + "/resolv.conf", "", 0644);
  make_file(etc + "/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files\n",
            0644);
  make_file(etc + "/hosts.allow", "", 0644);
  make_file(etc + "/hosts.deny", "", 0644);
}

void write_ssh_server(const std::string& etc, const LabSpec& spec) {
  make_directory(etc + "/ssh", 0755);
  make_file(etc + "/ssh/lab_host_key", spec.host_key, 0600);
  make_file(etc + "/ssh/lab_authorized_keys", spec.authorized_key, 0644);
  // Curve25519 and nothing that asks the network make a login cheap; the limits are those of a test
  // harness.
  make_file(etc + "/ssh/sshd_config",
            "HostKey /etc/ssh/lab_host_key\n"
            "AuthorizedKeysFile /etc/ssh/lab_authorized_keys\n"
            "PermitRootLogin prohibit-password\n"
            "AuthenticationMethods publickey\n"
            "PasswordAuthentication no\n"
            "KbdInteractiveAuthentication no\n"
            "KexAlgorithms curve25519-sha256,curve25519-sha256@libssh.org\n"
            "UsePAM no\n"
            "UseDNS no\n"
            "StrictModes no\n"
            "PrintMotd no\n"
            "PrintLastLog no\n"
            "MaxStartups 200:30:400\n"
            "MaxSessions 200\n"
            "Subsystem sftp internal-sftp\n",
            0644);
}

}  // namespace

void write_layer(const LabSpec& spec, const std::string& base, const SystemDirectory& directory) {
  const std::string layer = base + "/layer" + directory.path;
  struct stat info {};
  must(stat(directory.path.c_str(), &info) == 0, "looking at {}", directory.path);
  make_directories(layer);
  make_directory_like(layer, info);
  if (directory.show == Show::public_files)
    LayerWriter(directory.show, 16).write(directory.path, layer);
  if (directory.show == Show::folders) LayerWriter(directory.show, 3).write(directory.path, layer);
  if (directory.path != "/etc") return;
  write_accounts(layer);
  write_names(layer, spec.options.nodes);
  write_ssh_server(layer, spec);
}

}  // namespace ordeal::clusters::lab
