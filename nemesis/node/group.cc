// Control groups of ours: a server is moved into one, with all of its processes, to be frozen or to
// be given less of the machine, and is moved back to where it was. A group is named
// ordeal-<directory of ours, hashed>-<fault>, right below where its hierarchy is mounted, and is
// removed with the fault. The unified hierarchy (version 2) is used where it has what is needed,
// else, for the processor and for memory, one of version 1.

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "nemesis/node/child.h"
#include "nemesis/node/tasks.h"

namespace ordeal::node {

namespace {

constexpr int most_rounds = 100;  // over processes that are born while others are moved
constexpr int slice_ms = 10;
constexpr long long patience_ms = 3000;

struct Hierarchy {
  std::string mount;
  bool is_unified = false;
};

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// One write(2), as the kernel wants it.
bool write_text(const std::string& path, const std::string& text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const ssize_t written = ::write(fd, text.data(), text.size());
  const int trouble = errno;
  ::close(fd);
  errno = trouble;
  return written == static_cast<ssize_t>(text.size());
}

bool has_word(const std::string& list, const std::string& word, char separator) {
  std::istringstream words(list);
  for (std::string each; std::getline(words, each, separator);) {
    if (!each.empty() && each.back() == '\n') each.pop_back();
    if (each == word) return true;
  }
  return false;
}

// Where groups for that controller can be made ("freeze" needs none of them); no mount: nowhere.
Hierarchy hierarchy_for(const std::string& controller) {
  Hierarchy old;
  std::ifstream mounts("/proc/self/mounts");
  std::string device, at, type, options, rest;
  while (mounts >> device >> at >> type >> options && std::getline(mounts, rest)) {
    const bool is_free = controller == "freeze";
    if (type == "cgroup2" &&
        (is_free || has_word(read_text(at + "/cgroup.subtree_control"), controller, ' ')))
      return {at, true};
    const bool is_usable = controller == "cpu" || controller == "memory";
    if (type == "cgroup" && is_usable && has_word(options, controller, ',')) old.mount = at;
  }
  return old;
}

// Fowler, Noll and Vo (1a): two of our directories on one machine do not share groups.
std::string prefix_of(const std::string& directory) {
  unsigned hash = 0x811c9dc5;
  for (const char c : directory) hash = (hash ^ static_cast<unsigned char>(c)) * 0x01000193;
  char text[32];
  std::snprintf(text, sizeof text, "ordeal-%08x-", hash);
  return text;
}

struct Found {
  std::string path;   // of the group
  std::string mount;  // of its hierarchy
  std::string name;   // of the fault
  bool is_unified = false;
};

// The groups of ours that there are.
std::vector<Found> groups_of(const std::string& directory) {
  const std::string prefix = prefix_of(directory);
  std::vector<Found> found;
  std::ifstream mounts("/proc/self/mounts");
  std::string device, at, type, rest;
  while (mounts >> device >> at >> type && std::getline(mounts, rest)) {
    if (type != "cgroup2" && type != "cgroup") continue;
    DIR* open = ::opendir(at.c_str());
    if (open == nullptr) continue;
    while (const dirent* entry = ::readdir(open)) {
      const std::string name = entry->d_name;
      if (name.compare(0, prefix.size(), prefix) == 0)
        found.push_back({at + "/" + name, at, name.substr(prefix.size()), type == "cgroup2"});
    }
    ::closedir(open);
  }
  return found;
}

struct Process {
  int parent = 0, group = 0, session = 0;
};

std::map<int, Process> all_processes() {
  std::map<int, Process> all;
  DIR* open = ::opendir("/proc");
  if (open == nullptr) return all;
  while (const dirent* entry = ::readdir(open)) {
    const int pid = std::atoi(entry->d_name);
    if (pid <= 0) continue;
    const std::string stat = read_text("/proc/" + std::to_string(pid) + "/stat");
    const std::size_t end = stat.rfind(')');
    Process process;
    char state = 'X';
    if (end == std::string::npos ||
        std::sscanf(stat.c_str() + end + 1, " %c %d %d %d", &state, &process.parent, &process.group,
                    &process.session) != 4)
      continue;
    if (state != 'Z' && state != 'X') all[pid] = process;
  }
  ::closedir(open);
  return all;
}

// The server, its descendants, and those of the session or process group that it leads. Never
// this process, nor its ancestors: the guard and sshd.
std::set<int> processes_of(int server) {
  const std::map<int, Process> all = all_processes();
  std::set<int> ours;
  for (const auto& [pid, process] : all) {
    if (pid == server || process.session == server || process.group == server) ours.insert(pid);
  }
  for (bool grew = true; grew;) {
    grew = false;
    for (const auto& [pid, process] : all) {
      if (ours.count(process.parent) != 0) grew = ours.insert(pid).second || grew;
    }
  }
  for (int pid = ::getpid(); pid > 1 && all.count(pid) != 0; pid = all.at(pid).parent)
    ours.erase(pid);
  return ours;
}

// Where a process is in the hierarchy with that controller, below its mount.
std::string place_of(int pid, const std::string& controller, bool is_unified) {
  std::istringstream lines(read_text("/proc/" + std::to_string(pid) + "/cgroup"));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (is_unified ? line.compare(0, 3, "0::") == 0 : has_word(controllers, controller, ','))
      return line.substr(second + 1);
  }
  return "/";
}

std::string homes_file(const std::string& directory, const std::string& name) {
  return directory + "/keep/" + name + ".homes";
}

std::vector<int> members_of(const std::string& group) {
  std::vector<int> members;
  std::ifstream file(group + "/cgroup.procs");
  for (int pid = 0; file >> pid;) members.push_back(pid);
  return members;
}

// Moves all processes of the server, and notes first where each was.
bool move_in(const Found& group, const std::string& controller, const std::string& homes,
             int server, std::string& trouble) {
  std::ofstream notes(homes, std::ios::app);
  bool has_any = false;  // what is in it may be killed at once
  for (int round = 0; round < most_rounds; ++round) {
    const std::vector<int> inside = members_of(group.path);
    std::set<int> outside = processes_of(server);
    for (const int pid : inside) outside.erase(pid);
    has_any = has_any || !inside.empty();
    if (outside.empty()) return has_any;
    for (const int pid : outside) {
      notes << pid << ' ' << place_of(pid, controller, group.is_unified) << std::endl;
      if (write_text(group.path + "/cgroup.procs", std::to_string(pid))) {
        has_any = true;
        continue;
      }
      if (errno == ESRCH) continue;  // it has ended meanwhile
      trouble = "process " + std::to_string(pid) + " cannot be moved into " + group.path + ": " +
                std::strerror(errno);
      return false;
    }
  }
  trouble = "the server makes processes faster than they can be moved";
  return false;
}

// Back to where it was, or, when that is gone, to what is nearest above it.
void move_out(int pid, const std::string& mount, std::string place) {
  for (;;) {
    if (write_text(mount + place + "/cgroup.procs", std::to_string(pid)) || errno == ESRCH) return;
    const std::size_t parent = place.rfind('/');
    if (place.empty() || parent == std::string::npos) return;
    place.erase(parent);
  }
}

bool release_group(const std::string& directory, const Found& group) {
  if (group.is_unified) write_text(group.path + "/cgroup.freeze", "0");
  std::map<int, std::string> homes;
  std::string first = "/";
  std::ifstream notes(homes_file(directory, group.name));
  int noted = 0;
  for (std::string place; notes >> noted >> place;) {
    if (homes.empty()) first = place;
    homes[noted] = place;
  }
  const long long give_up = now_ms() + patience_ms;
  while (::rmdir(group.path.c_str()) != 0 && errno != ENOENT) {
    if (now_ms() >= give_up) return false;
    for (const int pid : members_of(group.path)) {
      const auto home = homes.find(pid);
      move_out(pid, group.mount, home == homes.end() ? first : home->second);
    }
    ::poll(nullptr, 0, slice_ms);
  }
  return true;
}

// What is wanted of a group: one of these.
struct Harm {
  std::string controller;  // or "freeze"
  long long amount = 0;
};

Harm harm_of(const Arguments& arguments) {
  for (const char* name : {"freeze", "cpu", "memory", "io"}) {
    if (arguments.has(name)) return {name, arguments.integer(name)};
  }
  return {};
}

// "MAJOR:MINOR" of the whole disk that a folder is on; empty when it is on none.
std::string disk_of(const std::string& folder) {
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0) return {};
  const std::string id =
      std::to_string(major(info.st_dev)) + ":" + std::to_string(minor(info.st_dev));
  const std::string device = "/sys/dev/block/" + id;
  if (::access(device.c_str(), F_OK) != 0) return {};
  if (::access((device + "/partition").c_str(), F_OK) != 0) return id;
  std::string whole = read_text(device + "/../dev");
  if (!whole.empty() && whole.back() == '\n') whole.pop_back();
  return whole;
}

