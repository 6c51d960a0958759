#pragma once
// An sshd of the test's own on a loopback port, with keys, accounts and processes of its own: it
// runs in a mount and process namespace, where root has a temporary home, /bin/sh, and "swordfish"
// for a password. Gone, with everything that it started, when the object or the test program goes.
// Needs root and Debian's sshd.

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clusters/remote.h"
#include "core/file.h"

namespace ordeal::clusters {

// A folder under /tmp that goes with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    char pattern[] = "/tmp/ordeal-ssh-XXXXXX";
    ORDEAL_CHECK(::mkdtemp(pattern) != nullptr, "no folder for a test");
    path_ = pattern;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string file(std::string_view name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

inline void put(const std::string& file, const std::string& content) {
  std::ofstream(file, std::ios::binary) << content;
}
inline std::string take(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// A program of this machine that ends, by SIGKILL, with the object.
class Program {
 public:
  explicit Program(std::vector<std::string> words) {
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    ORDEAL_CHECK(posix_spawnp(&pid_, arguments[0], &files, nullptr, arguments.data(), environ) == 0,
                 "a program that a test needs did not start");
    posix_spawn_file_actions_destroy(&files);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  // Its exit status.
  int wait() {
    int status = 0;
    ::waitpid(std::exchange(pid_, 0), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = 0;
};

inline void make_key(const std::string& file, const std::string& type = "ed25519") {
  Program keygen({"ssh-keygen", "-q", "-t", type, "-N", "", "-f", file});
  ORDEAL_CHECK(keygen.wait() == 0, "ssh-keygen failed");
}

// A listening socket on a free loopback port that accepts nobody; connections to it hang in their
// handshake.
class SilentPort {
 public:
  SilentPort() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    ORDEAL_CHECK(::bind(fd_, generic, size) == 0 && ::listen(fd_, 8) == 0,
                 "no loopback port for a test");
    ::getsockname(fd_, generic, &size);
    number_ = ntohs(address.sin_port);
  }
  SilentPort(const SilentPort&) = delete;
  SilentPort& operator=(const SilentPort&) = delete;
  ~SilentPort() { ::close(fd_); }
  [[nodiscard]] std::uint16_t number() const { return number_; }

 private:
  int fd_;
  std::uint16_t number_ = 0;
};

// True once something accepts connections there.
inline bool await_port(std::uint16_t port, Deadline deadline) {
  for (; !deadline.passed(); std::this_thread::sleep_for(5ms)) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool answers = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    if (answers) return true;
  }
  return false;
}

class PrivateSshd {
 public:
  // `configuration` goes in front of the rest of sshd_config: the first word on a setting wins.
  explicit PrivateSshd(const std::string& configuration = "") {
    make_key(folder.file("host_key"));
    make_key(folder.file("key"));
    std::filesystem::copy_file(folder.file("key.pub"), folder.file("authorized_keys"));
    std::filesystem::create_directory(folder.file("home"));
    put(folder.file("passwd"), "root:x:0:0:root:" + folder.file("home") +
                                   ":/bin/sh\nsshd:x:100:65534::/run/sshd:/usr/sbin/nologin\n");
    put(folder.file("shadow"),
        "root:$6$ordealtest$WvtEyoxTj9egJWN9J1AXJjAmNlSs5hAkIGQCRenaC1QGQrLd4IcXd7BZWdyN.mZN4/"
        "c6EDUsCSGqP8A/7/Kd91:19000:0:99999:7:::\nsshd:*:19000:0:99999:7:::\n");
    port = SilentPort()
               .number();  // free again; nobody else takes it in the next moment, or sshd says so
    put(folder.file("sshd_config"),
        configuration +
            fmt::format("\nListenAddress 127.0.0.1:{}\nHostKey {}\nAuthorizedKeysFile {}\n"
                        "StrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin yes\n",
                        port, folder.file("host_key"), folder.file("authorized_keys")));
    put(folder.file("known_hosts"),
        fmt::format("[127.0.0.1]:{} {}", port, take(folder.file("host_key.pub"))));
    start();
  }

  void start() {
    const std::string script = fmt::format(
        "mount -t proc proc /proc && mount -t tmpfs none /run && mkdir /run/sshd && "
        "mount -t tmpfs none /var/log && "
        "mount --bind {0}/passwd /etc/passwd && mount --bind {0}/shadow /etc/shadow && "
        "exec /usr/sbin/sshd -D -f {0}/sshd_config -E {0}/log",
        folder.file("."));
    program.emplace(std::vector<std::string>{"setpriv", "--pdeathsig", "KILL", "unshare", "--mount",
                                             "--pid", "--fork", "--kill-child", "sh", "-c",
                                             script});
    ORDEAL_CHECK(await_port(port, Deadline::after(30s)),
                 "the test's sshd does not answer: " + take(folder.file("log")));
  }
  void stop() {
    program.reset();
    std::this_thread::sleep_for(20ms);
  }

  [[nodiscard]] Node node() const {
    Node node;
    node.name = "n1";
    node.host = "127.0.0.1";
    node.port = port;
    node.user = "root";
    node.identity = folder.file("key");
    node.known_hosts = folder.file("known_hosts");
    return node;
  }

  // Sends a signal to the sshd processes that serve a connection, by process id.
  void signal_sessions(int signal) const {
    for (const pid_t listener : children(program->pid()))
      for (const pid_t session : children(listener)) ::kill(session, signal);
  }

  TemporaryFolder folder;
  std::uint16_t port = 0;
  std::optional<Program> program;

 private:
  static std::vector<pid_t> children(pid_t parent) {
    std::vector<pid_t> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      const std::string status = take(entry.path().string() + "/status");
      const auto at = status.find("\nPPid:\t");
      if (at != std::string::npos && std::atoi(status.c_str() + at + 7) == parent)
        found.push_back(std::atoi(entry.path().filename().c_str()));
    }
    return found;
  }
};

// Sets an environment variable for the lifetime of the object. Only while no other thread runs.
class Environment {
 public:
  Environment(std::string name, const std::string& value) : name_(std::move(name)) {
    if (const char* old = std::getenv(name_.c_str())) old_ = old;
    ::setenv(name_.c_str(), value.c_str(), 1);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() { old_ ? ::setenv(name_.c_str(), old_->c_str(), 1) : ::unsetenv(name_.c_str()); }

 private:
  std::string name_;
  std::optional<std::string> old_;
};

}  // namespace ordeal::clusters
