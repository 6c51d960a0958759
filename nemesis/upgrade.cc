#include "nemesis/upgrade.h"

#include <fmt/core.h>

#include "nemesis/server.h"
#include "nemesis/targets.h"

namespace ordeal::nemesis {

namespace {

// Sets $program: what the process $pid runs, by its file and its command line.
constexpr std::string_view look_at_program =
    "program=$(readlink \"/proc/$pid/exe\"; tr '\\0' ' ' <\"/proc/$pid/cmdline\")\n";

class Upgrade final : public ServerFault {
 public:
  std::string_view kind() const override { return "upgrade"; }
  std::string_view summary() const override {
    return "restarts servers with another version of their program, and with the first one again";
  }
  Drawing drawing() const override { return {"#44aa99", "U"}; }
  bool can_flap() const override { return false; }
  Result<void> fits(const clusters::Cluster& cluster) const override {
    if (cluster.has_other_version()) return {};
    return error("{} has been given no second version to restart servers with", cluster.name());
  }

  // Never a majority at once: a cluster may take that for the end of the old version.
  FaultSpec draw(Rng& rng, std::size_t nodes) const override {
    FaultSpec spec = ServerFault::draw(rng, nodes);
    Rng own = Rng(spec.draw).fork("upgrade");
    spec.targets = draw_targets(own, minority_targets(), nodes);
    if (!own.chance(0.5)) return spec;
    spec.parameters["mode"] = "rolling";
    spec.targets = "all";
    return spec;
  }

 protected:
  Result<void> act(const FaultSpec& spec, const Arena& arena, NodeAction& action) const override {
    const clusters::Cluster& cluster = *arena.cluster;
    const std::string note =
        clusters::shell_quote(fmt::format("{}/fault-{}.before", arena.directory, spec.id));
    const std::string stop = fmt::format("(\n{}\n) || exit 1\n", cluster.stop_command(action.node));
    action.inject = need_server(arena, action.node) + std::string(look_at_program) +
                    fmt::format("echo \"$program\" >{} || exit 1\n{}{}\n", note, stop,
                                cluster.other_start_command(action.node));
    action.effect =
        need_server(arena, action.node) + std::string(look_at_program) +
        fmt::format(
            "[ \"$program\" != \"$(cat {})\" ] || {{ echo 'it runs the same program' "
            ">&2; exit 1; }}\necho \"process $pid runs the other version: $(tr '\\0' ' ' "
            "<\"/proc/$pid/cmdline\" | cut -c1-80)\"\n",
            note);
    // Where the injection never began there is nothing to go back from.
    action.undo = fmt::format("if [ -e {0} ]; then\n{1}rm -f {0}\nfi\n{2}\n", note, stop,
                              cluster.start_command(action.node));
    action.healed = prove_running(arena, action.node);
    return {};
  }
};

}  // namespace

std::unique_ptr<Fault> make_upgrade() { return std::make_unique<Upgrade>(); }

}  // namespace ordeal::nemesis