bool apply(const Found& group, const Harm& harm, const Arguments& arguments) {
  const auto put = [&](const std::string& file, const std::string& text) {
    return write_text(group.path + "/" + file, text);
  };
  if (harm.controller == "freeze") return put("cgroup.freeze", "1");
  if (harm.controller == "cpu") {
    // A millisecond at a time, the least there is: so also short bursts of work are cut.
    const std::string period = std::to_string(100'000 / harm.amount);
    if (group.is_unified) return put("cpu.max", "1000 " + period);
    return put("cpu.cfs_period_us", period) && put("cpu.cfs_quota_us", "1000");
  }
  if (harm.controller == "memory") {
    const std::string bytes = std::to_string(harm.amount * 1024);
    if (!group.is_unified) return put("memory.limit_in_bytes", bytes);
    put("memory.swap.max", "0");  // where there is swap
    put("memory.oom.group", "1");
    return put("memory.max", bytes);
  }
  const std::string rate = std::to_string(harm.amount * 1024);
  return put("io.max", disk_of(arguments.text("data")) + " rbps=" + rate + " wbps=" + rate);
}

// The number behind a word of a file of the group.
long long count_in(const Found& group, const std::string& file, const std::string& word) {
  std::istringstream words(read_text(group.path + "/" + file));
  for (std::string each; words >> each;) {
    long long count = 0;
    if (each == word && words >> count) return count;
    if (each.compare(0, word.size() + 1, word + "=") == 0)
      return std::strtoll(each.c_str() + word.size() + 1, nullptr, 10);
  }
  return 0;
}

// What shows that it works; empty: nothing yet.
std::string effect_of(const Found& group, const std::string& controller) {
  const std::size_t members = members_of(group.path).size();
  if (controller == "freeze") {
    if (count_in(group, "cgroup.events", "frozen") == 0) return {};
    return "frozen: " + std::to_string(members) + (members == 1 ? " process" : " processes");
  }
  if (controller == "cpu") {
    const long long times = count_in(group, "cpu.stat", "nr_throttled");
    return times == 0 ? "" : "made to wait for the processor " + std::to_string(times) + " times";
  }
  if (controller == "memory") {
    const long long kills =
        count_in(group, group.is_unified ? "memory.events" : "memory.oom_control", "oom_kill");
    return kills == 0 ? "" : "killed by the kernel, as it ran out of memory";
  }
  const long long bytes =
      count_in(group, "io.stat", "wbytes") + count_in(group, "io.stat", "rbytes");
  return bytes == 0 ? "" : std::to_string(bytes) + " bytes went through the limit";
}

int complain(const std::string& trouble) {
  std::fprintf(stderr, "%s\n", trouble.c_str());
  return 1;
}

std::string refusal(const Harm& harm, const Arguments& arguments) {
  if (harm.controller.empty()) return "nothing is asked of a control group";
  if (harm.controller == "cpu" && (harm.amount < 1 || harm.amount > 99))
    return "a share of the processor is 1 to 99 percent";
  if (harm.controller == "io" && disk_of(arguments.text("data")).empty())
    return arguments.text("data") +
           " is not on a disk (but on a tmpfs, an overlay or the "
           "like), so that there is nothing to throttle";
  if (!hierarchy_for(harm.controller).mount.empty()) return {};
  if (harm.controller == "freeze")
    return "no cgroup file system of version 2 is mounted here, which is what freezes";
  return "no cgroup file system here lets groups limit " + harm.controller;
}

}  // namespace

