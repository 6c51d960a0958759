#pragma once
// An authenticated SSH session with one node: configuration, connection, host key, user. Everything
// is done in libssh's non-blocking mode, so that opening can be given up at any moment and nothing
// later ever blocks.
//
// Threads: one at a time; libssh allows no more.

#include <cstdint>
#include <memory>
#include <string>

#include <libssh/libssh.h>

#include "clusters/remote.h"
#include "clusters/ssh_transport.h"

namespace ordeal::clusters {

class SshSession {
 public:
  // Errors name the node, the step, the cause and what to do.
  [[nodiscard]] static Result<std::unique_ptr<SshSession>> open(const Node& node,
                                                                const Credentials& credentials,
                                                                const Watch& watch);
  SshSession(ssh_session session, Transport transport);
  SshSession(const SshSession&) = delete;
  SshSession& operator=(const SshSession&) = delete;
  ~SshSession();  // says goodbye to the node; its channels must have been freed

  [[nodiscard]] ssh_session handle() const { return session_; }
  [[nodiscard]] bool connected() const;
  [[nodiscard]] std::uint64_t bytes_received() const { return counter_.in_bytes; }
  // Asks the node for a sign of life, which shows in bytes_received().
  void ask_sign_of_life();
  // Why the last call failed, or the connection was lost.
  [[nodiscard]] std::string cause();

 private:
  ssh_session session_;
  Transport transport_;
  ssh_counter_struct counter_{};
};

}  // namespace ordeal::clusters
