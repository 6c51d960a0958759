#pragma once
// Cuts the network between nodes: each receiving node drops what comes from certain others, by
// rules in a chain of our own in iptables and ip6tables. Other rules are not touched, and our own
// SSH is let through first.

#include <memory>

#include "nemesis/fault.h"

namespace ordeal::nemesis {

[[nodiscard]] std::unique_ptr<Fault> make_partition();

}  // namespace ordeal::nemesis
