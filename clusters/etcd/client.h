#pragma once
// The etcd client: read, write and cas on a key through one connection to one node.
//   read   Range, linearizable unless asked for serializable
//   write  Put
//   cas    Txn: if VALUE == expected (CREATE == 0 when nil is expected) then Put
//   watch  Range, to learn how far the key has come, then Watch on a stream until that far
// A request is sent at most once. Threads: one at a time.

#include <cstdint>
#include <memory>
#include <string>

#include "clusters/cluster.h"

namespace ordeal::clusters::etcd {

inline constexpr std::uint16_t client_port = 2379;

struct ClientOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = client_port;
  bool serializable_reads = false;
};

[[nodiscard]] std::unique_ptr<Client> make_client(const ClientOptions& options);

}  // namespace ordeal::clusters::etcd
