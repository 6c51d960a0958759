#include "clusters/lab/supervisor.h"

#include <cerrno>
#include <map>

#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clusters/lab/ground.h"
#include "clusters/lab/groups.h"
#include "clusters/lab/netlink.h"
#include "clusters/lab/node_init.h"
#include "clusters/lab/state.h"

namespace ordeal::clusters::lab {
namespace {

using Nodes = std::map<pid_t, std::string>;

void write_log(const std::string& line) {
  const std::string text =
      fmt::format("{} {}\n", to_iso8601(std::chrono::system_clock::now()), line);
  while (write(STDERR_FILENO, text.data(), text.size()) < 0 && errno == EINTR) {
  }
}

// Nothing of the caller's stays: its terminal, files, signal handlers, keys, folder.
void stand_alone(const LabSpec& spec, const SupervisorFiles& files) {
  report_errors_to(files.channel);
  set_process_title("ordeal-lab " + spec.options.name);
  close_other_files({files.channel, files.owner, files.log});
  setsid();
  syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr);
  const File null(open("/dev/null", O_RDWR | O_CLOEXEC));
  dup2(null.fd(), STDIN_FILENO);
  dup2(null.fd(), STDOUT_FILENO);
  dup2(files.log, STDERR_FILENO);
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  signal(SIGHUP, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  umask(022);
}

// Waits for a node's next word; its error, or its silence, becomes ours.
void await_word(const Channel& node, std::size_t number, std::string_view word,
                const SupervisorFiles& files) {
  const auto said = receive_message(node.near.fd(), Deadline::after(node_patience), files.channel);
  if (said == word) return;
  const std::string name = node_name(number);
  if (said && said->starts_with(error_prefix)) {
    send_message(files.channel, fmt::format("{}node {}: {}", error_prefix, name,
                                            said->substr(error_prefix.size())));
  } else {
    send_message(files.channel, fmt::format("{}node {} did not come up", error_prefix, name));
  }
  _exit(1);
}

void make_control_network() {
  Netlink network;
  network.set_up("lo");
  network.add_bridge("br0");
  network.add_address("br0", ip4_address(control_position), ip4_prefix);
  network.set_up("br0");
  network.add_address("br0", ip6_address(control_position), ip6_prefix);
  must(sethostname("control", 7) == 0, "naming the control namespace");
}

Nodes make_nodes(const LabSpec& spec, const Ground& ground, std::vector<NodeGroups> groups,
                 const SupervisorFiles& files) {
  std::vector<Channel> channels;
  std::vector<pid_t> pids;
  for (std::size_t node = 1; node <= spec.options.nodes; ++node) {
    auto channel = Channel::make();
    must(channel.has_value(), "making a channel to {}", node_name(node));
    const pid_t pid = clone_process(node_clone_flags());
    must(pid >= 0, "making the process of {}", node_name(node));
    if (pid == 0) run_node(spec, ground, groups[node - 1], node, channel->far.fd());
    channel->far = File();
    channels.push_back(std::move(*channel));
    pids.push_back(pid);
  }
  Netlink network;
  for (std::size_t i = 0; i < pids.size(); ++i) {
    await_word(channels[i], i + 1, node_entered, files);
    if (ground.isolation != Isolation::few_capabilities)
      must(map_ids("/proc", pids[i], first_id(ground.isolation)), "mapping the users of {}",
           node_name(i + 1));
    network.add_cable(node_name(i + 1), "br0", "eth0", pids[i]);
    send_message(channels[i].near.fd(), node_go);
  }
  Nodes nodes;
  for (std::size_t i = 0; i < pids.size(); ++i) {
    await_word(channels[i], i + 1, node_ready, files);
    nodes[pids[i]] = node_name(i + 1);
  }
  return nodes;
}

void reap(const Nodes& nodes) {
  for (pid_t ended; (ended = waitpid(-1, nullptr, WNOHANG)) > 0;)
    if (const auto node = nodes.find(ended); node != nodes.end())
      write_log(node->second + " ended; the rest of the lab goes on without it");
}

// Returns why the lab ends.
std::string await_end(const Nodes& nodes, const SupervisorFiles& files) {
  sigset_t watched_signals;
  sigemptyset(&watched_signals);
  for (const int number : {SIGCHLD, SIGTERM, SIGINT}) sigaddset(&watched_signals, number);
  sigprocmask(SIG_BLOCK, &watched_signals, nullptr);
  const File signals(signalfd(-1, &watched_signals, SFD_CLOEXEC));
  must(bool(signals), "watching signals");
  for (;;) {
    reap(nodes);
    pollfd watched[] = {{signals.fd(), POLLIN, 0}, {files.owner, POLLIN, 0}};
    poll(watched, 2, -1);
    if (watched[1].revents != 0) return "its owner ended";
    signalfd_siginfo info{};
    if (watched[0].revents != 0 && read(signals.fd(), &info, sizeof info) == sizeof info &&
        info.ssi_signo != SIGCHLD)
      return fmt::format("signal {}", info.ssi_signo);
  }
}

void end_all() {
  kill(-1, SIGKILL);
  while (waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
  }
}

// Unless the directory belongs to another lab by now.
void remove_own_state(const std::string& name) {
  const auto lock = StateLock::take("/labs", Deadline::after(5s));
  const auto record = read_record("/labs", name);
  if (lock && (!record || record->started == start_time(getpid()))) remove_state("/labs", name);
}

}  // namespace

std::uint64_t supervisor_clone_flags() {
  return CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC;
}

void supervise(const LabSpec& spec, const SupervisorFiles& files) {
  stand_alone(spec, files);
  auto groups = make_groups(spec.token, spec.options.nodes);
  const Ground ground = prepare_ground(spec);
  give_groups(groups, first_id(ground.isolation));
  make_control_network();
  const Nodes nodes = make_nodes(spec, ground, std::move(groups), files);
  send_message(files.channel, fmt::format("{}{}", lab_ready, isolation_name(ground.isolation)));
  const bool kept = receive_message(files.channel, Deadline::after(10s)) == lab_keep;
  close(files.channel);
  write_log(kept ? fmt::format("up with {} nodes, isolation: {}", nodes.size(),
                               isolation_name(ground.isolation))
                 : "the caller went away");
  const std::string reason = kept ? await_end(nodes, files) : "its maker ended";
  write_log("ends: " + reason);
  end_all();
  remove_own_state(spec.options.name);
  _exit(0);
}

}  // namespace ordeal::clusters::lab
