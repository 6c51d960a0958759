#include "clusters/lab/groups.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clusters/lab/spec.h"
#include "core/time.h"

namespace ordeal::clusters::lab {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view prefix = "ordeal-lab-";
constexpr const char* shown_at = "/sys/fs/cgroup";
constexpr auto young = 20s;           // longer than a lab takes to come up
constexpr const char* leaf = "node";  // where a node's processes live, so that groups can be beside

struct Hierarchy {
  std::string mount;
  bool is_unified = false;
  std::string controllers;
};

// The controllers that are mounted together with this one, as mount(2) wants them.
std::string mounted_with(const std::string& controller) {
  std::ifstream lines("/proc/self/cgroup");
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string list = line.substr(first + 1, second - first - 1);
    if (("," + list + ",").find("," + controller + ",") != std::string::npos) return list;
  }
  return {};
}

std::vector<Hierarchy> hierarchies() {
  const std::string processor = mounted_with("cpu");
  std::vector<Hierarchy> found;
  bool has_unified = false, has_processor = processor.empty();
  std::ifstream mounts("/proc/self/mounts");
  std::string device, at, type, options, rest;
  while (mounts >> device >> at >> type >> options && std::getline(mounts, rest)) {
    if (type == "cgroup2" && !has_unified) {
      has_unified = true;
      found.push_back({at, true, {}});
    }
    if (type == "cgroup" && !has_processor &&
        ("," + options + ",").find(",cpu,") != std::string::npos) {
      has_processor = true;
      found.push_back({at, false, processor});
    }
  }
  return found;
}

bool write_to(int directory, const char* file, std::string_view text) {
  const File open(openat(directory, file, O_WRONLY | O_CLOEXEC));
  return open && write(open.fd(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

// Every controller that the group has is for the groups below it, too.
void share_controllers() {
  std::ifstream list(std::string(shown_at) + "/cgroup.controllers");
  for (std::string controller; list >> controller;) {
    const File file(
        open((std::string(shown_at) + "/cgroup.subtree_control").c_str(), O_WRONLY | O_CLOEXEC));
    const std::string wish = "+" + controller;
    [[maybe_unused]] const bool given = file && write(file.fd(), wish.data(), wish.size()) > 0;
  }
}

// What a node has made below goes first. The kernel keeps a group that has a process in it.
void remove_tree(const fs::path& top) {
  std::vector<fs::path> all = {top};
  std::error_code failed;
  for (const auto& entry : fs::recursive_directory_iterator(top, failed)) {
    if (entry.is_directory(failed)) all.push_back(entry.path());
  }
  std::sort(all.rbegin(), all.rend());
  for (const fs::path& group : all) (void)rmdir(group.c_str());
}

}  // namespace

std::vector<NodeGroups> make_groups(const std::string& token, std::size_t nodes) {
  std::vector<NodeGroups> all(nodes);
  for (const Hierarchy& hierarchy : hierarchies()) {
    for (std::size_t i = 0; i < nodes; ++i) {
      const std::string path =
          fmt::format("{}/{}{}-{}", hierarchy.mount, prefix, token, node_name(i + 1));
      (void)mkdir(path.c_str(), 0755);
      File directory(open(path.c_str(), O_DIRECTORY | O_RDONLY | O_CLOEXEC));
      if (directory)
        all[i].push_back({std::move(directory), hierarchy.is_unified, hierarchy.controllers});
    }
  }
  return all;
}

void give_groups(const std::vector<NodeGroups>& all, unsigned id) {
  for (const NodeGroups& groups : all) {
    for (const NodeGroup& group : groups) {
      const int directory = group.directory.fd();
      (void)!fchown(directory, id, id);
      for (const char* file : {"cgroup.procs", "cgroup.threads", "cgroup.subtree_control", "tasks"})
        (void)!fchownat(directory, file, id, id, 0);
    }
  }
}

void join_groups(NodeGroups& groups) {
  std::erase_if(groups, [](const NodeGroup& group) {
    return !write_to(group.directory.fd(), "cgroup.procs", "0");
  });
}

void show_groups(const NodeGroups& groups) {
  constexpr unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  const std::string top = shown_at;
  for (const NodeGroup& group : groups) {
    if (!group.is_unified) continue;
    if (mount("cgroup2", shown_at, "cgroup2", flags, nullptr) != 0) return;
    (void)mkdir((top + "/" + leaf).c_str(), 0755);
    const File here(open((top + "/" + leaf + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
    if (here && write(here.fd(), "0", 1) == 1) share_controllers();
  }
  for (const NodeGroup& group : groups) {
    if (group.is_unified) continue;
    // Beside the other: what is mounted above would hide it.
    const std::string at = "/run/cgroup-" + group.controllers;
    (void)mkdir(at.c_str(), 0755);
    if (mount("cgroup", at.c_str(), "cgroup", flags, group.controllers.c_str()) != 0)
      (void)rmdir(at.c_str());
  }
}

void remove_groups(const std::string& token) {
  const std::string wanted = std::string(prefix) + token;
  for (const Hierarchy& hierarchy : hierarchies()) {
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(hierarchy.mount, failed)) {
      if (!entry.path().filename().string().starts_with(wanted)) continue;
      struct stat info {};
      const bool is_young = stat(entry.path().c_str(), &info) == 0 &&
                            std::chrono::system_clock::now() <
                                std::chrono::system_clock::from_time_t(info.st_ctime) + young;
      if (token.empty() && is_young) continue;
      remove_tree(entry.path());
    }
  }
}

}  // namespace ordeal::clusters::lab
