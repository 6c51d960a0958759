#include "results/report.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "results/assets.h"
#include "results/commands.h"
#include "results/html.h"
#include "results/node_life.h"
#include "results/text.h"
#include "results/trace.h"
#include "results/words.h"

namespace ordeal::results {

namespace {

constexpr std::size_t most_in_full = 3;  // findings; the others can be opened
constexpr std::size_t most_findings = 25;
constexpr std::size_t most_rows = 200;

std::string section(std::string_view id, std::string_view title, const std::string& body) {
  return fmt::format("<section class=\"card\" id=\"{}\"><h2>{}</h2>\n{}</section>\n", id, title,
                     body);
}

std::string_view class_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "pass";
    case Verdict::fail:
      return "fail";
    case Verdict::inconclusive:
      return "inconclusive";
    case Verdict::broken:
      break;
  }
  return "broken";
}

std::string_view mark_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "✓";
    case Verdict::fail:
      return "✕";
    case Verdict::inconclusive:
      return "?";
    case Verdict::broken:
      break;
  }
  return "!";
}

std::string tile(const std::string& number, std::string_view what, bool is_bad = false) {
  return fmt::format("<div class=\"tile{}\"><b>{}</b><span>{}</span></div>\n", is_bad ? " bad" : "",
                     number, what);
}

// What the verdict is worth, in numbers.
std::string tiles(const RunRecord& run) {
  const Coverage& coverage = run.coverage;
  std::size_t planned = 0;
  std::size_t took_effect = 0;
  for (const auto& [kind, faults] : coverage.faults) {
    planned += faults.planned;
    took_effect += faults.took_effect;
  }
  std::string text = "<div class=\"tiles\">\n";
  text += tile(grouped(coverage.operations), "operations");
  text += tile(fmt::format("{}/{}", grouped(coverage.keys_checked), grouped(coverage.keys)),
               "keys decided", coverage.keys_checked < coverage.keys);
  text +=
      tile(fmt::format("{}/{}", took_effect, planned), "faults took effect", took_effect < planned);
  text += tile(coverage.operations_during_faults == 0
                   ? "–"
                   : share(coverage.ok_during_faults, coverage.operations_during_faults),
               "ok while a fault was on");
  text += tile(grouped(coverage.leader_changes), "leader changes");
  text += tile(fmt::format("{}/{}", run.health.nodes_up_at_end, run.health.nodes),
               "nodes up at end", run.health.nodes_up_at_end < run.health.nodes);
  text += tile(run.health.recovery ? duration_text(*run.health.recovery) : "–",
               "to be whole at the end");
  return text + "</div>\n";
}

std::string header(const RunRecord& run) {
  const auto findings = findings_of(run);
  const bool found = run.verdict == Verdict::fail && !findings.empty();
  const std::string title =
      found ? system_name(run) + " " + deed(findings.front()->kind) : headline(run);
  std::string lead;
  if (found) {
    lead = html(sentence(capitalised(findings.front()->headline)), 500);
    lead += fmt::format("<br><span class=\"dim\">{}</span>",
                        html(sentence(surroundings(*findings.front())), 500));
  } else if (run.verdict == Verdict::pass) {
    lead = "It has earned a biscuit.";
  } else if (!run.reasons.empty()) {
    lead = html(sentence(capitalised(run.reasons.front().text)), 500);
  }
  std::vector<std::string> meta = {clean(run.workload, 40) + " × " + system_name(run),
                                   nemesis_names(run),
                                   duration_text(run.duration),
                                   count(run.clients, "client"),
                                   count(run.nodes, "node"),
                                   fmt::format("seed {}", run.seed)};
  for (std::string& option : option_words(run)) meta.push_back(std::move(option));
  meta.push_back(clean(run.started, 40));
  return fmt::format(
      "<header class=\"top {}\"><p class=\"verdict\"><span class=\"mark\">{}</span> {}{}</p>\n"
      "<h1>{}</h1>\n<p class=\"lead\">{}</p>\n<p class=\"meta\">{}</p>\n{}</header>\n",
      class_of(run.verdict), mark_of(run.verdict), to_text(run.verdict),
      run.interrupted ? " <span class=\"dim\">· interrupted</span>" : "", html(title, 300), lead,
      html(join(meta, " · "), 600), tiles(run));
}

