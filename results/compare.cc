#include "results/compare.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "core/file.h"
#include "core/history.h"
#include "core/random.h"
#include "results/html.h"
#include "results/rate_picture.h"
#include "results/store.h"
#include "results/text.h"
#include "results/trace.h"
#include "results/words.h"

namespace ordeal::results {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t sample_size = 20'000;  // latencies of a function that are looked at
constexpr std::size_t resamples = 200;
constexpr double chance = 0.01;
// A difference that chance does not explain and nobody would notice.
constexpr double noticeable = 0.05;

// {"a": {"b": 1}} as "a.b" -> 1.
void flatten(const Json& json, const std::string& path, std::map<std::string, std::string>& to) {
  if (json.is_object()) {
    for (const auto& [name, member] : json.items())
      flatten(member, path.empty() ? name : path + "." + name, to);
    return;
  }
  to[path] = to_line(json);
}

Result<std::map<std::string, std::string>> plan_of(const fs::path& directory) {
  const auto text = read_file(directory / plan_file);
  if (!text) return pass_on(text.error());
  const auto json = parse_json(*text);
  if (!json) return pass_on(json.error(), (directory / plan_file).string());
  std::map<std::string, std::string> flat;
  flatten(*json, "", flat);
  return flat;
}

double quantile(std::vector<double>& values, double share) {
  const auto position = static_cast<std::size_t>(share * static_cast<double>(values.size() - 1));
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(position);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

// Latencies in ms of what was answered ok, by function; evenly thinned out where there are many.
std::map<std::string, std::vector<double>> latencies_of(const History& history) {
  std::map<std::string, std::vector<double>> all;
  for (const Operation& op : history.operations) {
    if (op.outcome != Outcome::ok || op.completed == never) continue;
    all[std::string(to_text(op.function))].push_back(
        static_cast<double>((op.completed_at - op.invoked_at).count()) / 1e6);
  }
  for (auto& [function, values] : all) {
    if (values.size() <= sample_size) continue;
    std::vector<double> thinned;
    for (std::size_t i = 0; i < sample_size; ++i)
      thinned.push_back(values[i * values.size() / sample_size]);
    values = std::move(thinned);
  }
  return all;
}

// The middle 95 % of what a quantile is in samples drawn from the sample (the bootstrap).
std::pair<double, double> interval(const std::vector<double>& values, double share) {
  Rng rng(1);
  std::vector<double> found;
  const std::size_t size = std::min<std::size_t>(values.size(), 2'000);
  std::vector<double> drawn(size);
  for (std::size_t round = 0; round < resamples; ++round) {
    for (double& value : drawn) value = values[rng.below(values.size())];
    found.push_back(quantile(drawn, share));
  }
  return {quantile(found, 0.025), quantile(found, 0.975)};
}

Json latency_row(const std::string& function, std::vector<double>& a, std::vector<double>& b) {
  Json row = {{"function", function}, {"samples", {a.size(), b.size()}}};
  for (const auto& [name, share] : {std::pair{"p50", 0.5}, {"p99", 0.99}}) {
    Json pair = Json::array();
    for (std::vector<double>* values : {&a, &b}) {
      const auto [low, high] = interval(*values, share);
      pair.push_back({{"ms", quantile(*values, share)}, {"low", low}, {"high", high}});
    }
    row[name] = std::move(pair);
  }
  const double p = rank_test(a, b);
  const double change = quantile(b, 0.5) / std::max(quantile(a, 0.5), 1e-6) - 1;
  row["p"] = p;
  row["median_change"] = change;
  row["says"] = p >= chance                     ? "no evidence of a difference"
                : std::abs(change) < noticeable ? "a difference, too small to matter"
                : change > 0                    ? "b is slower"
                                                : "b is faster";
  return row;
}

Json summary_of(const RunRecord& run) {
  Json functions = Json::object();
  for (const auto& [name, count] : run.coverage.functions)
    functions[name] = {{"ok", count.ok}, {"fail", count.fail}, {"info", count.info}};
  Json findings = Json::array();
  for (const Finding* finding : findings_of(run)) {
    findings.push_back({{"headline", headline(run, *finding)}, {"signature", finding->signature}});
  }
  return {
      {"name", run.name},
      {"verdict", to_text(run.verdict)},
      {"system", system_name(run)},
      {"seed", run.seed},
      {"operations", run.coverage.operations},
      {"per_second", run.duration.count() > 0 ? static_cast<double>(run.coverage.operations) * 1e9 /
                                                    static_cast<double>(run.duration.count())
                                              : 0.0},
      {"ok_during_faults",
       share(run.coverage.ok_during_faults, run.coverage.operations_during_faults)},
      {"leader_changes", run.coverage.leader_changes},
      {"faults", fault_words(run)},
      {"recovery", run.health.recovery ? duration_text(*run.health.recovery) : "-"},
      {"functions", std::move(functions)},
      {"findings", std::move(findings)}};
}

RateLine rates_of(const RunRecord& run, const History& history) {
  RateLine line;
  const Json series = make_series(history);
  line.step = std::chrono::milliseconds(series.at("width_ms").get<std::int64_t>());
  for (const Json& rate : series.at("rates")) line.per_second.push_back(rate.at(0).get<double>());
  for (const FaultSummary& fault : run.faults) {
    if (fault.began)
      line.faults.push_back(
          {fault.spec.kind, within_reason(*fault.began),
           within_reason(fault.ended.value_or(*fault.began + fault.spec.duration))});
  }
  return line;
}

std::string interval_text(const Json& value) {
  return fmt::format("{:.2f} ms ({:.2f}–{:.2f})", value.value("ms", 0.0), value.value("low", 0.0),
                     value.value("high", 0.0));
}

// "131,904" of 131904; texts as they are.
std::string shown(const Json& value) {
  return value.is_string() ? value.get<std::string>()
         : value.is_number_float()
             ? grouped(static_cast<std::size_t>(std::lround(value.get<double>())))
         : value.is_number_unsigned() ? grouped(value.get<std::size_t>())
                                      : to_line(value);
}

// Findings of one signature are one row: how many each run has, and the first of them.
void add_findings(const Json& json, std::vector<std::vector<std::string>>& rows) {
  std::vector<std::string> signatures;
  for (const char* name : {"a", "b"}) {
    for (const Json& finding : json[name].at("findings")) {
      const std::string signature = finding.value("signature", "");
      if (std::find(signatures.begin(), signatures.end(), signature) == signatures.end())
        signatures.push_back(signature);
    }
  }
  for (const std::string& signature : signatures) {
    std::vector<std::string> row = {signature.empty() ? "finding" : signature};
    for (const char* name : {"a", "b"}) {
      std::size_t count = 0;
      std::string first;
      for (const Json& finding : json[name].at("findings")) {
        if (finding.value("signature", "") == signature && ++count == 1)
          first = finding.value("headline", "");
      }
      row.push_back(count == 0   ? "-"
                    : count == 1 ? first
                                 : fmt::format("{} times, first: {}", count, first));
    }
    rows.push_back(std::move(row));
  }
}

// Rows of what both runs have: name, a, b.
std::vector<std::vector<std::string>> outcome_rows(const Json& json) {
  const Json& a = json.at("a");
  const Json& b = json.at("b");
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, words] : {std::pair{"verdict", "verdict"},
                                    {"system", "system"},
                                    {"operations", "operations"},
                                    {"per_second", "operations a second"},
                                    {"ok_during_faults", "ok while a fault was on"},
                                    {"leader_changes", "leader changes"},
                                    {"faults", "faults"},
                                    {"recovery", "whole again after the end in"}})
    rows.push_back({words, shown(a.at(name)), shown(b.at(name))});
  rows.push_back({"seed", to_line(a.at("seed")), to_line(b.at("seed"))});
  std::set<std::string> functions;
  for (const Json* run : {&a, &b})
    for (const auto& [function, counts] : run->at("functions").items()) functions.insert(function);
  for (const std::string& function : functions) {
    for (const auto& [outcome, words] :
         {std::pair{"ok", "ok"}, {"fail", "failed"}, {"info", "unknown"}}) {
      const auto cell = [&, outcome = outcome](const Json& run) {
        const Json& of = run.at("functions");
        return of.contains(function) ? shown(of.at(function).at(outcome)) : std::string("-");
      };
      rows.push_back({fmt::format("{} {}", function, words), cell(a), cell(b)});
    }
  }
  add_findings(json, rows);
  return rows;
}

}  // namespace

