#pragma once
// What the harness asks a node of etcd about itself and for, on a connection that no client uses.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "clusters/etcd/connection.h"
#include "clusters/etcd/etcd.grpc.pb.h"
#include "core/result.h"
#include "core/time.h"

namespace ordeal::clusters::etcd {

inline constexpr std::uint16_t peer_port = 2380;

struct Monitor {
  explicit Monitor(const std::string& host);

  Connection connection;
  std::unique_ptr<etcdserverpb::KV::Stub> kv;
  std::unique_ptr<etcdserverpb::Maintenance::Stub> maintenance;
  std::unique_ptr<etcdserverpb::Cluster::Stub> cluster;
};

// One node as the administrator of the cluster names it.
struct MemberName {
  std::string name, peer_url;
};

// The names that administer() knows.
[[nodiscard]] std::vector<std::string> admin_actions();
// Starts the server of the node as one that joins; `is_empty`: ends it and wipes its data first.
using StartMember = std::function<Result<void>(bool is_empty)>;

// Does one of admin_actions() to the node at that position: compact, defragment, snapshot,
// transfer-leader (to that node, or away from it when it leads), remove-member, add-member,
// add-learner, replace-member. Other nodes are asked where the node itself may not answer. Says
// what was done.
[[nodiscard]] Result<std::string> administer(std::string_view action, std::size_t node,
                                             const std::vector<std::unique_ptr<Monitor>>& monitors,
                                             const std::vector<MemberName>& members,
                                             const StartMember& start, Deadline deadline);

}  // namespace ordeal::clusters::etcd