std::string reasons(const RunRecord& run) {
  if (run.reasons.empty()) return {};
  std::string list = "<ul class=\"why\">\n";
  for (std::size_t i = 0; i < std::min(run.reasons.size(), most_rows); ++i) {
    const VerdictReason& reason = run.reasons[i];
    list += fmt::format("<li><b>{}</b> {}", to_text(reason.verdict),
                        html(sentence(capitalised(reason.text)), 600));
    if (!reason.advice.empty())
      list += fmt::format("<br><span class=\"dim\">What to do:</span> {}",
                          html(sentence(reason.advice), 600));
    list += "</li>\n";
  }
  return section("why",
                 run.verdict == Verdict::fail ? "What else went wrong" : "Why, and what to do",
                 list + "</ul>\n");
}

std::string findings(const ReportParts& parts) {
  const auto all = findings_of(parts.run);
  std::string text;
  for (std::size_t i = 0; i < std::min(all.size(), most_findings); ++i) {
    const Finding& finding = *all[i];
    const auto graph = parts.graphs.find(finding.number);
    const std::string body =
        finding_section(parts.run, finding, graph == parts.graphs.end() ? "" : graph->second, "");
    const std::string title = html(sentence(capitalised(finding.headline)), 400);
    text += fmt::format(
        "<details class=\"card finding\" id=\"finding-{0}\"{1}><summary><h2>Finding {0}{2}: {3}"
        "</h2></summary>\n{4}</details>\n",
        finding.number, i == 0 || (i < most_in_full && all.size() <= most_in_full) ? " open" : "",
        all.size() > 1 ? fmt::format(" of {}", all.size()) : "", title, body);
  }
  if (all.size() > most_findings)
    text += fmt::format("<p class=\"card\">And {} more, in <code>findings/</code>.</p>\n",
                        grouped(all.size() - most_findings));
  return text;
}

std::string timeline(const ReportParts& parts) {
  if (parts.history == nullptr || parts.history->operations.empty())
    return section("timeline", "Timeline", "<p>There is no history to draw.</p>\n");
  return section(
      "timeline", "Timeline",
      "<div class=\"tools\" role=\"toolbar\" aria-label=\"timeline\">\n"
      "<label>lanes <select id=\"lanes\"><option>client<option>node<option>key</select></label>\n"
      "<input id=\"filter\" type=\"search\" spellcheck=\"false\" aria-label=\"filter\" "
      "placeholder=\"filter: key=x node=n1 f=read outcome=unknown op=8841 value=7\">\n"
      "<button id=\"zoom-in\" title=\"zoom in (+)\">+</button><button id=\"zoom-out\" title=\"zoom "
      "out (-)\">−</button><button id=\"zoom-all\" title=\"everything (0)\">all</button>"
      "<button id=\"next-finding\" title=\"next finding (n)\">next finding</button>\n"
      "<span id=\"shown\" class=\"dim\"></span></div>\n"
      "<canvas id=\"canvas\" tabindex=\"0\" role=\"img\" aria-label=\"every operation on a time "
      "axis; arrow keys move, plus and minus zoom\"></canvas>\n"
      "<div class=\"legend\"><span><i class=\"k ok\"></i>ok</span><span><i class=\"k "
      "fail\"></i>failed: certainly not done</span><span><i class=\"k info\"></i>unknown</span>"
      "<span><i class=\"k fault\"></i>fault on</span><span><i class=\"k silent\"></i>node does not "
      "answer</span><span><i class=\"k flag\"></i>finding</span>"
      "<span class=\"dim\">drag or arrows: move · wheel or + −: zoom · enter: next operation · n: "
      "next finding · /: filter</span></div>\n"
      "<div id=\"detail\" aria-live=\"polite\"></div>\n"
      "<noscript><p>The timeline needs JavaScript; everything else on this page does not.</p>"
      "</noscript>\n");
}