double rank_test(std::vector<double> a, std::vector<double> b) {
  if (a.empty() || b.empty()) return 1;
  std::vector<std::pair<double, bool>> all;
  for (const double value : a) all.emplace_back(value, true);
  for (const double value : b) all.emplace_back(value, false);
  std::sort(all.begin(), all.end());
  double rank_sum = 0;
  double ties = 0;
  for (std::size_t begin = 0; begin < all.size();) {
    std::size_t end = begin;
    std::size_t of_a = 0;
    for (; end < all.size() && all[end].first == all[begin].first; ++end) of_a += all[end].second;
    const auto size = static_cast<double>(end - begin);
    rank_sum += static_cast<double>(of_a) * (static_cast<double>(begin + end) + 1) / 2;
    ties += size * size * size - size;
    begin = end;
  }
  const auto n = static_cast<double>(a.size());
  const auto m = static_cast<double>(b.size());
  const double total = n + m;
  const double u = rank_sum - n * (n + 1) / 2;
  const double variance = n * m / 12 * (total + 1 - ties / (total * (total - 1)));
  if (variance <= 0) return 1;
  const double z = (std::abs(u - n * m / 2) - 0.5) / std::sqrt(variance);
  return std::min(1.0, std::erfc(std::max(z, 0.0) / std::sqrt(2.0)));
}

