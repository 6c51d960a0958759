#include "clusters/lab/node_init.h"

#include <cerrno>
#include <cstdlib>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clusters/lab/netlink.h"
#include "clusters/lab/node_root.h"
#include "clusters/lab/process.h"

namespace ordeal::clusters::lab {
namespace {

void enter_namespaces(Isolation isolation) {
  int flags = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP;
  if (isolation != Isolation::few_capabilities) flags |= CLONE_NEWUSER;
  must(unshare(flags) == 0, "entering the namespaces of a node");
}

void become_root() {
  must(setgroups(0, nullptr) == 0, "leaving the groups of the host");
  must(setresgid(0, 0, 0) == 0 && setresuid(0, 0, 0) == 0, "becoming root of the node");
}

void set_up_network(std::size_t node) {
  Netlink network;
  network.set_up("lo");
  network.set_up("eth0");
  network.add_address("eth0", ip4_address(node), ip4_prefix);
  network.add_address("eth0", ip6_address(node), ip6_prefix);
}

// Keeps what administering a node needs. With users of its own, a node's root has power over
// nothing else; without, it must not mount, open files by handle, or raise limits.
void drop_capabilities(Isolation isolation) {
  std::uint64_t kept = 0;
  for (const int capability :
       {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_KILL, CAP_SETGID, CAP_SETUID,
        CAP_SETPCAP, CAP_NET_BIND_SERVICE, CAP_NET_BROADCAST, CAP_NET_ADMIN, CAP_NET_RAW,
        CAP_SYS_CHROOT, CAP_SETFCAP, CAP_AUDIT_WRITE})
    kept |= std::uint64_t{1} << capability;
  if (isolation != Isolation::few_capabilities) kept |= std::uint64_t{1} << CAP_SYS_PTRACE;
  if (isolation == Isolation::own_users)
    for (const int capability : {CAP_SYS_ADMIN, CAP_DAC_READ_SEARCH, CAP_IPC_LOCK, CAP_IPC_OWNER,
                                 CAP_SYS_RESOURCE, CAP_SYS_NICE, CAP_LEASE})
      kept |= std::uint64_t{1} << capability;
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; ++capability)
    if ((kept >> capability & 1) == 0)
      must(prctl(PR_CAPBSET_DROP, capability) == 0, "dropping capability {}", capability);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct now[2] = {};
  must(syscall(SYS_capget, &header, now) == 0, "reading capabilities");
  for (int half = 0; half < 2; ++half) {
    now[half].permitted &= static_cast<std::uint32_t>(kept >> (32 * half));
    now[half].effective = now[half].permitted;
    now[half].inheritable = 0;
  }
  must(syscall(SYS_capset, &header, now) == 0, "dropping capabilities");
}

// A user namespace inside the node would give back what was dropped, under the host's user ids.
void forbid_user_namespaces(Isolation isolation) {
  if (isolation != Isolation::own_capabilities) return;
  const File limit(open("/proc/sys/user/max_user_namespaces", O_WRONLY | O_CLOEXEC));
  must(bool(limit) && write(limit.fd(), "0", 1) == 1, "forbidding user namespaces");
}

pid_t start_sshd() {
  const pid_t pid = fork();
  if (pid != 0) return pid;
  setsid();
  signal(SIGHUP, SIG_DFL);  // what is ignored would stay so in all that sshd starts
  signal(SIGPIPE, SIG_DFL);
  mkdir("/run/sshd", 0755);
  execl("/usr/sbin/sshd", "/usr/sbin/sshd", "-D", "-E", "/var/log/sshd.log", nullptr);
  _exit(127);
}

bool answers_ssh() {
  const File client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(22);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return connect(client.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

void await_sshd(pid_t sshd) {
  const Deadline deadline = Deadline::after(node_patience);
  while (!answers_ssh()) {
    errno = ECHILD;
    must(waitpid(sshd, nullptr, WNOHANG) == 0, "starting sshd, which ended at once");
    errno = ETIMEDOUT;
    must(!deadline.passed(), "waiting for sshd");
    std::this_thread::sleep_for(1ms);
  }
}

void stand_alone(const LabSpec& spec, std::size_t node, int channel) {
  report_errors_to(channel);
  // This process holds a copy of the caller's memory and a way to the host's program file; its node
  // is not to look.
  prctl(PR_SET_DUMPABLE, 0);
  set_process_title(fmt::format("ordeal-lab {} {}", spec.options.name, node_name(node)));
  close_other_files({channel});
  setsid();
  setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
  setenv("HOME", "/root", 1);
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
}

}  // namespace

std::uint64_t node_clone_flags() { return CLONE_NEWNS | CLONE_NEWPID; }

void run_node(const LabSpec& spec, const Ground& ground, NodeGroups& groups, std::size_t node,
              int channel) {
  join_groups(groups);
  stand_alone(spec, node, channel);
  enter_node_root(spec, ground, node);
  const File null(open("/dev/null", O_RDWR | O_CLOEXEC));
  for (int fd = 0; fd < 3; ++fd) must(dup2(null.fd(), fd) == fd, "opening /dev/null");
  enter_namespaces(ground.isolation);
  send_message(channel, node_entered);
  if (receive_message(channel, Deadline::after(node_patience)) != node_go) _exit(1);
  become_root();
  set_up_network(node);
  must(sethostname(node_name(node).c_str(), node_name(node).size()) == 0, "naming a node");
  // The /sys below is that of the supervisor's network; this one shows eth0.
  must(mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, nullptr) == 0,
       "mounting /sys");
  show_groups(groups);
  forbid_user_namespaces(ground.isolation);
  drop_capabilities(ground.isolation);

  pid_t sshd = start_sshd();
  must(sshd > 0, "starting sshd");
  await_sshd(sshd);
  send_message(channel, node_ready);
  close(channel);
  for (;;) {
    const pid_t ended = waitpid(-1, nullptr, 0);
    if (ended > 0 && sshd > 0 && ended != sshd) continue;
    std::this_thread::sleep_for(100ms);  // not a busy loop, whatever keeps it from running
    sshd = start_sshd();
  }
}

}  // namespace ordeal::clusters::lab