std::string charts(const ReportParts& parts) {
  if (parts.history == nullptr || parts.history->operations.empty()) return {};
  return section("charts", "Rate and latency",
                 "<h4>Operations per second, by outcome</h4><div id=\"rate\" class=\"chart\"></div>"
                 "\n<h4>Latency of what was answered ok, in ms</h4><div id=\"latency\" "
                 "class=\"chart\"></div>\n<p class=\"dim small\">Bands are faults. Drag to zoom; "
                 "the timeline follows, and the other way round.</p>\n");
}

std::string time_or(const std::optional<Nanoseconds>& time, std::string_view otherwise) {
  return time ? duration_text(*time) : std::string(otherwise);
}

// One mark a node and fault on a logarithmic axis from 1 ms to 100 s.
std::string recovery_strip(const RunRecord& run) {
  constexpr double left = 120;
  constexpr double wide = 560;
  const auto x = [&](Nanoseconds time) {
    const double ms = std::clamp(static_cast<double>(within_reason(time).count()) / 1e6, 1.0, 1e5);
    return left + std::log10(ms) / 5.0 * wide;
  };
  std::vector<std::string> nodes;
  for (const Recovery& recovery : run.recoveries) {
    for (const auto& node : recovery.nodes) {
      if (std::find(nodes.begin(), nodes.end(), node.node) == nodes.end() && nodes.size() < 20)
        nodes.push_back(node.node);
    }
  }
  if (nodes.empty()) return {};
  std::string body;
  const std::size_t height = 40 + nodes.size() * 22;
  for (const auto& [label, ms] : {std::pair{"1 ms", 1.0},
                                  {"10 ms", 10.0},
                                  {"100 ms", 100.0},
                                  {"1 s", 1e3},
                                  {"10 s", 1e4},
                                  {"100 s", 1e5}}) {
    const double at = left + std::log10(ms) / 5.0 * wide;
    body += fmt::format(R"(<line x1="{0:.0f}" y1="22" x2="{0:.0f}" y2="{1}" class="tick"/>)", at,
                        height - 8);
    body += fmt::format(R"(<text x="{:.0f}" y="14" class="time" text-anchor="middle">{}</text>)",
                        at, label);
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::size_t y = 34 + i * 22;
    body += fmt::format(R"(<text x="{:.0f}" y="{}" class="name" text-anchor="end">{}</text>)",
                        left - 12, y + 4, html(nodes[i], 16));
    for (const Recovery& recovery : run.recoveries) {
      for (const auto& node : recovery.nodes) {
        if (node.node != nodes[i]) continue;
        const std::string title =
            fmt::format("fault {}: {}", recovery.fault, time_or(node.served_after_end, "never"));
        if (node.served_after_end) {
          body += fmt::format(
              R"(<circle cx="{:.1f}" cy="{}" r="4.5" class="dot"><title>{}</title></circle>)",
              x(*node.served_after_end), y, title);
        } else {
          body += fmt::format(
              R"(<text x="{:.1f}" y="{}" class="label breaks">✕ never<title>{}</title></text>)",
              left + wide + 8, y + 4, title);
        }
      }
    }
  }
  return fmt::format(
      "<div class=\"scroll\"><svg class=\"picture\" viewBox=\"0 0 760 {0}\" width=\"760\" "
      "height=\"{0}\" role=\"img\" aria-label=\"time to serve again after each fault, by node\">{1}"
      "</svg></div>\n",
      height, body);
}