Result<Comparison> compare_runs(const fs::path& a, const fs::path& b) {
  Json json = {{"schema", 1}};
  std::vector<std::map<std::string, std::string>> plans;
  std::vector<std::map<std::string, std::vector<double>>> latencies;
  std::vector<RateLine> rates;
  plans.reserve(2);
  latencies.reserve(2);
  rates.reserve(2);
  for (const auto& [name, directory] : {std::pair{"a", a}, {"b", b}}) {
    const auto run = read_run(directory);
    if (!run) return pass_on(run.error());
    json[name] = summary_of(*run);
    auto plan = plan_of(directory);
    if (!plan) return pass_on(plan.error());
    plans.push_back(std::move(*plan));
    latencies.emplace_back();
    rates.emplace_back();
    std::error_code failure;
    if (!fs::exists(directory / history_file, failure)) continue;
    const auto history = read_history(directory / history_file);
    if (!history) return pass_on(history.error());
    latencies.back() = latencies_of(*history);
    rates.back() = rates_of(*run, *history);
    json[name]["ok_per_second"] = rates.back().per_second;
    json[name]["step_s"] = static_cast<double>(rates.back().step.count()) / 1e9;
  }
  std::set<std::string> names;
  for (const auto& plan : plans)
    for (const auto& [name, value] : plan) names.insert(name);
  json["same_plan"] = plans[0] == plans[1];
  json["plan"] = Json::array();
  for (const std::string& name : names) {
    const auto value = [&](std::size_t i) {
      const auto found = plans[i].find(name);
      return found == plans[i].end() ? std::string("-") : found->second;
    };
    if (value(0) != value(1))
      json["plan"].push_back({{"name", name}, {"a", value(0)}, {"b", value(1)}});
  }
  json["latency"] = Json::array();
  for (auto& [function, values] : latencies[0]) {
    const auto other = latencies[1].find(function);
    if (other != latencies[1].end())
      json["latency"].push_back(latency_row(function, values, other->second));
  }
  return Comparison{std::move(json), draw_rates(rates[0], rates[1])};
}

