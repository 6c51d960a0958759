#include "nemesis/clock.h"

#include <fmt/core.h>

#include "nemesis/keeper.h"
#include "nemesis/server.h"
#include "nemesis/targets.h"
#include "nemesis/turns.h"

namespace ordeal::nemesis {

namespace {

using clusters::shell_quote;

// From a second to an hour, each order of magnitude as likely.
std::int64_t draw_offset_ms(Rng& rng) {
  std::int64_t most = 1000;
  for (std::uint64_t steps = rng.below(12); steps > 0; --steps) most *= 2;
  const std::int64_t offset = rng.between(most / 2, most);
  return rng.chance(0.5) ? offset : -offset;
}

struct Skew {
  std::string arguments, told;
  bool ends_with_restart = false;
};

Result<Skew> skew_of(const FaultSpec& spec) {
  const std::string shape = text_of(spec, "shape").value_or("jump");
  const std::int64_t offset = integer_of(spec, "offset_ms").value_or(60'000);
  const std::int64_t period = integer_of(spec, "period_ms").value_or(100);
  const std::int64_t ppm = integer_of(spec, "ppm").value_or(100'000);
  constexpr std::int64_t ten_years_ms = 315'360'000'000;
  if (offset < -ten_years_ms || offset > ten_years_ms)
    return error("fault {}: \"offset_ms\" must be within ten years", spec.id);
  if (shape == "jump")
    return Skew{fmt::format(" --realtime-ms {}", offset), fmt::format(" by {} ms", offset)};
  if (shape == "strobe") {
    if (period < 1) return error("fault {}: \"period_ms\" must be at least 1", spec.id);
    return Skew{fmt::format(" --realtime-ms {} --strobe-ms {}", offset, period),
                fmt::format(" by {} ms and back every {} ms", offset, period)};
  }
  if (shape == "drift") {
    if (ppm < -900'000 || ppm > 10'000'000)
      return error("fault {}: \"ppm\" must be -900000 to 10000000", spec.id);
    return Skew{fmt::format(" --drift-ppm {}", ppm), fmt::format(" running off by {} ppm", ppm),
                true};
  }
  if (shape == "monotonic") {
    if (offset < 0)
      return error("fault {}: \"offset_ms\" of a monotonic clock must not be negative", spec.id);
    return Skew{fmt::format(" --monotonic-ms {}", offset),
                fmt::format(", the monotonic one, ahead by {} ms", offset), true};
  }
  return error("fault {}: the \"shape\" of a clock fault must be jump, strobe, drift or monotonic",
               spec.id);
}

class Clock final : public Fault {
 public:
  std::string_view kind() const override { return "clock"; }
  std::string_view summary() const override {
    return "servers see a wrong time: it jumps, jumps to and fro, or runs fast or slow";
  }
  Drawing drawing() const override { return {"#009e73", "C"}; }
  Touches touches() const override { return Touches::server; }

  std::string probe(const Arena& arena, std::size_t) const override {
    return shell_quote(arena.program()) + " check-clock";
  }
  std::string sweep(const std::string& program) const override { return end_all_keepers(program); }

  FaultSpec draw(Rng& rng, std::size_t nodes) const override {
    FaultSpec spec = draw_fault(kind(), rng, nodes);
    Rng own = Rng(spec.draw).fork("clock");
    static const std::vector<std::string> shapes = {"jump", "strobe", "drift", "monotonic"};
    const std::string shape = own.pick(shapes);
    spec.parameters["shape"] = shape;
    const std::int64_t offset = draw_offset_ms(own);
    if (shape == "jump" || shape == "strobe") spec.parameters["offset_ms"] = offset;
    if (shape == "strobe") spec.parameters["period_ms"] = own.between(5, 500);
    if (shape == "drift")
      spec.parameters["ppm"] =
          (own.chance(0.3) ? -own.between(1, 50) : own.between(1, 100)) * 10'000;
    if (shape == "monotonic") spec.parameters["offset_ms"] = offset < 0 ? -offset : offset;
    return spec;
  }

  Result<Injection> plan(const FaultSpec& spec, const Arena& arena) const override {
    const Result<Skew> skew = skew_of(spec);
    if (!skew) return pass_on(skew.error());
    const Keeper keeper{arena, spec.id};
    return on_targets(spec, arena, skew->told, [&](NodeAction& action) {
      const std::size_t node = action.node;
      action.undo = keeper.end();
      if (skew->ends_with_restart)
        action.undo += fmt::format("(\n{}\n) && (\n{}\n)\n", arena.cluster->kill_command(node),
                                   arena.cluster->start_command(node));
      action.inject =
          need_server(arena, node) +
          keeper.start(fmt::format("clock --pid-command {}{}",
                                   shell_quote(arena.cluster->pid_command(node)), skew->arguments));
      action.effect = keeper.told();
      action.healed = keeper.prove_gone() + (skew->ends_with_restart
                                                 ? prove_running(arena, node)
                                                 : "echo 'its clock tells the time again'\n");
      return Result<void>();
    });
  }
};

}  // namespace

std::unique_ptr<Fault> make_clock() { return std::make_unique<Clock>(); }

}  // namespace ordeal::nemesis
