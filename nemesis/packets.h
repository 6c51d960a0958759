#pragma once
// Faults of single packets on their way from some nodes to some others: they are handed to a
// program on the receiving node (NFQUEUE, node/packets.cc), by a rule that lets them pass when that
// is gone. No queueing discipline of a network card is touched, so that there is nothing to put
// back.
//
// Parameters: `shape` is delay (`delay_ms`, `jitter_ms`), loss, duplicate, reorder or corrupt
// (`percent`), rate (`kbit` a second) or clog (all is held, and let go at the end). The targets are
// the nodes that receive; what all others send them is harmed, or only what the nodes send that
// `from` names (by names or a rule, as targets are): one directed link, for instance.

#include <memory>

#include "nemesis/fault.h"

namespace ordeal::nemesis {

[[nodiscard]] std::unique_ptr<Fault> make_packets();

}  // namespace ordeal::nemesis
