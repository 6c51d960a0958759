#include "nemesis/server.h"

#include <fmt/core.h>

#include "nemesis/group.h"
#include "nemesis/keeper.h"
#include "nemesis/targets.h"
#include "nemesis/turns.h"

namespace ordeal::nemesis {

std::string need_server(const Arena& arena, std::size_t node) {
  return fmt::format("pid=$(\n{}\n) || {{ echo 'the server was not running' >&2; exit 1; }}\n",
                     arena.cluster->pid_command(node));
}

std::string prove_running(const Arena& arena, std::size_t node) {
  return fmt::format(
      "pid=$(\n{}\n) || {{ echo 'the server does not run' >&2; exit 1; }}\necho \"runs again as "
      "process $pid\"\n",
      arena.cluster->pid_command(node));
}

namespace {

// $pid leads a process group of its own.
constexpr std::string_view go_on =
    "kill -s CONT -- \"-$pid\" 2>/dev/null; kill -s CONT \"$pid\" 2>/dev/null\n";
// Sets $state of the process $pid.
constexpr std::string_view look_at_state =
    "s=$(cat \"/proc/$pid/stat\") || exit 1; s=${s##*) }; state=${s%% *}\n";

}  // namespace

std::string prove_gone(const Arena& arena, std::size_t node) {
  return fmt::format(
      "if pid=$(\n{}\n); then echo \"process $pid still runs\" >&2; exit 1; fi\necho 'process "
      "gone'\n",
      arena.cluster->pid_command(node));
}

std::string prove_going(const Arena& arena, std::size_t node) {
  return fmt::format(
      "pid=$(\n{}\n) || {{ echo 'the server is gone, and not by this fault'; exit 0; }}\n{}"
      "[ \"$state\" != T ] || {{ echo 'it is still stopped' >&2; exit 1; }}\n"
      "echo \"process $pid goes on\"\n",
      arena.cluster->pid_command(node), look_at_state);
}

FaultSpec ServerFault::draw(Rng& rng, std::size_t nodes) const {
  return draw_fault(kind(), rng, nodes);
}

Result<Injection> ServerFault::plan(const FaultSpec& spec, const Arena& arena) const {
  return on_targets(spec, arena, "", [&](NodeAction& action) { return act(spec, arena, action); });
}

namespace {

std::string undo_pause(const Arena& arena, std::size_t node) {
  return fmt::format("pid=$(\n{}\n) || exit 0\n{}true\n", arena.cluster->pid_command(node), go_on);
}

class Kill final : public ServerFault {
 public:
  std::string_view kind() const override { return "kill"; }
  std::string_view summary() const override {
    return "kills servers (SIGKILL) and starts them again";
  }
  Drawing drawing() const override { return {"#d55e00", "K"}; }

 protected:
  Result<void> act(const FaultSpec&, const Arena& arena, NodeAction& action) const override {
    action.undo = arena.cluster->start_command(action.node);
    // A server that was dead before would make the evidence worthless.
    action.inject = need_server(arena, action.node) +
                    fmt::format("(\n{}\n)\n", arena.cluster->kill_command(action.node));
    action.effect = prove_gone(arena, action.node);
    action.healed = prove_running(arena, action.node);
    return {};
  }
};

class Stop final : public ServerFault {
 public:
  std::string_view kind() const override { return "stop"; }
  std::string_view summary() const override {
    return "stops servers the gentle way and starts them again";
  }
  Drawing drawing() const override { return {"#e69f00", "S"}; }

 protected:
  Result<void> act(const FaultSpec&, const Arena& arena, NodeAction& action) const override {
    action.undo = arena.cluster->start_command(action.node);
    action.inject = need_server(arena, action.node) +
                    fmt::format("(\n{}\n)\n", arena.cluster->stop_command(action.node));
    action.effect = prove_gone(arena, action.node);
    action.healed = prove_running(arena, action.node);
    return {};
  }
};

class Restart final : public ServerFault {
 public:
  std::string_view kind() const override { return "restart"; }
  std::string_view summary() const override {
    return "stops servers and starts them at once; rolling: one after the other";
  }
  Drawing drawing() const override { return {"#e69f00", "R"}; }
  bool can_flap() const override { return false; }

  FaultSpec draw(Rng& rng, std::size_t nodes) const override {
    FaultSpec spec = ServerFault::draw(rng, nodes);
    if (rng.chance(0.5)) {
      spec.parameters["mode"] = "rolling";
      spec.targets = "all";
    }
    return spec;
  }

