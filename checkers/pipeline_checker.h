#pragma once
// An event pipeline with one group of consumers: at least once, in order within a partition. Each
// key is a partition. O(n log n) in the events delivered.
//
// It relies on consumers that acknowledge only what they were given, and on events that are sent
// once each. Then, of a right pipeline:
//   nothing is delivered that was not sent before the delivery ended (or whose sending failed);
//   an offset names one event, an event has one offset, and a poll answers with offsets that
//   ascend; an event whose sending was over before that of another began has the smaller offset; an
//   event that was acknowledged as sent is delivered, once a later poll has got as far: it
//     reached the end of the partition, or an event that was sent after it. (Polls begin behind
//     what was acknowledged, and what was acknowledged had been delivered.)
//   what was acknowledged as processed is not delivered to a poll that begins later.

#include "checkers/check.h"
#include "core/history.h"
#include "core/verdict.h"

namespace ordeal::checkers {

[[nodiscard]] CheckReport check_pipeline(const History& history, const CheckOptions& options);

}  // namespace ordeal::checkers