std::string recovery(const RunRecord& run) {
  if (run.recoveries.empty()) return {};
  std::vector<std::vector<std::string>> rows;
  for (const Recovery& recovery : run.recoveries) {
    if (rows.size() == most_rows) break;
    const auto fault =
        std::find_if(run.faults.begin(), run.faults.end(),
                     [&](const FaultSummary& f) { return f.spec.id == recovery.fault; });
    const bool known = fault != run.faults.end();
    const std::string never = "<strong class=\"breaks\">never</strong>";
    rows.push_back({fmt::format("{}", recovery.fault), known ? html(fault->spec.kind, 20) : "-",
                    known ? html(fault_hit(*fault), 120) : "-",
                    time_or(recovery.served_after_begin, never),
                    time_or(recovery.served_after_end, never), html(slowest_node(recovery), 60),
                    time_or(recovery.longest_silence, "-"), duration_text(recovery.leaderless),
                    fmt::format("{}", recovery.terms)});
  }
  std::string text =
      html_table({"#", "fault", "hit", "#served again after its begin", "#after its end",
                  "slowest node", "#longest silence", "#without a leader", "#new terms"},
                 rows);
  text += "<h4>Time until each node served again after the end of a fault</h4>\n";
  text += recovery_strip(run);
  text +=
      "<p class=\"dim small\"><em>Served</em>: an operation that began after that moment and was "
      "answered ok. <em>Without a leader</em>: no node that a majority follows; nodes are asked "
      "ten times a second. What is looked at ends where the next fault begins.</p>\n";
  return section("recovery", "Recovery", text);
}

std::string faults(const RunRecord& run) {
  if (run.faults.empty()) return section("faults", "Faults", "<p>None were planned.</p>\n");
  std::vector<std::vector<std::string>> rows;
  for (const FaultSummary& fault : run.faults) {
    if (rows.size() == most_rows) break;
    std::string evidence = html(join(fault.evidence, "; "), 240);
    if (fault.trouble)
      evidence += fmt::format(" <strong class=\"breaks\">{}</strong>", html(*fault.trouble, 240));
    const std::string from = fault.began ? seconds_text(*fault.began) : "–";
    rows.push_back(
        {fmt::format("{}", fault.spec.id), html(fault.spec.kind, 20), html(fault_aim(fault), 80),
         html(fault_hit(fault), 120),
         fault.began ? fmt::format("<a class=\"at\" href=\"#t={0}\" data-at=\"{0}\">{0}</a>", from)
                     : from,
         fault.healed ? (fault.ended ? seconds_text(*fault.ended) : "–")
                      : "<strong class=\"breaks\">not undone</strong>",
         fault.took_effect ? "yes" : "<strong class=\"breaks\">no</strong>", evidence});
  }
  return section(
      "faults", "Faults",
      html_table({"#", "fault", "aim", "hit", "#from (s)", "#to (s)", "took effect", "evidence"},
                 rows));
}

// The slowest return of a node after a fault; "never" is the slowest of all.
std::string slowest_return(const RunRecord& run, const std::string& node) {
  std::optional<Nanoseconds> slowest;
  for (const Recovery& recovery : run.recoveries) {
    for (const auto& of : recovery.nodes) {
      if (of.node != node) continue;
      if (!of.served_after_end) return "<strong class=\"breaks\">never</strong>";
      slowest = std::max(slowest.value_or(Nanoseconds::zero()), *of.served_after_end);
    }
  }
  return slowest ? duration_text(*slowest) : "–";
}

std::string lives(const ReportParts& parts) {
  Nanoseconds end{};
  for (const NodeSample& sample : parts.samples) end = std::max(end, within_reason(sample.at));
  if (parts.history != nullptr && !parts.history->operations.empty())
    end = std::max(end, within_reason(parts.history->operations.back().completed_at));
  std::vector<std::vector<std::string>> rows;
  for (const NodeLife& life : lives_of(parts.samples, end)) {
    if (rows.size() == most_rows) break;
    rows.push_back({html(life.node, 30),
                    life.led > Nanoseconds::zero() ? duration_text(life.led) : "–",
                    fmt::format("{}", life.silences),
                    life.silences == 0 ? "–" : duration_text(life.longest_silence),
                    slowest_return(parts.run, life.node)});
  }
  if (rows.empty()) return {};
  return "<h4>While it ran, asked ten times a second</h4>\n" +
         html_table({"node", "#led for", "#times it stopped answering", "#at most for",
                     "#slowest to serve again after a fault"},
                    rows);
}

