#pragma once
// A gRPC channel of its own to one etcd server: nothing is shared with other channels, nothing is
// ever sent twice, and a server that comes back is found again within a few hundred milliseconds.
//
// The settings answer to traps of gRPC's C core: channels to one address share a TCP connection
// unless told otherwise; retries are on by default; a proxy named in the environment would be used;
// and a connection only makes progress while somebody polls it, so that callers who fail fast may
// never see it come up. Every call therefore first waits, polling, until the connection stands.
// Threads: any, unless said otherwise.

#include <cstdint>
#include <memory>
#include <string>

#include <grpcpp/grpcpp.h>

#include "core/time.h"

namespace ordeal::clusters::etcd {

class Connection {
 public:
  // Starts to connect and returns at once. The host is a name or a literal address of either
  // family.
  Connection(const std::string& host, std::uint16_t port);

  // True once connected; false when that did not come about by the deadline. Nothing was sent then.
  [[nodiscard]] bool await_connected(Deadline deadline);

  [[nodiscard]] const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  [[nodiscard]] const std::string& peer() const { return peer_; }  // "10.0.0.1:2379"

 private:
  void look();

  std::string peer_;
  std::shared_ptr<grpc::Channel> channel_;
  grpc::CompletionQueue poller_;  // never holds an event
};

// "10.0.0.1:2379", "[fd00::1]:2379".
[[nodiscard]] std::string host_and_port(const std::string& host, std::uint16_t port);

// The deadline on gRPC's monotonic clock, untouched by steps of the wall clock.
[[nodiscard]] gpr_timespec grpc_deadline(Deadline deadline);

}  // namespace ordeal::clusters::etcd
