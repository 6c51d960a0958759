#include "nemesis/corrupt.h"

#include <fmt/core.h>

#include "nemesis/keeper.h"
#include "nemesis/server.h"
#include "nemesis/targets.h"
#include "nemesis/turns.h"

namespace ordeal::nemesis {

namespace {

using clusters::shell_quote;

constexpr std::int64_t most_age_ms = 5000;  // within the time that an injection may take

struct Damage {
  std::string arguments, told;
  std::int64_t age_ms = 0;  // only of a rollback
  std::string files;
};

Result<Damage> damage_of(const FaultSpec& spec) {
  const std::string shape = text_of(spec, "shape").value_or("flips");
  const std::int64_t age = integer_of(spec, "age_ms").value_or(1000);
  if (shape != "flips" && shape != "truncate" && shape != "copy" && shape != "rollback")
    return error(
        "fault {}: the \"shape\" of a corrupt fault must be flips, truncate, copy or rollback",
        spec.id);
  const std::int64_t percent = integer_of(spec, "percent").value_or(shape == "truncate" ? 10 : 100);
  if (percent < 1 || percent > 100) return error("fault {}: \"percent\" must be 1 to 100", spec.id);
  if (age < 1 || age > most_age_ms)
    return error("fault {}: \"age_ms\" must be 1 to {}", spec.id, most_age_ms);
  const std::string files = text_of(spec, "files").value_or("");
  Damage damage;
  if (!files.empty()) damage.files = " --files " + shell_quote(files);
  damage.arguments = fmt::format(" --shape {} --percent {}{}", shape, percent, damage.files);
  damage.told = fmt::format(": {}{}", shape, files.empty() ? "" : " in " + files);
  if (shape == "rollback") damage.age_ms = age;
  return damage;
}

class Corrupt final : public Fault {
 public:
  std::string_view kind() const override { return "corrupt"; }
  std::string_view summary() const override {
    return "files of a server are damaged while it does not run: wrong bits, a lost end, chunks of "
           "another place or time";
  }
  Drawing drawing() const override { return {"#aa4499", "F"}; }
  Touches touches() const override { return Touches::server; }
  bool by_name_only() const override { return true; }

  Result<void> fits(const clusters::Cluster& cluster) const override {
    if (!cluster.data_directory(0).empty()) return {};
    return error("{} does not tell where its servers keep their data", cluster.name());
  }
  std::string probe(const Arena& arena, std::size_t) const override {
    return fmt::format("test -x {}", shell_quote(arena.program()));
  }
  std::string sweep(const std::string& program) const override {
    return fmt::format("{} mend --directory {}", shell_quote(program),
                       shell_quote(program.substr(0, program.rfind("/bin/"))));
  }

  FaultSpec draw(Rng& rng, std::size_t nodes) const override {
    FaultSpec spec;
    spec.kind = kind();
    spec.draw = rng.next();
    Rng own = Rng(spec.draw).fork("corrupt");
    spec.parameters["shape"] = "flips";
    spec.parameters["percent"] = 100;
    spec.targets = draw_targets(own, minority_targets(), nodes);
    return spec;
  }

  Result<Injection> plan(const FaultSpec& spec, const Arena& arena) const override {
    const Result<Damage> damage = damage_of(spec);
    if (!damage) return pass_on(damage.error());
    return on_targets(spec, arena, damage->told, [&](NodeAction& action) {
      action = act(spec, arena, action.node, *damage);
      return Result<void>();
    });
  }

 private:
  static NodeAction act(const FaultSpec& spec, const Arena& arena, std::size_t node,
                        const Damage& damage) {
    const clusters::Cluster& cluster = *arena.cluster;
    const Keeper keeper{arena, spec.id};  // of a name only: nothing stays running
    const std::string data = " --data " + shell_quote(cluster.data_directory(node));
    const auto seed = static_cast<std::int64_t>(spec.draw >> 8U) + static_cast<std::int64_t>(node);
    NodeAction action;
    action.node = node;
    action.undo =
        fmt::format("(\n{}\n) || exit 1\n{} || exit 1\n(\n{}\n)\n", cluster.kill_command(node),
                    keeper.command("mend"), cluster.start_command(node));
    action.inject = need_server(arena, node);
    if (damage.age_ms > 0) {
      action.inject += fmt::format("{}{}{} || exit 1\nsleep {}.{:03}\n", keeper.command("remember"),
                                   data, damage.files, damage.age_ms / 1000, damage.age_ms % 1000);
    }
    // That it cannot be started is what damage may do.
    action.inject +=
        fmt::format("(\n{}\n) || exit 1\n{}{}{} --seed {} || exit 1\n(\n{}\n) 2>&1 || true\n",
                    cluster.kill_command(node), keeper.command("damage"), data, damage.arguments,
                    seed, cluster.start_command(node));
    action.effect = keeper.command("damaged") + "\n";
    action.healed = fmt::format("if [ -e {} ]; then echo 'the damage stands' >&2; exit 1; fi\n",
                                shell_quote(keeper.folder("damage"))) +
                    prove_running(arena, node) + keeper.last_words();
    return action;
  }
};

}  // namespace

std::unique_ptr<Fault> make_corrupt() { return std::make_unique<Corrupt>(); }

}  // namespace ordeal::nemesis