std::string nodes(const ReportParts& parts) {
  const RunRecord& run = parts.run;
  std::string text = "<ul class=\"plain\">\n";
  for (const std::string& word : health_words(run))
    text += fmt::format("<li>{}</li>\n", html(capitalised(word)));
  for (std::size_t i = 0; i < std::min<std::size_t>(run.health.holes.size(), 20); ++i)
    text += fmt::format("<li class=\"hole\">missing: {}</li>\n", html(run.health.holes[i]));
  text += "</ul>\n" + lives(parts);
  std::vector<std::vector<std::string>> rows;
  for (const Replica& replica : run.replicas) {
    const auto clock =
        std::find_if(run.clocks.begin(), run.clocks.end(),
                     [&](const ClockOffset& offset) { return offset.node == replica.node; });
    const std::string ahead =
        clock == run.clocks.end()
            ? "–"
            : fmt::format("{:.1f} ± {:.1f} ms", static_cast<double>(clock->ahead.count()) / 1e6,
                          static_cast<double>(clock->uncertainty.count()) / 1e6);
    if (!replica.answers) {
      rows.push_back({html(replica.node, 30),
                      "<strong class=\"breaks\">no answer</strong> " + html(replica.error, 120), "",
                      "", "", "", ahead});
      continue;
    }
    rows.push_back({html(replica.node, 30), fmt::format("{}", replica.term),
                    fmt::format("{}", replica.applied), fmt::format("{}", replica.committed),
                    fmt::format("{}", replica.revision),
                    replica.hash.empty() ? "–" : "<code>" + html(replica.hash, 40) + "</code>",
                    ahead});
  }
  if (!rows.empty()) {
    text += "<h4>At the end, when no client was at work</h4>\n";
    text += html_table({"node", "#term", "#applied", "#committed", "#revision", "hash of the state",
                        "#clock ahead"},
                       rows);
  }
  rows.clear();
  for (const LeaderChange& change : run.leaders) {
    if (rows.size() == most_rows) break;
    const std::string at = seconds_text(change.at);
    rows.push_back({fmt::format("<a class=\"at\" href=\"#t={0}\" data-at=\"{0}\">{0}</a>", at),
                    change.from.empty() ? "–" : html(change.from, 30), html(change.to, 30),
                    fmt::format("{}", change.term)});
  }
  if (!rows.empty())
    text += "<h4>Leaders, as the nodes themselves said</h4>\n" +
            html_table({"#at (s)", "from", "to", "#term"}, rows, "narrow");
  return section("nodes", "Nodes", text);
}

std::string checks(const RunRecord& run) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, outcomes] : run.coverage.functions) {
    rows.push_back(
        {html(name, 40), grouped(outcomes.ok), grouped(outcomes.fail), grouped(outcomes.info)});
  }
  std::string text = html_table({"function", "#ok", "#failed", "#unknown"}, rows, "narrow");
  rows.clear();
  std::vector<std::vector<std::string>> undecided;
  for (const CheckReport& check : run.checks) {
    rows.push_back({html(check.checker, 40), html(check_answer(check.answer)),
                    fmt::format("{} of {}", grouped(check.keys_decided), grouped(check.keys)),
                    grouped(check.findings.size()), duration_text(check.took)});
    for (const CheckReport::Undecided& key : check.undecided) {
      if (undecided.size() < most_rows)
        undecided.push_back({html(to_text(key.key), 60), html(key.why, 400)});
    }
  }
  text += html_table({"checker", "answer", "#keys decided", "#findings", "#took"}, rows, "narrow");
  if (!undecided.empty()) text += html_table({"undecided key", "why"}, undecided);
  return section("checks", "What was tested and checked", text);
}

std::string plan_and_files(const ReportParts& parts) {
  std::string text = "<div class=\"commands\">\n";
  for (const Command& command : parts.run.commands) {
    text += fmt::format(
        "<div><span class=\"dim\">{}</span><code class=\"command\" "
        "tabindex=\"0\">{}</code></div>\n",
        html(command.purpose), html(command_line(command), 4000));
  }
  text += "</div>\n";
  if (!parts.plan.empty())
    text += "<details><summary>plan.json</summary><pre>" + html_block(parts.plan) +
            "</pre></details>\n";
  text += "<h4>Files</h4>\n<ul class=\"files\">\n";
  for (const std::string& file : parts.files)
    text += fmt::format("<li><a href=\"{0}\">{0}</a></li>\n", html(file, 300));
  return section("plan", "Plan, commands and files", text + "</ul>\n");
}

