#include "harness/announcer.h"

#include <algorithm>

#include <fmt/format.h>

namespace ordeal::harness {

void Announcer::fault(const FaultRecord& record) {
  const std::lock_guard lock(mutex_);
  const auto spec = std::find_if(plan_.begin(), plan_.end(),
                                 [&](const FaultSpec& fault) { return fault.id == record.fault; });
  const std::string kind = spec == plan_.end() ? "fault" : spec->kind;
  switch (record.step) {
    case FaultStep::inject:
      on_[record.fault] = {kind, record.detail, {}};
      break;
    case FaultStep::injected:
      if (spec == plan_.end()) break;
      on_[record.fault].until = record.at + spec->duration;
      live_.event(kind, fmt::format("{}, for {}", on_[record.fault].hit, to_text(spec->duration)));
      break;
    case FaultStep::heal:
      live_.event(kind, "is being undone");
      if (on_.erase(record.fault) > 0) ++done_[kind];
      break;
    case FaultStep::skipped:
      live_.event(kind, "is left out: " + record.detail);
      break;
    case FaultStep::failed:
      live_.event(kind, record.node.empty() ? record.detail
                                            : fmt::format("{}: {}", record.node, record.detail));
      break;
    case FaultStep::undo:
    case FaultStep::effect:
    case FaultStep::healed:
      break;
  }
}

void Announcer::node(const NodeSample& sample) {
  const std::lock_guard lock(mutex_);
  if (!sample.answers || sample.leader != sample.node || sample.node == leader_) return;
  live_.event("leader", leader_.empty()
                            ? fmt::format("{} in term {}", sample.node, sample.term)
                            : fmt::format("{} -> {}, term {}", leader_, sample.node, sample.term));
  leader_ = sample.node;
}

void Announcer::tell_faults(Nanoseconds now, LiveState& state) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, fault] : on_) {
    const bool timed = fault.until > now;
    state.faults_on.push_back(
        fault.kind + " " + fault.hit +
        (timed ? fmt::format(", {:.0f} s left",
                             static_cast<double>((fault.until - now).count()) / 1e9)
               : ""));
  }
  for (const auto& [kind, count] : done_)
    state.faults_done += fmt::format("{}{} {}", state.faults_done.empty() ? "" : ", ", kind, count);
}

}  // namespace ordeal::harness