int confine(const Arguments& arguments) {
  const Harm harm = harm_of(arguments);
  const std::string directory = arguments.text("directory");
  if (const std::string why = refusal(harm, arguments); !why.empty()) return complain(why);
  if (release(arguments) != 0) return 1;  // injected twice
  const Hierarchy in = hierarchy_for(harm.controller);
  const std::string name = arguments.text("name");
  const Found group{in.mount + "/" + prefix_of(directory) + name, in.mount, name, in.is_unified};
  if (::mkdir(group.path.c_str(), 0755) != 0)
    return complain(group.path + " cannot be made: " + std::strerror(errno));
  ::mkdir((directory + "/keep").c_str(), 0755);
  std::string trouble = "the server is gone";
  const int server = static_cast<int>(arguments.integer("pid"));
  // First what holds in it: a frozen process makes no further one while the others are moved.
  if (!apply(group, harm, arguments)) {
    trouble = harm.controller + " cannot be limited in " + group.path + ": " + std::strerror(errno);
  } else if (move_in(group, harm.controller, homes_file(directory, name), server, trouble)) {
    return 0;
  }
  release_group(directory, group);
  return complain(trouble);
}

int tell_of_group(const Arguments& arguments) {
  for (const Found& group : groups_of(arguments.text("directory"))) {
    if (group.name != arguments.text("name")) continue;
    const std::string effect = effect_of(group, harm_of(arguments).controller);
    if (effect.empty()) return complain("no effect yet");
    std::printf("%s\n", effect.c_str());
    return 0;
  }
  return complain("there is no such group");
}

int release(const Arguments& arguments) {
  const std::string directory = arguments.text("directory"), name = arguments.text("name");
  int status = 0;
  for (const Found& group : groups_of(directory)) {
    const bool is_meant = name.empty() || group.name == name;
    if (is_meant && !release_group(directory, group))
      status = complain(group.path + " cannot be removed: " + std::strerror(errno));
  }
  if (status == 0 && !name.empty()) ::unlink(homes_file(directory, name).c_str());
  return status;
}

int is_released(const Arguments& arguments) {
  for (const Found& group : groups_of(arguments.text("directory"))) {
    if (group.name == arguments.text("name")) return complain(group.path + " is still there");
  }
  return 0;
}

// By making a group: where that is forbidden, the mount alone says nothing.
int check_group(const Arguments& arguments) {
  const Harm harm = harm_of(arguments);
  if (const std::string why = refusal(harm, arguments); !why.empty()) return complain(why);
  const std::string group =
      hierarchy_for(harm.controller).mount + "/" + prefix_of(arguments.text("directory")) + "check";
  if (::mkdir(group.c_str(), 0755) != 0 && errno != EEXIST)
    return complain("no control group can be made here: " + std::string(std::strerror(errno)));
  ::rmdir(group.c_str());
  return 0;
}

}  // namespace ordeal::node
