#include "core/json_fields.h"

namespace ordeal {

namespace {

Result<Recovery::PerNode> node_from_json(const Json& json) {
  Recovery::PerNode node;
  const auto read = Fields(json, "recovery of a node")
                        .required("node", node.node)
                        .optional("served_after_end_ns", node.served_after_end)
                        .status();
  if (!read) return pass_on(read.error());
  return node;
}

}  // namespace

Json to_json(const Recovery& recovery) {
  Json nodes = Json::array();
  for (const Recovery::PerNode& node : recovery.nodes) {
    nodes.push_back(
        {{"node", node.node}, {"served_after_end_ns", optional_ns(node.served_after_end)}});
  }
  return {{"fault", recovery.fault},
          {"served_after_begin_ns", optional_ns(recovery.served_after_begin)},
          {"served_after_end_ns", optional_ns(recovery.served_after_end)},
          {"longest_silence_ns", optional_ns(recovery.longest_silence)},
          {"leaderless_ns", recovery.leaderless.count()},
          {"terms", recovery.terms},
          {"nodes", std::move(nodes)}};
}

Result<Recovery> recovery_from_json(const Json& json) {
  Recovery recovery;
  const auto read = Fields(json, "recovery")
                        .required("fault", recovery.fault)
                        .optional("served_after_begin_ns", recovery.served_after_begin)
                        .optional("served_after_end_ns", recovery.served_after_end)
                        .optional("longest_silence_ns", recovery.longest_silence)
                        .required("leaderless_ns", recovery.leaderless)
                        .required("terms", recovery.terms)
                        .each("nodes", recovery.nodes, node_from_json)
                        .status();
  if (!read) return pass_on(read.error());
  return recovery;
}

Json to_json(const Replica& replica) {
  return {{"node", replica.node},         {"answers", replica.answers},
          {"error", replica.error},       {"term", replica.term},
          {"applied", replica.applied},   {"committed", replica.committed},
          {"revision", replica.revision}, {"hash", replica.hash}};
}

Result<Replica> replica_from_json(const Json& json) {
  Replica replica;
  const auto read = Fields(json, "replica")
                        .required("node", replica.node)
                        .required("answers", replica.answers)
                        .required("error", replica.error)
                        .required("term", replica.term)
                        .required("applied", replica.applied)
                        .required("committed", replica.committed)
                        .required("revision", replica.revision)
                        .required("hash", replica.hash)
                        .status();
  if (!read) return pass_on(read.error());
  return replica;
}

Json to_json(const ClockOffset& clock) {
  return {{"node", clock.node},
          {"ahead_ns", clock.ahead.count()},
          {"uncertainty_ns", clock.uncertainty.count()}};
}

Result<ClockOffset> clock_offset_from_json(const Json& json) {
  ClockOffset clock;
  const auto read = Fields(json, "clock")
                        .required("node", clock.node)
                        .required("ahead_ns", clock.ahead)
                        .required("uncertainty_ns", clock.uncertainty)
                        .status();
  if (!read) return pass_on(read.error());
  return clock;
}

Json to_json(const Reproduction& reproduction) {
  return {{"runs", reproduction.runs},
          {"seen", reproduction.seen},
          {"median_ns", optional_ns(reproduction.median)}};
}

Result<Reproduction> reproduction_from_json(const Json& json) {
  Reproduction reproduction;
  const auto read = Fields(json, "reproduction")
                        .required("runs", reproduction.runs)
                        .required("seen", reproduction.seen)
                        .optional("median_ns", reproduction.median)
                        .status();
  if (!read) return pass_on(read.error());
  return reproduction;
}

}  // namespace ordeal
