#include "nemesis/confine.h"

#include <fmt/core.h>

#include "nemesis/group.h"
#include "nemesis/server.h"
#include "nemesis/targets.h"
#include "nemesis/turns.h"

namespace ordeal::nemesis {

namespace {

class Freeze final : public ServerFault {
 public:
  std::string_view kind() const override { return "freeze"; }
  std::string_view summary() const override {
    return "freezes all processes of servers (control group), as a node that hangs";
  }
  Drawing drawing() const override { return {"#88ccee", "F"}; }
  std::string probe(const Arena& arena, std::size_t) const override {
    return Group{arena, 0, "--freeze 1"}.probe();
  }

 protected:
  Result<void> act(const FaultSpec& spec, const Arena& arena, NodeAction& action) const override {
    const Group group{arena, spec.id, "--freeze 1"};
    action.undo = group.release();
    action.inject = need_server(arena, action.node) + group.confine();
    action.effect = group.told();
    action.healed = group.prove_released() + prove_going(arena, action.node);
    return {};
  }
};

class Memory final : public ServerFault {
 public:
  std::string_view kind() const override { return "memory"; }
  std::string_view summary() const override {
    return "lets servers run out of memory, until the kernel kills them, and starts them again";
  }
  Drawing drawing() const override { return {"#aa4499", "O"}; }
  bool can_flap() const override { return false; }
  std::string probe(const Arena& arena, std::size_t) const override {
    return Group{arena, 0, "--memory 0"}.probe();
  }

 protected:
  Result<void> act(const FaultSpec& spec, const Arena& arena, NodeAction& action) const override {
    const std::int64_t kbytes = integer_of(spec, "kbytes").value_or(0);
    if (kbytes < 0)
      return error("fault {}: \"kbytes\" of a memory fault must not be negative", spec.id);
    const Group group{arena, spec.id, fmt::format("--memory {}", kbytes)};
    action.undo = group.release() + arena.cluster->start_command(action.node);
    action.inject = need_server(arena, action.node) + group.confine();
    action.effect = group.told();
    action.healed = group.prove_released() + prove_running(arena, action.node);
    return {};
  }
};

class Io final : public ServerFault {
 public:
  std::string_view kind() const override { return "io"; }
  std::string_view summary() const override {
    return "throttles what servers read from and write to their disk (control group)";
  }
  Drawing drawing() const override { return {"#ddcc77", "I"}; }
  bool can_flap() const override { return false; }
  Result<void> fits(const clusters::Cluster& cluster) const override {
    if (!cluster.data_directory(0).empty()) return {};
    return error("{} does not tell where its servers keep their data", cluster.name());
  }
  std::string probe(const Arena& arena, std::size_t node) const override {
    // The folder itself may not be there yet: the nearest that is will be on the same disk.
    return fmt::format(
        "data={}\nwhile [ ! -d \"$data\" ]; do data=$(dirname \"$data\"); done\n{} --data "
        "\"$data\"\n",
        clusters::shell_quote(arena.cluster == nullptr ? arena.directory
                                                       : arena.cluster->data_directory(node)),
        Group{arena, 0, "--io 1"}.probe());
  }

  FaultSpec draw(Rng& rng, std::size_t nodes) const override {
    FaultSpec spec = ServerFault::draw(rng, nodes);
    spec.parameters["kbytes"] = Rng(spec.draw).between(16, 1024);
    return spec;
  }

 protected:
  Result<void> act(const FaultSpec& spec, const Arena& arena, NodeAction& action) const override {
    const std::int64_t kbytes = integer_of(spec, "kbytes").value_or(256);
    if (kbytes < 1) return error("fault {}: \"kbytes\" of an io fault must be at least 1", spec.id);
    const Group group{
        arena, spec.id,
        fmt::format("--io {} --data {}", kbytes,
                    clusters::shell_quote(arena.cluster->data_directory(action.node)))};
    action.undo = group.release();
    action.inject = need_server(arena, action.node) + group.confine();
    action.effect = group.told();
    action.healed = group.prove_released() + prove_going(arena, action.node);
    return {};
  }
};

}  // namespace

std::unique_ptr<Fault> make_freeze() { return std::make_unique<Freeze>(); }
std::unique_ptr<Fault> make_memory() { return std::make_unique<Memory>(); }
std::unique_ptr<Fault> make_io() { return std::make_unique<Io>(); }

}  // namespace ordeal::nemesis
