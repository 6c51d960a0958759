#include "nemesis/crash.h"

#include <fmt/core.h>

#include "nemesis/rules.h"
#include "nemesis/server.h"

namespace ordeal::nemesis {

namespace {

class Crash final : public ServerFault {
 public:
  std::string_view kind() const override { return "crash"; }
  std::string_view summary() const override {
    return "takes whole nodes off, as without power: nothing answers, no connection is closed";
  }
  Drawing drawing() const override { return {"#332288", "X"}; }
  Touches touches() const override { return Touches::everything; }
  std::string probe(const Arena&, std::size_t) const override {
    return probe_rules(before_others, "DROP");
  }

 protected:
  Result<void> act(const FaultSpec& spec, const Arena& arena, NodeAction& action) const override {
    if (arena.addresses[action.node].empty())
      return error("no address of {} is known, so it cannot be cut off", arena.nodes[action.node]);
    const ChainCommands rules = isolation_commands(spec, arena, action.node);
    action.undo = fmt::format("{}[ $status = 0 ] || exit $status\n{}", rules.undo,
                              arena.cluster->start_command(action.node));
    action.inject = need_server(arena, action.node) + rules.inject +
                    fmt::format("(\n{}\n)\n", arena.cluster->kill_command(action.node));
    action.effect =
        fmt::format("({}) >/dev/null || exit 1\n", prove_gone(arena, action.node)) +
        fmt::format(
            "{} | {{ n=0; while read -r packets _ target _; do [ \"$target\" != DROP ] || "
            "n=$((n+packets)); done\n[ $n -gt 0 ] || {{ echo 'nobody has tried to reach it' >&2; "
            "exit 1; }}; echo \"server gone, $n packets dropped\"; }}\n",
            rules.counters);
    action.healed = rules.gone + prove_running(arena, action.node);
    return {};
  }
};

}  // namespace

std::unique_ptr<Fault> make_crash() { return std::make_unique<Crash>(); }

}  // namespace ordeal::nemesis