std::string render_comparison_terminal(const Comparison& comparison) {
  const Json& json = comparison.json;
  std::string text = fmt::format("  a  {}\n  b  {}\n\n", clean(json["a"].value("name", "")),
                                 clean(json["b"].value("name", "")));
  text += json.value("same_plan", false) ? "  the same plan\n" : "  what the plans differ in\n";
  std::size_t shown = 0;
  for (const Json& row : json.at("plan")) {
    if (++shown > 30) {
      text += fmt::format("    and {} more\n", json.at("plan").size() - 30);
      break;
    }
    text += fmt::format("    {}  {}  {}\n", pad(clean(row.value("name", ""), 40), 40),
                        pad(clean(row.value("a", ""), 30), 30), clean(row.value("b", ""), 30));
  }
  text += "\n  what came out\n";
  for (const auto& row : outcome_rows(json)) {
    text += fmt::format("  {} {}  {}  {}\n", row[1] == row[2] ? " " : "*",
                        pad(clean(row[0], 32), 32), pad(clean(row[1], 40), 40), clean(row[2], 40));
  }
  text += "\n  latency of what was answered ok: median, 99th percentile (95 % intervals)\n";
  for (const Json& row : json.at("latency")) {
    text += fmt::format("    {}  {}\n", pad(clean(row.value("function", ""), 12), 12),
                        row.value("says", ""));
    for (const char* name : {"p50", "p99"})
      text += fmt::format("      {}  {}  {}\n", name, pad(interval_text(row.at(name)[0]), 32),
                          interval_text(row.at(name)[1]));
  }
  return text;
}

std::string render_comparison_page(const Comparison& comparison) {
  const Json& json = comparison.json;
  const auto link = [&](const char* name) {
    const std::string run = html(json[name].value("name", ""), 200);
    return fmt::format("<a href=\"/run/{0}/\">{0}</a>", run);
  };
  const auto in_query = [&](const char* name) {
    std::string text;
    for (const char c : html(json[name].value("name", ""), 200)) {
      if (c == '+') {
        text += "%2B";  // a bare one would be a space
      } else {
        text += c;
      }
    }
    return text;
  };
  PageParts parts;
  parts.title = "Two runs";
  parts.css_class = "page list";
  parts.body = fmt::format(
      "<header class=\"top\"><h1>Two runs</h1><p class=\"meta\">a {}<br>b {}</p></header>\n<nav><a "
      "href=\"/\">Runs</a><a href=\"/trend\">Nights</a><a "
      "href=\"/api/compare.json?a={}&amp;b={}\">JSON</a></nav>\n<main>\n",
      link("a"), link("b"), in_query("a"), in_query("b"));
  std::vector<std::vector<std::string>> rows;
  for (const Json& row : json.at("plan")) {
    rows.push_back({html(row.value("name", "")), html(row.value("a", ""), 200),
                    html(row.value("b", ""), 200)});
  }
  parts.body += "<section class=\"card\"><h2>Plan</h2>";
  parts.body += rows.empty() ? "<p>The same plan.</p>" : html_table({"", "a", "b"}, rows);
  rows.clear();
  for (const auto& row : outcome_rows(json)) {
    const bool differs = row[1] != row[2];
    rows.push_back({html(row[0]), html(row[1], 300),
                    differs ? "<b>" + html(row[2], 300) + "</b>" : html(row[2], 300)});
  }
  parts.body += "</section>\n<section class=\"card\"><h2>What came out</h2>" +
                html_table({"", "a", "b"}, rows) + "</section>\n";
  if (!comparison.rates.empty())
    parts.body +=
        "<section class=\"card\"><h2>Operations a second that were answered ok</h2><p class=\"dim "
        "small\"><span class=\"key a\"></span> a &#160; <span class=\"key b\"></span> b, each from "
        "its own start</p><div class=\"scroll\">" +
        comparison.rates + "</div></section>\n";
  rows.clear();
  for (const Json& row : json.at("latency")) {
    rows.push_back({html(row.value("function", "")), interval_text(row.at("p50")[0]),
                    interval_text(row.at("p50")[1]), interval_text(row.at("p99")[0]),
                    interval_text(row.at("p99")[1]), html(row.value("says", ""))});
  }
  parts.body += "<section class=\"card\"><h2>Latency of what was answered ok</h2>" +
                html_table({"", "#median a", "#median b", "#p99 a", "#p99 b", ""}, rows) +
                "<p class=\"dim small\">In brackets the 95 % interval of the bootstrap. A "
                "difference is told when a rank test (Mann–Whitney) gives it less than 1 % by "
                "chance.</p></section>\n</main>\n";
  return html_page(parts);
}

}  // namespace ordeal::results
