#include "harness/liveness.h"

#include <algorithm>

#include "core/json_fields.h"

namespace ordeal::harness {

namespace {

using workloads::Context;
using workloads::Done;
using workloads::Generator;
using workloads::Next;
using workloads::Step;
using workloads::Wait;

constexpr std::size_t fewest_tries = 3;

class Shared : public Generator::Source {
 public:
  Shared(std::shared_ptr<Generator> inner, Nanoseconds passed,
         std::shared_ptr<std::vector<NodeService>> nodes, std::size_t first_node)
      : inner_(std::move(inner)),
        passed_(passed),
        nodes_(std::move(nodes)),
        first_node_(first_node) {}

  Step next(const Context& context, Rng& rng) override {
    if (have_all_served(context.workers)) return Done{};
    Step step = inner_->next(for_inner(context), rng);
    if (auto* next = std::get_if<Next>(&step)) next->due -= passed_;
    if (auto* wait = std::get_if<Wait>(&step)) {
      if (wait->until) *wait->until -= passed_;
    }
    return step;
  }

  void completed(const Context& context, const Request& request,
                 const Completion& completion) override {
    inner_->completed(for_inner(context), request, completion);
    if (!nodes_) return;
    NodeService& node = node_of(context.worker);
    ++node.tried;
    const bool served = completion.outcome == Outcome::ok ||
                        (completion.outcome == Outcome::fail && is_answer(completion.error));
    if (served && !node.served_after) node.served_after = context.now;
    if (!served) node.last_error = completion.error;
  }

  std::unique_ptr<Source> clone() const override { return std::make_unique<Shared>(*this); }

 private:
  [[nodiscard]] Context for_inner(Context context) const {
    context.now += passed_;
    return context;
  }
  [[nodiscard]] bool have_all_served(std::size_t workers) const {
    if (!nodes_) return false;
    for (std::size_t worker = 0; worker < workers; ++worker) {
      if (!node_of(worker).served_after) return false;
    }
    return true;
  }
  [[nodiscard]] NodeService& node_of(std::size_t worker) const {
    return (*nodes_)[(first_node_ + worker) % nodes_->size()];
  }

