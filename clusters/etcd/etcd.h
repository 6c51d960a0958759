#pragma once
// etcd as a tested system: a static cluster of 1 to 7 nodes, each with everything of ours under one
// folder,
//   /var/lib/ordeal/etcd/etcd      link to the program that runs: the node's own or the uploaded
//   one /var/lib/ordeal/etcd/data      its data /var/lib/ordeal/etcd/etcd.log  what it says
// on etcd's usual ports. An etcd that is not ours is reported, never touched.

#include <memory>
#include <vector>

#include "clusters/cluster.h"

namespace ordeal::clusters::etcd {

[[nodiscard]] std::unique_ptr<Cluster> make_cluster(const std::vector<Remote*>& remotes,
                                                    const ClusterOptions& options);

}  // namespace ordeal::clusters::etcd
