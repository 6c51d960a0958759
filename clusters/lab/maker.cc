#include "clusters/lab/maker.h"

#include <cerrno>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <libssh/libssh.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clusters/lab/groups.h"
#include "clusters/lab/supervisor.h"
#include "core/file.h"

namespace ordeal::clusters::lab {
namespace fs = std::filesystem;
namespace {

constexpr Nanoseconds up_patience = 30s;

// An ed25519 key pair: the private half goes into `file`, the public one is returned as SSH writes
// it.
Result<std::string> make_key(const fs::path& file) {
  ssh_key made = nullptr;
  if (ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &made) != SSH_OK)
    return error("libssh cannot make an ed25519 key");
  const std::unique_ptr<ssh_key_struct, void (*)(ssh_key)> key(made, ssh_key_free);
  char* encoded = nullptr;
  if (ssh_pki_export_pubkey_base64(key.get(), &encoded) != SSH_OK ||
      ssh_pki_export_privkey_file(key.get(), nullptr, nullptr, nullptr, file.c_str()) != SSH_OK) {
    ssh_string_free_char(encoded);
    return error("libssh cannot write the key {}", file.string());
  }
  std::string line = fmt::format("ssh-ed25519 {} ordeal-lab\n", encoded);
  ssh_string_free_char(encoded);
  if (chmod(file.c_str(), 0600) != 0)
    return error("setting the mode of {}: {}", file.string(), std::strerror(errno));
  return line;
}

// The files that a lab starts with; the record comes when it is up.
Result<LabSpec> prepare_state(const LabOptions& options) {
  LabSpec spec;
  spec.options = options;
  spec.state = labs_directory() / options.name;
  if (mkdir(spec.state.c_str(), 0700) != 0)
    return error("making {}: {}", spec.state.string(), std::strerror(errno));
  std::uint64_t token = 0;
  if (getentropy(&token, sizeof token) != 0)
    return error("drawing a token: {}", std::strerror(errno));
  spec.token = fmt::format("{:016x}", token);
  const auto user_key = make_key(spec.state / "key");
  if (!user_key) return pass_on(user_key.error());
  spec.authorized_key = *user_key;
  const auto host_key = make_key(spec.state / "host_key");
  if (!host_key) return pass_on(host_key.error());
  auto host_key_text = read_file(spec.state / "host_key");
  if (!host_key_text) return pass_on(host_key_text.error());
  spec.host_key = std::move(*host_key_text);
  std::string known_hosts;
  for (std::size_t node = 1; node <= options.nodes; ++node)
    known_hosts += fmt::format("{},{},{} {}", ip4_address(node), ip6_address(node), node_name(node),
                               *host_key);
  if (auto written = write_file(spec.state / "known_hosts", known_hosts); !written)
    return pass_on(written.error());
  return spec;
}

// Forks twice, so that the supervisor is nobody's child and of a process without threads.
Result<pid_t> start_supervisor(const LabSpec& spec, const SupervisorFiles& files) {
  auto channel = Channel::make();
  if (!channel) return pass_on(channel.error());
  const pid_t maker = fork();
  if (maker < 0) return error("making a process: {}", std::strerror(errno));
  if (maker == 0) {
    const pid_t supervisor = clone_process(supervisor_clone_flags());
    if (supervisor == 0) supervise(spec, files);
    send_message(channel->far.fd(), fmt::format("{} {}", supervisor, errno));
    _exit(0);
  }
  channel->far = File();
  const auto said = receive_message(channel->near.fd(), Deadline::after(up_patience));
  while (waitpid(maker, nullptr, 0) < 0 && errno == EINTR) {
  }
  int pid = -1, error_number = ECHILD;
  if (said) std::sscanf(said->c_str(), "%d %d", &pid, &error_number);
  if (pid < 0)
    return error(
        "making namespaces: {}; the kernel must allow mount, process, network, UTS and "
        "IPC namespaces here (in a container, run it privileged)",
        std::strerror(error_number));
  return pid;
}

// Waits until the lab is up; writes its record; then lets the supervisor go on alone.
Result<LabRecord> accept_lab(const LabSpec& spec, LabRecord record, int channel) {
  const auto said = receive_message(channel, Deadline::after(up_patience));
  if (!said) return error("its supervisor, process {}, did not come up", record.supervisor);
  if (!said->starts_with(lab_ready)) return error("{}", said->substr(error_prefix.size()));
  for (const auto isolation : {Isolation::own_capabilities, Isolation::few_capabilities})
    if (said->substr(lab_ready.size()) == isolation_name(isolation)) record.isolation = isolation;
  if (auto written = write_file(spec.state / "inventory.json", to_json_text(inventory_of(record)));
      !written)
    return pass_on(written.error());
  if (auto written = write_record(labs_directory(), record); !written)
    return pass_on(written.error());
  send_message(channel, lab_keep);
  return record;
}

Result<LabRecord> start(const LabSpec& spec, bool is_ephemeral) {
  auto channel = Channel::make();
  if (!channel) return pass_on(channel.error());
  const File log(
      open((spec.state / "log").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600));
  if (!log) return error("making {}/log: {}", spec.state.string(), std::strerror(errno));
  const File owner = is_ephemeral ? open_pidfd(getpid()) : File();
  LabRecord record;
  record.name = spec.options.name;
  record.token = spec.token;
  record.nodes = spec.options.nodes;
  record.owner = is_ephemeral ? getpid() : 0;
  record.since = to_iso8601(std::chrono::system_clock::now());
  const auto supervisor = start_supervisor(spec, {channel->far.fd(), owner.fd(), log.fd()});
  if (!supervisor) return pass_on(supervisor.error());
  channel->far = File();
  record.supervisor = *supervisor;
  record.started = start_time(*supervisor).value_or(0);
  auto accepted = accept_lab(spec, record, channel->near.fd());
  if (!accepted) (void)end_lab(record);
  return accepted;
}

}  // namespace

Result<LabRecord> make_lab(const LabOptions& options, bool is_ephemeral) {
  remove_groups({});
  const auto spec = prepare_state(options);
  if (!spec) return pass_on(spec.error());
  return start(*spec, is_ephemeral);
}

bool end_lab(const LabRecord& record) {
  const File pidfd = open_pidfd(record.supervisor);
  if (pidfd && record.alive()) {
    syscall(SYS_pidfd_send_signal, pidfd.fd(), SIGKILL, nullptr, 0);
    if (!await_exit(pidfd, Deadline::after(end_patience))) return false;
  }
  if (!record.token.empty()) remove_groups(record.token);
  return true;
}

}  // namespace ordeal::clusters::lab
