#include "clusters/etcd/connection.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <grpc/support/time.h>

namespace ordeal::clusters::etcd {
namespace {

bool is_address(int family, const std::string& host) {
  unsigned char parsed[sizeof(in6_addr)];
  return ::inet_pton(family, host.c_str(), parsed) == 1;
}

// Literal addresses bypass the name resolver, which would throttle reconnecting.
std::string target(const std::string& host, std::uint16_t port) {
  if (is_address(AF_INET, host)) return fmt::format("ipv4:{}:{}", host, port);
  if (is_address(AF_INET6, host)) return fmt::format("ipv6:%5B{}%5D:{}", host, port);
  return fmt::format("dns:///{}:{}", host, port);
}

std::shared_ptr<grpc::Channel> open_channel(const std::string& target) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, 1000);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 300);
  // Misnamed: this is how long one attempt to connect may take.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

std::string host_and_port(const std::string& host, std::uint16_t port) {
  const bool bracket = host.find(':') != std::string::npos;
  return bracket ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

gpr_timespec grpc_deadline(Deadline deadline) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_nanos(deadline.left().count(), GPR_TIMESPAN));
}

Connection::Connection(const std::string& host, std::uint16_t port)
    : peer_(host_and_port(host, port)), channel_(open_channel(target(host, port))) {
  channel_->GetState(true);
}

// gRPC learns that a peer has gone only while somebody polls. An idle connection would thus still
// pass for a standing one after its server died, and the next request be lost in it, with an
// unknown outcome. One look that does not wait lets gRPC read what has arrived; it costs a few
// microseconds. Only luck depends on it.
void Connection::look() {
  void* tag = nullptr;
  bool ok = false;
  (void)poller_.AsyncNext(&tag, &ok, gpr_time_0(GPR_CLOCK_MONOTONIC));
}

bool Connection::await_connected(Deadline deadline) {
  look();
  return channel_->WaitForConnected(grpc_deadline(deadline));
}

}  // namespace ordeal::clusters::etcd
