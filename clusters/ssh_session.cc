#include "clusters/ssh_session.h"

#include <cstdlib>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <libssh/server.h>  // ssh_send_keepalive, which clients may use as well
#include <poll.h>

namespace ordeal::clusters {
namespace {

constexpr int step_ms = 20;
constexpr int goodbye_ms = 200;
constexpr unsigned default_port = 22;

struct FreeSession {
  void operator()(ssh_session session) const { ssh_free(session); }
};
using SessionPointer = std::unique_ptr<ssh_session_struct, FreeSession>;

struct FreeKey {
  void operator()(ssh_key key) const { ssh_key_free(key); }
};
using KeyPointer = std::unique_ptr<ssh_key_struct, FreeKey>;

// An option as the configuration left it; empty when unset.
std::string option(ssh_session session, ssh_options_e which) {
  char* text = nullptr;
  if (ssh_options_get(session, which, &text) != SSH_OK || text == nullptr) return {};
  std::string value = text;
  ssh_string_free_char(text);
  return value;
}

std::string fingerprint(ssh_session session) {
  ssh_key raw = nullptr;
  if (ssh_get_server_publickey(session, &raw) != SSH_OK) return "no key";
  const KeyPointer key(raw);
  unsigned char* hash = nullptr;
  std::size_t size = 0;
  if (ssh_get_publickey_hash(key.get(), SSH_PUBLICKEY_HASH_SHA256, &hash, &size) != SSH_OK)
    return "no key";
  char* text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, size);
  std::string shown = fmt::format("{} {}", ssh_key_type_to_char(ssh_key_type(key.get())), text);
  ssh_string_free_char(text);
  ssh_clean_pubkey_hash(&hash);
  return shown;
}

// The steps of opening one session, in order; each returns the whole error sentence but for the
// node's name.
class Opening {
 public:
  Opening(const Node& node, const Credentials& credentials, const Watch& watch)
      : node_(node), credentials_(credentials), watch_(watch), session_(ssh_new()) {}

  Result<void> configure();
  Result<Transport> connect();
  Result<void> shake_hands(Transport& transport);
  Result<void> check_host_key();
  Result<void> authenticate();
  ssh_session release() { return session_.release(); }

 private:
  ssh_session raw() const { return session_.get(); }
  std::string cause() const { return ssh_get_error(raw()); }
  // Repeats a non-blocking call until it has an answer.
  template <class Call>
  int finish(int again, Call call) {
    for (;;) {
      const int answer = call();
      if (answer != again || watch_.given_up()) return answer;
      const int pending = ssh_get_poll_flags(raw());
      wait_ready(ssh_get_fd(raw()), (pending & SSH_WRITE_PENDING) != 0 ? POLLIN | POLLOUT : POLLIN,
                 step_ms);
    }
  }
  // Each tries one way in and says in `tried_` how it went.
  int try_identity();
  int try_agent_and_default_keys();
  int try_password();
  int answer_questions();

