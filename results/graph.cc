#include "results/graph.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "results/child.h"
#include "results/text.h"
#include "results/words.h"

namespace ordeal::results {

namespace {

constexpr std::size_t most_operations = 40;
constexpr auto draw_within = 5s;
constexpr std::size_t largest_picture = 400 * 1024;

// Text in a DOT string.
std::string quoted(std::string_view raw, std::size_t width) {
  std::string text = "\"";
  for (const char c : clean(raw, width)) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

// What an operation leaves; nothing for reads and for what did not happen.
std::optional<Value> set_by(const WitnessOperation& op) {
  if (op.outcome == Outcome::fail) return std::nullopt;
  if (op.request.function == Function::write) return op.request.argument;
  const auto* pair = op.request.argument.as_list();
  if (op.request.function == Function::cas && pair != nullptr && pair->size() == 2)
    return pair->at(1);
  return std::nullopt;
}

std::optional<Value> seen_by(const WitnessOperation& op) {
  if (op.outcome != Outcome::ok) return std::nullopt;
  if (op.request.function == Function::read) return op.result;
  const auto* pair = op.request.argument.as_list();
  if (op.request.function == Function::cas && pair != nullptr && pair->size() == 2)
    return pair->at(0);
  return std::nullopt;
}

bool precedes(const WitnessOperation& a, const WitnessOperation& b) {
  return a.completed != never && a.completed < b.invoked;
}

// Real time without what follows from other arrows, and who saw whose value.
std::vector<Edge> derived_edges(const std::vector<WitnessOperation>& ops) {
  std::vector<Edge> edges;
  for (const WitnessOperation& a : ops) {
    for (const WitnessOperation& b : ops) {
      if (&a == &b) continue;
      const bool direct =
          precedes(a, b) && std::none_of(ops.begin(), ops.end(), [&](const WitnessOperation& c) {
            return &c != &a && &c != &b && precedes(a, c) && precedes(c, b);
          });
      if (direct && a.completed_at) {
        edges.push_back(
            {a.id,
             b.id,
             "real-time",
             "answered " +
                 duration_text(within_reason(b.invoked_at) - within_reason(*a.completed_at)) +
                 " before",
             {}});
      }
      const auto set = set_by(a);
      const auto seen = seen_by(b);
      if (set && seen && *set == *seen)
        edges.push_back({a.id, b.id, "wr", "saw " + clean(to_text(*seen), 20), {}});
    }
  }
  return edges;
}

// When an operation was over, as far as anybody knows.
Nanoseconds moment_of(const WitnessOperation& op) {
  return within_reason(op.completed_at.value_or(op.invoked_at));
}

// A row of moments that fixes where each operation stands: time runs to the right, so an arrow that
// runs to the left says what cannot be. Arrows between operations move nothing.
std::string time_axis(const std::vector<WitnessOperation>& ops) {
  std::map<Nanoseconds, std::vector<EventIndex>> moments;
  for (const WitnessOperation& op : ops) moments[moment_of(op)].push_back(op.id);
  std::string text = "  node [shape=plaintext, margin=0.02];\n";
  std::string row;
  std::string ranks;
  std::size_t number = 0;
  for (const auto& [moment, at] : moments) {
    text += fmt::format("  t{} [label=\"{} s\", class=\"time\"];\n", number, seconds_text(moment));
    row += fmt::format("{}t{}", number == 0 ? "" : " -> ", number);
    ranks += fmt::format("  {{ rank=same; t{};", number);
    for (const EventIndex op : at) ranks += fmt::format(" o{};", op);
    ranks += " }\n";
    ++number;
  }
  return text + "  " + row + " [class=\"axis\", arrowhead=none, weight=100];\n" + ranks;
}

}  // namespace

std::string graph_of(const Finding& finding) {
  const auto& ops = finding.witness;
  if (ops.size() < 2 || ops.size() > most_operations) return {};
  std::string text =
      "digraph finding {\n"
      "  graph [rankdir=LR, bgcolor=\"transparent\", nodesep=0.35, ranksep=0.9];\n"
      "  node [shape=box, style=\"rounded\", fontname=\"Helvetica\", fontsize=11, margin=0.12];\n"
      "  edge [fontname=\"Helvetica\", fontsize=10, arrowsize=0.7];\n";
  std::map<EventIndex, bool> known;
  for (const WitnessOperation& op : ops) {
    known[op.id] = true;
    const std::string end = op.completed_at ? seconds_text(*op.completed_at) + " s" : "no answer";
    std::string label = quoted(asked(op) + " → " + answered_in_short(op), 80);
    label.pop_back();
    label += fmt::format("\\nop {} · {}\\n{} – {}\"", op.id,
                         quoted(op.node, 20).substr(1, quoted(op.node, 20).size() - 2),
                         seconds_text(op.invoked_at), end);
    text += fmt::format("  o{} [label={}, class=\"{}\"{}];\n", op.id, label,
                        op.breaks ? "breaks" : "op", op.breaks ? ", penwidth=2.5" : "");
  }
  for (const Edge& edge : finding.edges.empty() ? derived_edges(ops) : finding.edges) {
    if (!known.contains(edge.from) || !known.contains(edge.to)) continue;
    text += fmt::format("  o{} -> o{} [label={}, style={}, class=\"{}\", constraint=false];\n",
                        edge.from, edge.to, quoted(edge.text.empty() ? edge.kind : edge.text, 60),
                        edge.kind == "real-time" ? "dashed" : "solid",
                        edge.kind == "real-time" ? "time" : "data");
  }
  return text + time_axis(ops) + "}\n";
}

Result<std::string> draw_graph(const std::string& dot_text) {
  const Result<std::string> drawn =
      run_child({"dot", "-Tsvg"}, dot_text, draw_within, largest_picture);
  if (!drawn) return pass_on(drawn.error(), "drawing the graph");
  const std::size_t begin = drawn->find("<svg");
  if (begin == std::string::npos) return error("drawing the graph: dot gave no picture");
  return drawn->substr(begin);
}

}  // namespace ordeal::results
