#include "nemesis/turns.h"

#include <algorithm>

namespace ordeal::nemesis {

namespace {

constexpr std::int64_t least_period_ms = 100;  // a command over SSH and its proof take tens
constexpr std::size_t most_turns = 200;

}  // namespace

std::optional<std::int64_t> integer_of(const FaultSpec& spec, const std::string& name) {
  const auto found = spec.parameters.find(name);
  if (found == spec.parameters.end()) return std::nullopt;
  const std::int64_t* integer = found->second.as_integer();
  return integer == nullptr ? std::nullopt : std::optional(*integer);
}

std::optional<std::string> text_of(const FaultSpec& spec, const std::string& name) {
  const auto found = spec.parameters.find(name);
  if (found == spec.parameters.end()) return std::nullopt;
  const std::string* text = found->second.as_string();
  return text == nullptr ? std::nullopt : std::optional(*text);
}

std::vector<Turn> turns_of(const FaultSpec& spec, const Injection& injection) {
  const std::string mode = text_of(spec, "mode").value_or("");
  std::vector<Turn> turns;
  if (mode == "rolling") {
    const auto share = spec.duration / std::max<std::size_t>(injection.actions.size(), 1);
    for (const NodeAction& action : injection.actions) turns.push_back({{action}, share, {}});
  } else if (mode == "flapping") {
    const Nanoseconds on = std::chrono::milliseconds(
        std::max(integer_of(spec, "period_ms").value_or(1000), least_period_ms));
    for (Nanoseconds at{}; at < spec.duration && turns.size() < most_turns; at += 2 * on)
      turns.push_back({injection.actions, std::min(on, spec.duration - at), on});
    if (!turns.empty()) turns.back().off = {};
  }
  if (turns.empty()) turns.push_back({injection.actions, spec.duration, {}});
  return turns;
}

Result<void> check_mode(const FaultSpec& spec, const Fault& fault) {
  const auto found = spec.parameters.find("mode");
  if (found == spec.parameters.end()) return {};
  const std::string mode = text_of(spec, "mode").value_or("?");
  if (mode == "flapping" && fault.can_flap()) {
    if (integer_of(spec, "period_ms").value_or(1000) >= least_period_ms) return {};
    return error("fault {}: \"period_ms\" must be at least {}", spec.id, least_period_ms);
  }
  if (mode == "rolling" && fault.can_roll()) return {};
  return error("fault {}: \"mode\" of a {} fault must be left out{}{}", spec.id, spec.kind,
               fault.can_flap() ? ", or be flapping" : "",
               fault.can_roll() ? ", or be rolling" : "");
}

void draw_mode(FaultSpec& spec, const Fault& fault, Rng& rng) {
  const std::uint64_t ticket = rng.below(100);
  const std::int64_t period = rng.between(2, 8) * 100;
  if (fault.can_flap() && ticket < 10) {
    spec.parameters["mode"] = "flapping";
    spec.parameters["period_ms"] = period;
  } else if (fault.can_roll() && ticket >= 10 && ticket < 20) {
    spec.parameters["mode"] = "rolling";
    spec.targets = "all";
  }
}

}  // namespace ordeal::nemesis