  const Node& node_;
  const Credentials& credentials_;
  const Watch& watch_;
  SessionPointer session_;
  std::string host_, user_;  // after ~/.ssh/config
  std::uint16_t port_ = default_port;
  std::vector<std::string> tried_;
};

Result<void> Opening::configure() {
  if (raw() == nullptr) return error("libssh has no memory for a session");
  watch_.doing("reading the SSH configuration", "check ~/.ssh/config");
  const auto refused = [&](std::string_view what, std::string_view value) -> Result<void> {
    return error("{} \"{}\": {}", what, value, cause());
  };
  if (ssh_options_set(raw(), SSH_OPTIONS_HOST, node_.host.c_str()) != SSH_OK)
    return refused("host", node_.host);
  if (const char* home = std::getenv("HOME"); home != nullptr)
    ssh_options_set(raw(), SSH_OPTIONS_SSH_DIR, (std::string(home) + "/.ssh").c_str());
  if (ssh_options_parse_config(raw(), nullptr) != SSH_OK)
    return error("reading ~/.ssh/config and /etc/ssh/ssh_config: {}", cause());

  unsigned port = node_.port;
  if (port != 0) ssh_options_set(raw(), SSH_OPTIONS_PORT, &port);
  if (port == 0 && (ssh_options_get_port(raw(), &port) != SSH_OK || port == 0)) port = default_port;
  port_ = static_cast<std::uint16_t>(port);
  user_ = node_.user.empty() ? option(raw(), SSH_OPTIONS_USER) : node_.user;
  if (user_.empty()) user_ = "root";
  if (ssh_options_set(raw(), SSH_OPTIONS_USER, user_.c_str()) != SSH_OK)
    return refused("user", user_);
  host_ = option(raw(), SSH_OPTIONS_HOST);
  const int strict = 1;  // whatever StrictHostKeyChecking the configuration has
  ssh_options_set(raw(), SSH_OPTIONS_STRICTHOSTKEYCHECK, &strict);
  if (!node_.known_hosts.empty()) {
    ssh_options_set(raw(), SSH_OPTIONS_KNOWNHOSTS, node_.known_hosts.c_str());
    ssh_options_set(raw(), SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null");
  }
  return {};
}

Result<Transport> Opening::connect() {
  const std::string command = option(raw(), SSH_OPTIONS_PROXYCOMMAND);
  if (command.empty()) return Transport::tcp(host_, port_, watch_);
  watch_.doing(fmt::format("connecting to {} port {} through a proxy (ProxyJump or ProxyCommand)",
                           host_, port_),
               "check that the proxy is up");
  return Transport::proxy(expand_proxy_command(command, host_, port_, user_, node_.host));
}

Result<void> Opening::shake_hands(Transport& transport) {
  const std::string step = fmt::format("the SSH handshake with {} port {}{}", host_, port_,
                                       transport.is_proxy() ? " through its proxy" : "");
  const std::string advice = transport.is_proxy()
                                 ? fmt::format("check that this works by hand: ssh {}", node_.host)
                                 : "check that what listens there is an SSH server";
  watch_.doing(step, advice);
  const int fd = transport.release_socket();
  ssh_options_set(raw(), SSH_OPTIONS_FD, &fd);
  ssh_set_blocking(raw(), 0);
  const int answer = finish(SSH_AGAIN, [&] {
    const int now = ssh_connect(raw());
    // libssh makes the socket blocking once it is connected; a full socket buffer would then hang
    // us.
    if (now != SSH_ERROR) ::fcntl(fd, F_SETFL, O_NONBLOCK);
    return now;
  });
  if (answer != SSH_OK) return error("{}: {}{}; {}", step, cause(), transport.complaint(), advice);
  return {};
}

Result<void> Opening::check_host_key() {
  watch_.doing("checking the host key", "check the known hosts file");
  const ssh_known_hosts_e known = ssh_session_is_known_server(raw());
  if (known == SSH_KNOWN_HOSTS_OK) return {};
  const std::string file = option(raw(), SSH_OPTIONS_KNOWNHOSTS);
  const std::string entry = port_ == default_port ? host_ : fmt::format("[{}]:{}", host_, port_);
  const std::string learn = fmt::format("ssh-keyscan -p {} {} >> {}", port_, host_, file);
  const std::string key = fingerprint(raw());
  std::error_code ignored;
  switch (known) {
    case SSH_KNOWN_HOSTS_CHANGED:
      return error(
          "the host key ({}) is not the one that {} has for {}: somebody else may be answering, or "
          "the node was "
          "set up anew; if it was, remove the old key: ssh-keygen -f {} -R '{}'",
          key, file, entry, file, entry);
    case SSH_KNOWN_HOSTS_OTHER:
      return error(
          "the node shows a host key of another type ({}) than those that {} has for {}; if that "
          "is right, add "
          "it: {}",
          key, file, entry, learn);
    case SSH_KNOWN_HOSTS_NOT_FOUND:
    case SSH_KNOWN_HOSTS_UNKNOWN:
      return error(
          "the host key ({}) is unknown: {} {}; compare the key, then add it: {}", key, file,
          std::filesystem::exists(file, ignored) ? "has none for " + entry : "does not exist",
          learn);
    default:
      return error("checking the host key with {}: {}", file, cause());
  }
}

int Opening::try_identity() {
  ssh_key loaded = nullptr;
  const std::string file = node_.identity.string();
  const int answer = ssh_pki_import_privkey_file(file.c_str(), nullptr, nullptr, nullptr, &loaded);
  const KeyPointer key(loaded);
  if (answer == SSH_EOF) {
    tried_.push_back(fmt::format("the key {} (no such file, or not readable)", file));
    return SSH_AUTH_DENIED;
  }
  if (answer != SSH_OK) {
    tried_.push_back(
        fmt::format("the key {} (not usable as a private key; one with a passphrase must be in the "
                    "agent: ssh-add)",
                    file));
    return SSH_AUTH_DENIED;
  }
  tried_.push_back(fmt::format("the key {} (refused)", file));
  return finish(SSH_AUTH_AGAIN, [&] { return ssh_userauth_publickey(raw(), nullptr, key.get()); });
}

int Opening::try_agent_and_default_keys() {
  tried_.push_back(std::getenv("SSH_AUTH_SOCK") == nullptr ? "no agent (SSH_AUTH_SOCK is not set)"
                                                           : "the agent");
  tried_.push_back("the keys of ~/.ssh");
  return finish(SSH_AUTH_AGAIN,
                [&] { return ssh_userauth_publickey_auto(raw(), nullptr, nullptr); });
}

// Some servers take a password only as the answer to a question.
int Opening::answer_questions() {
  constexpr int most_tries = 5;
  int answer = SSH_AUTH_DENIED;
  for (int round = 0; round < most_tries; ++round) {
    answer = finish(SSH_AUTH_AGAIN, [&] { return ssh_userauth_kbdint(raw(), nullptr, nullptr); });
    if (answer != SSH_AUTH_INFO) return answer;
    const int questions = ssh_userauth_kbdint_getnprompts(raw());
    for (int i = 0; i < questions; ++i)
      ssh_userauth_kbdint_setanswer(raw(), static_cast<unsigned>(i),
                                    credentials_.password->c_str());
  }
  return answer;
}

int Opening::try_password() {
  const auto methods = static_cast<unsigned>(ssh_userauth_list(raw(), nullptr));
  if ((methods & (SSH_AUTH_METHOD_PASSWORD | SSH_AUTH_METHOD_INTERACTIVE)) == 0) {
    tried_.push_back("not the password (the node takes none)");
    return SSH_AUTH_DENIED;
  }
  tried_.push_back("the password (refused)");
  int answer = SSH_AUTH_DENIED;
  if ((methods & SSH_AUTH_METHOD_PASSWORD) != 0)
    answer = finish(SSH_AUTH_AGAIN, [&] {
      return ssh_userauth_password(raw(), nullptr, credentials_.password->c_str());
    });
  if (answer == SSH_AUTH_DENIED && (methods & SSH_AUTH_METHOD_INTERACTIVE) != 0)
    answer = answer_questions();
  return answer;
}

Result<void> Opening::authenticate() {
  const std::string step = fmt::format("authenticating as {}", user_);
  watch_.doing(step, "check the load of the node, and the agent");
  int answer = finish(SSH_AUTH_AGAIN, [&] { return ssh_userauth_none(raw(), nullptr); });
  const auto go_on = [&] { return answer == SSH_AUTH_DENIED || answer == SSH_AUTH_PARTIAL; };
  if (go_on() && !node_.identity.empty()) answer = try_identity();
  if (go_on()) answer = try_agent_and_default_keys();
  if (go_on() && credentials_.password) answer = try_password();
  if (answer == SSH_AUTH_SUCCESS) return {};
  if (answer == SSH_AUTH_ERROR && !ssh_is_connected(raw()))
    return error("{}: the node hung up: {}; tried so far: {}", step, cause(),
                 fmt::join(tried_, ", "));
  if (!credentials_.password) tried_.push_back("no password was given");
  return error(
      "{}: the node refuses; tried: {}; give the right key (identity), or add its public half to "
      "~{}/.ssh/authorized_keys on the node",
      step, fmt::join(tried_, ", "), user_);
}

}  // namespace

Result<std::unique_ptr<SshSession>> SshSession::open(const Node& node,
                                                     const Credentials& credentials,
                                                     const Watch& watch) {
  Opening opening(node, credentials, watch);
  const auto failed = [&](const Error& why) { return pass_on(why, node.name); };
  if (const auto done = opening.configure(); !done) return failed(done.error());
  Result<Transport> transport = opening.connect();
  if (!transport) return failed(transport.error());
  if (const auto done = opening.shake_hands(*transport); !done) return failed(done.error());
  if (const auto done = opening.check_host_key(); !done) return failed(done.error());
  if (const auto done = opening.authenticate(); !done) return failed(done.error());
  return std::make_unique<SshSession>(opening.release(), std::move(*transport));
}

SshSession::SshSession(ssh_session session, Transport transport)
    : session_(session), transport_(std::move(transport)) {
  ssh_set_counters(session_, &counter_, nullptr);
}

SshSession::~SshSession() {
  if (connected()) {
    ssh_blocking_flush(session_, goodbye_ms);
    ssh_disconnect(session_);
  }
  ssh_free(session_);
}

bool SshSession::connected() const {
  return ssh_is_connected(session_) != 0 &&
         (ssh_get_status(session_) & (SSH_CLOSED | SSH_CLOSED_ERROR)) == 0;
}

void SshSession::ask_sign_of_life() { (void)ssh_send_keepalive(session_); }

std::string SshSession::cause() { return ssh_get_error(session_) + transport_.complaint(); }

}  // namespace ordeal::clusters
