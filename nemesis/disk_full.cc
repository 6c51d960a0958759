#include "nemesis/disk_full.h"

#include <fmt/core.h>

#include "nemesis/keeper.h"
#include "nemesis/server.h"
#include "nemesis/targets.h"

namespace ordeal::nemesis {

namespace {

using clusters::shell_quote;

class DiskFull final : public Fault {
 public:
  std::string_view kind() const override { return "disk-full"; }
  std::string_view summary() const override {
    return "the file system of a server's data is full, where it is not the machine's as well";
  }
  Drawing drawing() const override { return {"#999933", "U"}; }
  Touches touches() const override { return Touches::server; }
  bool by_name_only() const override { return true; }

  Result<void> fits(const clusters::Cluster& cluster) const override {
    if (!cluster.data_directory(0).empty()) return {};
    return error("{} does not tell where its servers keep their data", cluster.name());
  }
  std::string probe(const Arena& arena, std::size_t node) const override {
    return fmt::format("{} check-fill --directory {} --data {}", shell_quote(arena.program()),
                       shell_quote(arena.directory),
                       shell_quote(arena.cluster->data_directory(node)));
  }
  std::string sweep(const std::string& program) const override { return end_all_keepers(program); }

  // A server may end when it cannot write, so never more than a minority of them.
  FaultSpec draw(Rng& rng, std::size_t nodes) const override {
    FaultSpec spec;
    spec.kind = kind();
    spec.draw = rng.next();
    Rng own = Rng(spec.draw).fork("disk-full");
    spec.targets = draw_targets(own, minority_targets(), nodes);
    return spec;
  }

  Result<Injection> plan(const FaultSpec& spec, const Arena& arena) const override {
    const Keeper keeper{arena, spec.id};
    return on_targets(spec, arena, "", [&](NodeAction& action) {
      const std::size_t node = action.node;
      action.undo = keeper.end() + fmt::format("(\n{}\n)\n", arena.cluster->start_command(node));
      action.inject =
          need_server(arena, node) +
          keeper.start("fill --data " + shell_quote(arena.cluster->data_directory(node)));
      action.effect = keeper.told();
      action.healed = keeper.prove_gone() + prove_running(arena, node) + keeper.last_words();
      return Result<void>();
    });
  }
};

}  // namespace

std::unique_ptr<Fault> make_disk_full() { return std::make_unique<DiskFull>(); }

}  // namespace ordeal::nemesis