 protected:
  Result<void> act(const FaultSpec& spec, const Arena& arena, NodeAction& action) const override {
    const std::string note =
        clusters::shell_quote(fmt::format("{}/fault-{}.before", arena.directory, spec.id));
    action.undo = fmt::format("rm -f {}\n{}", note, arena.cluster->start_command(action.node));
    action.inject = need_server(arena, action.node) +
                    fmt::format("echo \"$pid\" >{} || exit 1\n(\n{}\n) && (\n{}\n)\n", note,
                                arena.cluster->stop_command(action.node),
                                arena.cluster->start_command(action.node));
    action.effect = need_server(arena, action.node) +
                    fmt::format(
                        "read -r before <{} && [ \"$pid\" != \"$before\" ] || "
                        "{{ echo 'it is the same process' >&2; exit 1; }}\n"
                        "echo \"process $before gave way to $pid\"\n",
                        note);
    action.healed = prove_running(arena, action.node);
    return {};
  }
};

class Pause final : public ServerFault {
 public:
  std::string_view kind() const override { return "pause"; }
  std::string_view summary() const override {
    return "stops servers where they stand (SIGSTOP) and lets them go on";
  }
  Drawing drawing() const override { return {"#cc79a7", "Z"}; }

 protected:
  Result<void> act(const FaultSpec&, const Arena& arena, NodeAction& action) const override {
    action.undo = undo_pause(arena, action.node);
    action.inject =
        need_server(arena, action.node) + "kill -s STOP -- \"-$pid\" || kill -s STOP \"$pid\"\n";
    action.effect = need_server(arena, action.node) + std::string(look_at_state) +
                    "[ \"$state\" = T ] || { echo \"process $pid is not stopped\" >&2; exit 1; }\n"
                    "echo \"process $pid is stopped\"\n";
    action.healed = prove_going(arena, action.node);
    return {};
  }
};

// By a control group where the node has one that limits the processor, else by signals.
class Slow final : public ServerFault {
 public:
  std::string_view kind() const override { return "slow"; }
  std::string_view summary() const override {
    return "leaves servers a small share of the processor";
  }
  Drawing drawing() const override { return {"#f0e442", "L"}; }
  bool can_flap() const override { return false; }

  FaultSpec draw(Rng& rng, std::size_t nodes) const override {
    FaultSpec spec = ServerFault::draw(rng, nodes);
    spec.parameters["percent"] = rng.between(2, 30);
    return spec;
  }
  std::string sweep(const std::string& program) const override { return end_all_keepers(program); }

 protected:
  Result<void> act(const FaultSpec& spec, const Arena& arena, NodeAction& action) const override {
    const std::int64_t percent = integer_of(spec, "percent").value_or(10);
    if (percent < 1 || percent > 99)
      return error("fault {}: \"percent\" of a slow fault must be 1 to 99", spec.id);
    const std::string how = text_of(spec, "how").value_or("");
    if (!how.empty() && how != "quota" && how != "signals")
      return error("fault {}: \"how\" of a slow fault must be quota or signals, or be left out",
                   spec.id);
    const Keeper keeper{arena, spec.id};
    const Group group{arena, spec.id, fmt::format("--cpu {}", percent)};
    const std::string can_group = how == "quota"     ? "true"
                                  : how == "signals" ? "false"
                                                     : group.probe() + " 2>/dev/null";
    action.undo = group.release() + keeper.end() + undo_pause(arena, action.node);
    action.inject =
        need_server(arena, action.node) +
        fmt::format("if {}; then\n{} || exit 1\nelse\n{}fi\n", can_group, group.confine(),
                    keeper.start(fmt::format("throttle --pid \"$pid\" --percent {}", percent)));
    action.effect = fmt::format("if [ -e {} ]; then\n{}else\n{}\nfi\n",
                                clusters::shell_quote(keeper.folder("keep") + ".pid"),
                                keeper.told(), group.told());
    action.healed = group.prove_released() + keeper.prove_gone() + prove_going(arena, action.node);
    return {};
  }
};

}  // namespace

std::unique_ptr<Fault> make_kill() { return std::make_unique<Kill>(); }
std::unique_ptr<Fault> make_stop() { return std::make_unique<Stop>(); }
std::unique_ptr<Fault> make_restart() { return std::make_unique<Restart>(); }
std::unique_ptr<Fault> make_pause() { return std::make_unique<Pause>(); }
std::unique_ptr<Fault> make_slow() { return std::make_unique<Slow>(); }

}  // namespace ordeal::nemesis
