#include "nemesis/disk.h"

#include <fmt/core.h>

#include "nemesis/keeper.h"
#include "nemesis/server.h"
#include "nemesis/targets.h"
#include "nemesis/turns.h"

namespace ordeal::nemesis {

namespace {

using clusters::shell_quote;

// The arguments of the task, from the parameters.
Result<std::string> harm_of(const FaultSpec& spec) {
  const std::string shape = text_of(spec, "shape").value_or("power-cut");
  const std::int64_t percent = integer_of(spec, "percent").value_or(100);
  const std::int64_t delay = integer_of(spec, "delay_ms").value_or(200);
  const std::string call = text_of(spec, "call").value_or("fsync");
  if (percent < 1 || percent > 100) return error("fault {}: \"percent\" must be 1 to 100", spec.id);
  if (delay < 1 || delay > 60'000)
    return error("fault {}: \"delay_ms\" must be 1 to 60000", spec.id);
  if (call != "fsync" && call != "write" && call != "read")
    return error("fault {}: \"call\" must be fsync, write or read", spec.id);
  if (shape == "torn") return "power-cut --keep-percent 50 --torn-percent 50";
  if (shape == "power-cut" || shape == "lying-fsync") return shape;
  if (shape == "eio") return fmt::format("eio --call {} --percent {}", call, percent);
  if (shape == "enospc" || shape == "read-corruption" || shape == "misdirected-write")
    return fmt::format("{} --percent {}", shape, percent);
  if (shape == "slow-fsync") return fmt::format("slow-fsync --delay-ms {}", delay);
  return error(
      "fault {}: the \"shape\" of a disk fault must be power-cut, torn, lying-fsync, eio, enospc, "
      "slow-fsync, read-corruption or misdirected-write",
      spec.id);
}

class Disk final : public Fault {
 public:
  std::string_view kind() const override { return "disk"; }
  std::string_view summary() const override {
    return "power cuts that lose what was not synced, torn writes, failing and slow calls, a full "
           "disk";
  }
  Drawing drawing() const override { return {"#999933", "D"}; }
  Touches touches() const override { return Touches::server; }

  Result<void> fits(const clusters::Cluster& cluster) const override {
    if (!cluster.data_directory(0).empty()) return {};
    return error("{} does not tell where its servers keep their data", cluster.name());
  }
  std::string probe(const Arena& arena, std::size_t) const override {
    return fmt::format("{} check-disk --directory {}", shell_quote(arena.program()),
                       shell_quote(arena.directory));
  }
  std::string sweep(const std::string& program) const override { return end_all_keepers(program); }

  FaultSpec draw(Rng& rng, std::size_t nodes) const override {
    FaultSpec spec;
    spec.kind = kind();
    spec.draw = rng.next();
    Rng own = Rng(spec.draw).fork("disk");
    static const std::vector<std::string> shapes = {"power-cut", "torn",   "power-cut",
                                                    "eio",       "enospc", "slow-fsync"};
    const std::string shape = own.pick(shapes);
    spec.parameters["shape"] = shape;
    if (shape == "eio") {
      static const std::vector<std::string> calls = {"fsync", "write"};
      spec.parameters["call"] = own.pick(calls);
      spec.parameters["percent"] = own.between(10, 100);  // fewer calls than that may come at all
    }
    if (shape == "slow-fsync") spec.parameters["delay_ms"] = own.between(20, 500);
    const bool ends_servers = shape == "eio" || shape == "enospc";
    spec.targets = draw_targets(own, ends_servers ? minority_targets() : usual_targets(), nodes);
    return spec;
  }

  Result<Injection> plan(const FaultSpec& spec, const Arena& arena) const override {
    const Result<std::string> harm = harm_of(spec);
    if (!harm) return pass_on(harm.error());
    return on_targets(spec, arena, ": " + text_of(spec, "shape").value_or("power-cut"),
                      [&](NodeAction& action) {
                        action = act(spec, arena, action.node, *harm);
                        return Result<void>();
                      });
  }

 private:
  static NodeAction act(const FaultSpec& spec, const Arena& arena, std::size_t node,
                        const std::string& harm) {
    const clusters::Cluster& cluster = *arena.cluster;
    const Keeper keeper{arena, spec.id};
    const std::string data = cluster.data_directory(node);
    const auto seed = static_cast<std::int64_t>(spec.draw >> 8U) + static_cast<std::int64_t>(node);
    NodeAction action;
    action.node = node;
    action.undo = fmt::format("(\n{}\n) || exit 1\n{}(\n{}\n)\n", cluster.kill_command(node),
                              keeper.end(), cluster.start_command(node));
    action.inject = need_server(arena, node) +
                    fmt::format("(\n{}\n) || exit 1\n", cluster.stop_command(node)) +
                    keeper.start(fmt::format("disk --data {} --harm {} --seed {}",
                                             shell_quote(data), harm, seed)) +
                    fmt::format("(\n{}\n)\n", cluster.start_command(node));
    // Power goes out everywhere at once: no server hears from another one what it has lost.
    action.before_undo = cluster.kill_command(node);
    action.effect = keeper.told();
    action.healed =
        keeper.prove_gone() +
        fmt::format("if grep -q {} /proc/mounts; then echo 'it is still mounted' >&2; exit 1; fi\n",
                    shell_quote(fmt::format(" {} fuse.ordeal ", data))) +
        prove_running(arena, node) + keeper.last_words();
    return action;
  }
};

}  // namespace

std::unique_ptr<Fault> make_disk() { return std::make_unique<Disk>(); }

}  // namespace ordeal::nemesis
