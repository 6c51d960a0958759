#include "results/live_run.h"

#include <algorithm>
#include <fstream>
#include <map>

#include <fmt/format.h>

#include "core/file.h"
#include "core/json.h"
#include "results/pages.h"
#include "results/store.h"
#include "results/text.h"

namespace ordeal::results {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t tail_size = 256 * 1024;
constexpr std::int64_t rate_over_ns = 10'000'000'000;
constexpr std::size_t most_lately = 8;

double seconds(std::int64_t ns) { return static_cast<double>(ns / 1000) / 1e6; }

// The last whole lines of a file.
std::vector<std::string> tail_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary | std::ios::ate);
  if (!stream) return {};
  const auto size = static_cast<std::size_t>(stream.tellg());
  const std::size_t from = size > tail_size ? size - tail_size : 0;
  stream.seekg(static_cast<std::streamoff>(from));
  std::string text(size - from, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  std::vector<std::string> lines;
  std::size_t begin = from == 0 ? 0 : text.find('\n') + 1;
  for (std::size_t end = text.find('\n', begin); end != std::string::npos;
       begin = end + 1, end = text.find('\n', begin))
    lines.push_back(text.substr(begin, end - begin));
  return lines;
}

Json object_in(const fs::path& file) {
  const auto text = read_file(file);
  if (!text) return Json::object();
  auto json = parse_json(*text);
  return json && json->is_object() ? std::move(*json) : Json::object();
}

// The member of that name if it is of the kind of `otherwise`.
template <class T>
T member(const Json& json, const char* name, T otherwise) {
  try {
    return json.value(name, otherwise);
  } catch (const Json::exception&) {
    return otherwise;  // a stranger's file
  }
}

Json plan_in(const fs::path& directory) {
  const Json plan = object_in(directory / plan_file);
  const auto name = [&](const char* part) {
    return clean(member(member(plan, part, Json::object()), "name", std::string()), 60);
  };
  Json kinds = Json::object();
  for (const Json& fault : member(plan, "faults", Json::array())) {
    if (fault.is_object())
      kinds[std::to_string(member(fault, "id", 0))] =
          clean(member(fault, "kind", std::string()), 40);
  }
  return {{"cluster", name("cluster")},
          {"workload", name("workload")},
          {"nemeses", member(plan, "nemeses", std::vector<std::string>())},
          {"seed", member(plan, "seed", std::uint64_t{0})},
          {"time_s", seconds(member(plan, "time_ns", std::int64_t{0}))},
          {"kinds", std::move(kinds)}};
}

// Rates of the last seconds, as far back as the tail reaches.
void add_history(const fs::path& file, Json& live) {
  struct Seen {
    std::int64_t at;
    std::string type;
  };
  std::vector<Seen> seen;
  std::size_t events = 0;
  for (const std::string& line : tail_of(file)) {
    const auto json = parse_json(line);
    if (!json || !json->is_object() || !json->contains("index")) continue;
    events = member(*json, "index", std::size_t{0}) + 1;
    seen.push_back(
        {member(*json, "time_ns", std::int64_t{0}), member(*json, "type", std::string())});
  }
  const std::int64_t last = seen.empty() ? 0 : seen.back().at;
  std::int64_t first = last;
  std::map<std::string, std::size_t> outcomes;
  for (const Seen& event : seen) {
    if (event.at < last - rate_over_ns) continue;
    first = std::min(first, event.at);
    ++outcomes[event.type];
  }
  const double span = seconds(last - first);
  live["events"] = events;
  live["at_s"] = seconds(last);
  live["over_s"] = span;
  for (const char* outcome : {"ok", "fail", "info"})
    live["rates"][outcome] = span > 0 ? static_cast<double>(outcomes[outcome]) / span : 0.0;
}

struct Lately {
  std::int64_t at;
  std::string what, text;
};

void add_faults(const fs::path& file, const Json& kinds, std::vector<Lately>& lately, Json& live) {
  std::map<int, Json> on;
  std::size_t done = 0;
  const auto lines = read_lines(file);
  for (const std::string& line : lines ? *lines : std::vector<std::string>()) {
    const auto json = parse_json(line);
    const auto record = json ? fault_record_from_json(*json) : pass_on(json.error());
    if (!record) continue;
    const std::string kind = member(kinds, std::to_string(record->fault).c_str(), std::string("?"));
    const std::string detail = clean(record->detail, 120);
    if (record->step == FaultStep::inject) {
      on[record->fault] = {{"fault", record->fault},
                           {"kind", kind},
                           {"hit", detail},
                           {"since_s", seconds(record->at.count())}};
      lately.push_back({record->at.count(), kind, detail});
    }
    if (record->step == FaultStep::heal) {
      done += on.erase(record->fault);
      lately.push_back({record->at.count(), kind, "is being undone"});
    }
    if (record->step == FaultStep::failed || record->step == FaultStep::skipped)
      lately.push_back({record->at.count(), kind, detail});
  }
  live["faults_on"] = Json::array();
  for (auto& [id, fault] : on) live["faults_on"].push_back(std::move(fault));
  live["faults_done"] = done;
  live["faults_planned"] = kinds.size();
}

void add_nodes(const fs::path& directory, std::vector<Lately>& lately, Json& live) {
  const std::vector<NodeSample> samples = read_samples(directory);
  std::map<std::string, Json> nodes;
  for (const NodeSample& sample : samples) nodes[sample.node] = to_json(sample);
  live["nodes"] = Json::array();
  for (auto& [name, sample] : nodes) live["nodes"].push_back(std::move(sample));
  for (const LeaderChange& change : leader_changes(samples)) {
    lately.push_back({change.at.count(), "leader",
                      fmt::format("{}{}, term {}", change.from.empty() ? "" : change.from + " → ",
                                  clean(change.to, 40), change.term)});
  }
}

// Since anything of it was written.
double idle_in(const fs::path& directory) {
  fs::file_time_type latest = fs::file_time_type::min();
  for (const char* file : {history_file, "execution.json", plan_file}) {
    std::error_code failure;
    const auto written = fs::last_write_time(directory / file, failure);
    if (!failure) latest = std::max(latest, written);
  }
  return std::chrono::duration<double>(fs::file_time_type::clock::now() - latest).count();
}

}  // namespace

Result<std::string> live_json(const fs::path& directory) {
  const Json execution = object_in(directory / "execution.json");
  Json plan = plan_in(directory);
  const Json kinds = std::move(plan["kinds"]);
  plan.erase("kinds");
  Json live = {{"schema", 1},
               {"name", directory.filename().string()},
               {"phase", clean(member(execution, "phase", std::string("starting")), 40)},
               {"main_s", seconds(member(execution, "main_began_ns", std::int64_t{0}))},
               {"plan", std::move(plan)},
               {"idle_s", idle_in(directory)}};
  std::vector<Lately> lately;
  add_history(directory / history_file, live);
  add_nodes(directory, lately, live);
  add_faults(directory / ledger_file, kinds, lately, live);
  std::stable_sort(lately.begin(), lately.end(),
                   [](const Lately& a, const Lately& b) { return a.at > b.at; });
  if (lately.size() > most_lately) lately.resize(most_lately);
  live["lately"] = Json::array();
  for (const Lately& event : lately)
    live["lately"].push_back(
        {{"at_s", seconds(event.at)}, {"what", event.what}, {"text", event.text}});
  return to_line(live);
}

}  // namespace ordeal::results
