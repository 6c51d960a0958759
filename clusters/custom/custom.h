#pragma once
// A cluster of the user's own: one TOML file (definition.h) and a client program (client.h).

#include "clusters/cluster.h"

namespace ordeal::clusters::custom {

// The options' definition was checked by parse_definition().
[[nodiscard]] std::unique_ptr<Cluster> make_cluster(const std::vector<Remote*>& remotes,
                                                    const ClusterOptions& options);

}  // namespace ordeal::clusters::custom