  std::shared_ptr<Generator> inner_;
  Nanoseconds passed_;
  std::shared_ptr<std::vector<NodeService>> nodes_;
  std::size_t first_node_;
};

// Why nothing can be said against a node that served nothing; empty: nothing speaks for it.
std::string excuse(const Liveness& liveness, const NodeService& node) {
  if (!liveness.all_undone) return "a fault is not proven undone";
  if (node.tried < fewest_tries)
    return fmt::format("only {} operations were tried through it", node.tried);
  if (node.slowest_command > liveness.operation_timeout / 2) {
    return fmt::format("a command that does nothing took {} there, so the machine may be to blame",
                       to_text(node.slowest_command));
  }
  return {};
}

Finding finding_of(const Liveness& liveness, const NodeService& node) {
  Finding finding;
  finding.kind = FindingKind::no_recovery;
  finding.headline = fmt::format(
      "{} did not recover: nothing succeeded through it within {} after every fault was undone",
      node.node, to_text(liveness.watched));
  finding.promise = "a node serves again once every fault is undone";
  finding.promise_source = fmt::format("asked for by --recovery-time {}; it was given twice that",
                                       to_text(liveness.deadline));
  const auto add = [&](std::string text) { finding.reasons.push_back({std::move(text), {}}); };
  add("every fault was undone, and each node proved it");
  if (node.was_started)
    add(fmt::format("the server of {} had ended by itself, and was started again", node.node));
  add(fmt::format("{} operations were tried through {}, and none succeeded; the last one: {}",
                  node.tried, node.node, node.last_error));
  add(
      fmt::format("the machine itself answered all the while: a command that does nothing took {} "
                  "over SSH at most",
                  to_text(node.slowest_command)));
  std::string others;
  for (const NodeService& other : liveness.nodes) {
    if (other.served_after)
      others += fmt::format("{}{} after {}", others.empty() ? "" : ", ", other.node,
                            to_text(*other.served_after));
  }
  add(others.empty() ? "no node served" : "other nodes served: " + others);
  finding.certainty = Certainty::proven;
  finding.certainty_basis = "all operations that were tried are in the history";
  finding.diagnosis = others.empty() ? "the whole cluster stands still" : "the others serve";
  finding.at = liveness.healed + liveness.watched;
  finding.signature = to_text(finding.kind);
  return finding;
}

Json to_json(const NodeService& node) {
  return {{"node", node.node},
          {"tried", node.tried},
          {"served_after_ns", node.served_after ? Json(node.served_after->count()) : Json()},
          {"last_error", node.last_error},
          {"was_started", node.was_started},
          {"slowest_command_ns", node.slowest_command.count()}};
}

Result<NodeService> node_from_json(const Json& json) {
  NodeService node;
  const auto read = Fields(json, "service of a node")
                        .required("node", node.node)
                        .required("tried", node.tried)
                        .optional("served_after_ns", node.served_after)
                        .required("last_error", node.last_error)
                        .required("was_started", node.was_started)
                        .required("slowest_command_ns", node.slowest_command)
                        .status();
  if (!read) return pass_on(read.error());
  return node;
}

}  // namespace

CheckReport check_liveness(const Liveness& liveness) {
  CheckReport report;
  report.checker = "recovers";
  for (const NodeService& node : liveness.nodes) {
    if (!node.served_after && excuse(liveness, node).empty())
      report.findings.push_back(finding_of(liveness, node));
  }
  report.answer =
      report.findings.empty() ? CheckReport::Answer::valid : CheckReport::Answer::invalid;
  return report;
}

std::vector<std::string> unsure_of(const Liveness& liveness) {
  std::vector<std::string> sentences;
  for (const NodeService& node : liveness.nodes) {
    if (node.was_started) {
      sentences.push_back(fmt::format(
          "the server of {} was not running although no fault was on; it was started again",
          node.node));
    }
    if (node.served_after && *node.served_after > liveness.deadline) {
      sentences.push_back(
          fmt::format("{} served only {} after the last fault was undone: it is "
                      "too slow, or something is wrong",
                      node.node, to_text(*node.served_after)));
    }
    if (node.served_after || node.tried == 0) continue;
    const std::string why = excuse(liveness, node);
    if (!why.empty()) {
      sentences.push_back(
          fmt::format("{} did not recover within {} (the last operation: {}), but {}", node.node,
                      to_text(liveness.watched), node.last_error, why));
    }
  }
  return sentences;
}

Generator until_served(std::shared_ptr<Generator> inner, Nanoseconds passed,
                       std::shared_ptr<std::vector<NodeService>> nodes, std::size_t first_node) {
  return Generator(
      std::make_unique<Shared>(std::move(inner), passed, std::move(nodes), first_node));
}

Generator shared(std::shared_ptr<Generator> inner) {
  return Generator(std::make_unique<Shared>(std::move(inner), Nanoseconds::zero(), nullptr, 0));
}

Json to_json(const Liveness& liveness) {
  Json nodes = Json::array();
  for (const NodeService& node : liveness.nodes) nodes.push_back(to_json(node));
  return {{"healed_ns", liveness.healed.count()},
          {"deadline_ns", liveness.deadline.count()},
          {"watched_ns", liveness.watched.count()},
          {"operation_timeout_ns", liveness.operation_timeout.count()},
          {"all_undone", liveness.all_undone},
          {"nodes", std::move(nodes)}};
}

Result<Liveness> liveness_from_json(const Json& json) {
  Liveness liveness;
  const auto read = Fields(json, "liveness")
                        .required("healed_ns", liveness.healed)
                        .required("deadline_ns", liveness.deadline)
                        .required("watched_ns", liveness.watched)
                        .required("operation_timeout_ns", liveness.operation_timeout)
                        .required("all_undone", liveness.all_undone)
                        .each("nodes", liveness.nodes, node_from_json)
                        .status();
  if (!read) return pass_on(read.error());
  return liveness;
}

}  // namespace ordeal::harness
