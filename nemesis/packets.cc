#include "nemesis/packets.h"

#include <set>

#include <fmt/core.h>

#include "nemesis/keeper.h"
#include "nemesis/rules.h"
#include "nemesis/targets.h"
#include "nemesis/turns.h"

namespace ordeal::nemesis {

namespace {

using clusters::shell_quote;

constexpr int first_queue = 48'000, queue_count = 800;  // ours; one a fault
constexpr int sent_again_mark = 0x4f72;                 // as in node/tasks.h

// The arguments of the task, from the parameters.
Result<std::string> harm_of(const FaultSpec& spec) {
  const std::string shape = text_of(spec, "shape").value_or("delay");
  const std::int64_t percent = integer_of(spec, "percent").value_or(20);
  const std::int64_t delay = integer_of(spec, "delay_ms").value_or(100);
  const std::int64_t jitter = integer_of(spec, "jitter_ms").value_or(0);
  const std::int64_t kbit = integer_of(spec, "kbit").value_or(1000);
  if (percent < 1 || percent > 100) return error("fault {}: \"percent\" must be 1 to 100", spec.id);
  if (delay < 1 || delay > 60'000 || jitter < 0 || jitter > 60'000)
    return error("fault {}: \"delay_ms\" must be 1 to 60000 and \"jitter_ms\" 0 to 60000", spec.id);
  if (kbit < 8) return error("fault {}: \"kbit\" must be at least 8", spec.id);
  if (shape == "delay") return fmt::format("--delay-ms {} --jitter-ms {}", delay, jitter);
  if (shape == "loss") return fmt::format("--loss-percent {}", percent);
  if (shape == "duplicate") return fmt::format("--duplicate-percent {}", percent);
  if (shape == "reorder") return fmt::format("--delay-ms {} --reorder-percent {}", delay, percent);
  if (shape == "corrupt") return fmt::format("--corrupt-percent {}", percent);
  if (shape == "rate") return fmt::format("--rate-kbit {}", kbit);
  if (shape == "clog") return "--clog 1";
  return error(
      "fault {}: the \"shape\" of a packet fault must be delay, loss, duplicate, reorder, corrupt, "
      "rate or clog",
      spec.id);
}

// The senders whose packets are harmed on their way to a node: all, or those named with `from`.
Result<std::set<std::size_t>> senders(const FaultSpec& spec, const Arena& arena, std::size_t to) {
  const std::string from = text_of(spec, "from").value_or("");
  std::set<std::size_t> sources;
  if (from.empty()) {
    for (std::size_t node = 0; node < arena.nodes.size(); ++node) sources.insert(node);
  } else {
    FaultSpec names = spec;
    names.targets = from;
    const Result<Targets> resolved = resolve_targets(names, arena);
    if (!resolved) return pass_on(resolved.error(), "\"from\"");
    sources.insert(resolved->nodes.begin(), resolved->nodes.end());
  }
  sources.erase(to);
  // Until it is known who leads, a role stands for any node, the sender as well: no mistake yet.
  if (sources.empty() && (arena.leader || spec.targets == arena.nodes[to])) {
    return error("fault {}: {} gets no packets of the cluster from itself", spec.id,
                 arena.nodes[to]);
  }
  return sources;
}

class Packets final : public Fault {
 public:
  std::string_view kind() const override { return "packets"; }
  std::string_view summary() const override {
    return "packets are late, lost, doubled, out of order or corrupt, the line is slow, or it is "
           "clogged";
  }
  Drawing drawing() const override { return {"#56b4e9", "N"}; }
  std::size_t least_nodes() const override { return 2; }
  Touches touches() const override { return Touches::network; }

  std::string probe(const Arena& arena, std::size_t) const override {
    return probe_rules(behind_others, "NFQUEUE --queue-num 48899 --queue-bypass") +
           shell_quote(arena.program()) + " check-packets";
  }
  std::string sweep(const std::string& program) const override {
    return fmt::format("(\n{}) && {}", sweep_rules(), end_all_keepers(program));
  }

  FaultSpec draw(Rng& rng, std::size_t nodes) const override {
    FaultSpec spec = draw_fault(kind(), rng, nodes);
    Rng own = Rng(spec.draw).fork("packets");
    static const std::vector<std::string> shapes = {"delay",   "delay",   "loss", "duplicate",
                                                    "reorder", "corrupt", "rate", "clog"};
    const std::string shape = own.pick(shapes);
    spec.parameters["shape"] = shape;
    if (shape == "delay" || shape == "reorder") spec.parameters["delay_ms"] = own.between(5, 400);
    if (shape == "delay") spec.parameters["jitter_ms"] = own.between(0, 50);
    if (shape == "loss" || shape == "duplicate" || shape == "reorder" || shape == "corrupt")
      spec.parameters["percent"] = own.between(1, 40);
    if (shape == "rate") spec.parameters["kbit"] = own.between(50, 2000);
    return spec;
  }

  Result<Injection> plan(const FaultSpec& spec, const Arena& arena) const override {
    const Result<std::string> harm = harm_of(spec);
    if (!harm) return pass_on(harm.error());
    const int queue = first_queue + spec.id % queue_count;
    const std::vector<Harmed> harmed = {
        {fmt::format("-m mark ! --mark {}", sent_again_mark),
         fmt::format("NFQUEUE --queue-num {} --queue-bypass", queue)}};
    const Keeper keeper{arena, spec.id};
    const std::string from = text_of(spec, "from").value_or("");
    const std::string told =
        (from.empty() ? "" : " from " + from) + ": " + text_of(spec, "shape").value_or("delay");
    auto injection = on_targets(spec, arena, told, [&](NodeAction& action) -> Result<void> {
      const std::size_t node = action.node;
      const Result<std::set<std::size_t>> sources = senders(spec, arena, node);
      if (!sources) return pass_on(sources.error());
      if (sources->empty()) {  // in a run: nobody is harmed instead of somebody who was not named
        action.undo = action.healed = "true\n";
        action.effect = "false\n";
        action.inject = "echo 'nobody knows who leads, and it may be the sender' >&2\nexit 1\n";
        return {};
      }
      const auto commands = chain_commands(spec, arena, node, *sources, behind_others, harmed);
      if (!commands) return pass_on(commands.error());
      // No rule leads to a queue that nobody holds, neither at the begin nor at the end.
      action.inject = keeper.start(fmt::format("packets --queue {} {} --seed {}", queue, *harm,
                                               (spec.draw >> 8U) + node)) +
                      commands->inject;
      action.undo = commands->undo + keeper.end() + "exit $status\n";
      action.effect = keeper.told();
      action.healed =
          commands->gone + keeper.prove_gone() + "echo 'no rule of this fault is left'\n";
      return {};
    });
    if (injection) injection->resolved.insert(0, "to ");
    return injection;
  }
};

}  // namespace

std::unique_ptr<Fault> make_packets() { return std::make_unique<Packets>(); }

}  // namespace ordeal::nemesis