Json page_data(const ReportParts& parts) {
  const auto seconds = [](Nanoseconds time) {
    return static_cast<double>(within_reason(time).count() / 1000) / 1e6;
  };
  Json data = {{"name", parts.run.name},
               {"faults", Json::array()},
               {"leaders", Json::array()},
               {"findings", Json::array()},
               {"samples", Json::array()}};
  for (const FaultSummary& fault : parts.run.faults) {
    if (!fault.began) continue;
    data["faults"].push_back({{"id", fault.spec.id},
                              {"kind", clean(fault.spec.kind, 20)},
                              {"hit", clean(fault_hit(fault), 120)},
                              {"from", seconds(*fault.began)},
                              {"to", fault.ended ? Json(seconds(*fault.ended)) : Json()}});
  }
  for (const LeaderChange& change : parts.run.leaders) {
    data["leaders"].push_back(
        {{"at", seconds(change.at)}, {"to", clean(change.to, 30)}, {"term", change.term}});
  }
  for (const Finding* finding : findings_of(parts.run)) {
    if (finding->witness.empty()) continue;  // it has no moment of its own
    Json ops = Json::array();
    for (const WitnessOperation& op : finding->witness) ops.push_back(op.id);
    Json log = Json::array();
    for (const LogLine& line : finding->context.log) {
      log.push_back({{"at", seconds(line.at)},
                     {"node", clean(line.node, 40)},
                     {"file", clean(line.file, 200)},
                     {"line", line.line},
                     {"text", clean(line.text, 200)}});
    }
    data["findings"].push_back({{"number", finding->number},
                                {"kind", to_text(finding->kind)},
                                {"headline", clean(finding->headline, 200)},
                                {"at", seconds(finding->at)},
                                {"key", clean(to_text(finding->key), 80)},
                                {"ops", std::move(ops)},
                                {"log", std::move(log)}});
  }
  for (const NodeSample& sample : parts.samples) {
    data["samples"].push_back({seconds(sample.at), clean(sample.node, 40), sample.answers,
                               clean(sample.leader, 40), sample.term});
  }
  return data;
}

}  // namespace

std::string render_report(const ReportParts& parts) {
  const RunRecord& run = parts.run;
  PageParts page;
  page.title = fmt::format("{}: {}", to_text(run.verdict), headline(run));
  page.css_class = "page report";
  page.body = header(run);
  page.body +=
      "<nav><a href=\"#findings\">Findings</a><a href=\"#timeline\">Timeline</a><a "
      "href=\"#charts\">Charts</a><a href=\"#recovery\">Recovery</a><a href=\"#faults\">Faults</a>"
      "<a href=\"#nodes\">Nodes</a><a href=\"#checks\">Checks</a><a href=\"#plan\">Plan and files"
      "</a></nav>\n<main>\n<span id=\"findings\"></span>\n";
  page.body += findings(parts) + reasons(run) + timeline(parts) + charts(parts) + recovery(run) +
               faults(run) + nodes(parts) + checks(run) + plan_and_files(parts);
  page.body += fmt::format("</main>\n<footer class=\"dim\">{} · run {}</footer>\n",
                           html(tested_words(run), 600), html(run.name, 200));
  Json data = page_data(parts);
  std::string packed;
  if (parts.history != nullptr && !parts.history->operations.empty()) {
    Trace trace = make_trace(*parts.history);
    data["trace"] = std::move(trace.names);
    data["series"] = make_series(*parts.history);
    packed = std::move(trace.packed);
  }
  page.scripts =
      fmt::format("<script type=\"application/json\" id=\"data\">{}</script>\n", script_json(data));
  page.scripts += "<script type=\"text/plain\" id=\"packed\">" + packed + "</script>\n";
  page.scripts += "<script>\n";
  if (!packed.empty()) {
    page.scripts += asset_trace();
    page.scripts += asset_timeline();
    page.scripts += asset_dygraphs();
    page.scripts += "\n";
  }
  page.scripts += asset_report();
  page.scripts += "</script>\n";
  return html_page(page);
}

}  // namespace ordeal::results
