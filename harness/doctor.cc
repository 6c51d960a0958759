#include <array>

#include <fmt/core.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "harness/commands.h"
#include "harness/nodes.h"
#include "nemesis/fault.h"
#include "nemesis/node_program.h"

namespace ordeal::harness {

namespace {

// What a lab needs on this machine, and the Debian package that has it.
struct Program {
  const char* path;
  const char* package;
};
constexpr std::array<Program, 6> lab_programs = {{{"/usr/sbin/sshd", "openssh-server"},
                                                  {"/usr/bin/ssh", "openssh-client"},
                                                  {"/usr/bin/ssh-keygen", "openssh-client"},
                                                  {"/usr/sbin/iptables-restore", "iptables"},
                                                  {"/usr/sbin/ip6tables-restore", "iptables"},
                                                  {"/usr/bin/etcd", "etcd-server"}}};
constexpr std::uint64_t disk_wanted = std::uint64_t{1} << 30U;

class Examination {
 public:
  void say(bool good, const std::string& what, const std::string& remedy) {
    fmt::print("{}  {}{}\n", good ? "ok     " : "missing", what, good ? "" : ": " + remedy);
    whole_ = whole_ && good;
  }
  // What one can do without.
  void tell(bool good, const std::string& what, const std::string& why) const {
    fmt::print("{}  {}{}\n", good ? "ok     " : "without", what, good ? "" : ": " + why);
  }
  [[nodiscard]] bool whole() const { return whole_; }

 private:
  bool whole_ = true;
};

void examine_machine(Examination& examination) {
  examination.say(::geteuid() == 0, "root, to make a lab",
                  "run as root, or name nodes by --node or --inventory");
  for (const Program& program : lab_programs) {
    examination.say(::access(program.path, X_OK) == 0, program.path,
                    fmt::format("apt-get install {}", program.package));
  }
  for (const char* space : {"net", "pid", "mnt", "uts", "ipc", "user"}) {
    examination.say(::access(fmt::format("/proc/self/ns/{}", space).c_str(), F_OK) == 0,
                    fmt::format("{} namespaces", space), "this kernel has none; a lab needs them");
  }
  struct statvfs disk {};
  const bool known = ::statvfs(".", &disk) == 0;
  const std::uint64_t free = known ? std::uint64_t{disk.f_bavail} * disk.f_frsize : 0;
  examination.say(free >= disk_wanted, fmt::format("{} MiB free here, for runs/", free >> 20U),
                  "a run leaves histories and logs; free some space");
}

// Some questions are asked by the program for nodes, in a folder that is gone afterwards.
void examine_node(clusters::Remote& remote, Examination& examination) {
  nemesis::Arena arena;
  arena.directory = "/var/lib/ordeal/doctor";
  const auto pushed = remote.upload(nemesis::node_program(), arena.program(), 0755, 60s);
  examination.say(pushed.has_value(), fmt::format("{} takes a program", remote.node().name),
                  pushed ? "" : pushed.error().message);
  for (const auto& fault : nemesis::faults()) {
    if (fault->by_name_only()) continue;  // whether a node can take it depends on the system
    clusters::Command probe;
    probe.shell = fault->probe(arena, 0);
    const auto answer = remote.run(probe);
    const bool able = answer && answer->ok();
    const std::string why =
        !answer ? answer.error().message : answer->err.substr(0, answer->err.find('\n'));
    examination.tell(able,
                     fmt::format("{} {} take the fault {}", remote.node().name,
                                 able ? "can" : "cannot", fault->kind()),
                     why);
  }
  clusters::Command tidy;
  tidy.shell = "rm -rf " + clusters::shell_quote(arena.directory);
  (void)remote.run(tidy);
}

}  // namespace

int doctor_command(const NodeFlags& flags) {
  Examination examination;
  if (!flags.names_any()) {
    examine_machine(examination);
    return examination.whole() ? 0 : exit_code(Verdict::broken);
  }
  const auto source = node_source(flags);
  if (!source) return usage_error(source.error());
  const auto credentials = credentials_of(flags);
  if (!credentials) return usage_error(credentials.error());
  const auto nodes = reach(*source);
  if (!nodes) return broken(nodes.error());
  for (const clusters::Node& node : nodes->inventory.nodes) {
    const auto remote = clusters::connect(node, *credentials, 10s);
    examination.say(remote.has_value(),
                    fmt::format("{} answers over SSH ({})", node.name, node.host),
                    remote ? "" : remote.error().message);
    if (remote) examine_node(**remote, examination);
  }
  return examination.whole() ? 0 : exit_code(Verdict::broken);
}

}  // namespace ordeal::harness
