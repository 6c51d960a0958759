#pragma once
// Which directed links a partition cuts: pure, without addresses or commands.
//
// The majority ring is Jepsen's idea (every node sees a majority, no two the same one), but
// symmetric for every number of nodes: TCP over a link that is cut one way is dead both ways, and
// Jepsen's ring of windows cuts one way wherever a majority is an even number.

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/fault.h"
#include "core/random.h"
#include "core/result.h"

namespace ordeal::nemesis {

struct Links {
  std::string resolved;                        // for people: "n1 n2 | n3 n4 n5"
  std::vector<std::set<std::size_t>> deaf_to;  // by receiving node: those it does not hear
};

// Shape and direction with what is left to chance, drawn.
[[nodiscard]] FaultSpec draw_links(Rng& rng, std::size_t nodes);

// Whether resolve_links() knows it; what else a partition may be of are targets.
[[nodiscard]] bool is_shape(std::string_view text);
// These nodes from the others; `one_way` is as below.
[[nodiscard]] Result<Links> cut_apart(const FaultSpec& spec, const std::vector<std::string>& nodes,
                                      const std::vector<std::size_t>& apart);

// Resolves a drawn shape. Parameters: `shape` is halves, one, majority-ring, bridge, leader,
// leader-minority (the leader with as many as still are a minority) or random (directed links);
// `one_way` is absent, "mute" (the part named first, the smaller one, is not heard) or "deaf" (it
// hears nothing).
[[nodiscard]] Result<Links> resolve_links(const FaultSpec& spec,
                                          const std::vector<std::string>& nodes,
                                          std::optional<std::size_t> leader);

}  // namespace ordeal::nemesis
