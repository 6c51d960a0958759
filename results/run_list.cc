#include "results/run_list.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <set>

#include "core/file.h"
#include "core/json.h"
#include "results/pages.h"
#include "results/run_name.h"
#include "results/store.h"

namespace ordeal::results {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t tail_size = 256 * 1024;

std::string stamp_of(const fs::path& path) {
  std::error_code failure;
  const auto time = fs::last_write_time(path, failure);
  if (failure) return "-";
  const auto size = fs::is_regular_file(path, failure) ? fs::file_size(path, failure) : 0;
  return fmt::format("{}/{}", time.time_since_epoch().count(), size);
}

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

}  // namespace

Result<std::string> RunList::json() {
  const std::lock_guard lock(mutex_);
  const std::string stamp = stamp_of(runs_ / index_file) + " " + stamp_of(runs_);
  if (stamp == stamp_ && !json_.empty()) return json_;
  if (const auto read = index_.read(runs_); !read) return pass_on(read.error());
  // One look at the folder instead of one a run: those taken away stay in the trend only, and those
  // whose name has no verdict go on.
  std::set<std::string> there;
  std::vector<std::string> going_on;
  std::error_code failure;
  for (auto entry = fs::directory_iterator(runs_, failure);
       !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
    std::string name = entry->path().filename().string();
    const auto parsed = parse_run_name(name);
    if (parsed && !parsed->verdict) going_on.push_back(name);
    there.insert(std::move(name));
  }
  std::sort(going_on.rbegin(), going_on.rend());
  const auto& entries = index_.entries();
  told_.resize(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    auto& [entry, text] = told_[i];
    if (!text.empty() && entry == entries[i]) continue;
    entry = entries[i];
    text = to_line(to_json(entry));
    text.pop_back();  // "stored" follows
  }
  // Newest first, whenever they were judged.
  std::vector<const std::pair<IndexEntry, std::string>*> newest;
  for (const auto& told : told_) newest.push_back(&told);
  std::stable_sort(newest.begin(), newest.end(), [](const auto* a, const auto* b) {
    return a->first.started > b->first.started;
  });
  json_ = "{\"going_on\":" + to_line(going_on) + ",\"runs\":[";
  for (const auto* told : newest) {
    if (told != newest.front()) json_ += ',';
    json_ += told->second;
    json_ += there.contains(told->first.name) ? ",\"stored\":true}" : ",\"stored\":false}";
  }
  json_ += "],\"schema\":1}";
  stamp_ = stamp;
  return json_;
}

Result<std::string> live_json(const fs::path& directory) {
  Json live = {{"schema", 1}, {"name", directory.filename().string()}};
  if (const auto text = read_file(directory / "execution.json")) {
    if (const auto json = parse_json(*text); json && json->is_object())
      live["phase"] = json->value("phase", "");
  }
  std::map<std::string, std::size_t> outcomes;
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::size_t events = 0;
  for (const std::string& line : tail_of(directory / history_file)) {
    const auto json = parse_json(line);
    if (!json || !json->is_object() || !json->contains("index")) continue;
    last = json->value("time_ns", std::int64_t{0});
    if (first == 0) first = last;
    events = json->value("index", std::size_t{0}) + 1;
    ++outcomes[json->value("type", "")];
  }
  live["events"] = events;
  live["at_s"] = static_cast<double>(last) / 1e9;
  const double span = static_cast<double>(last - first) / 1e9;
  for (const char* outcome : {"ok", "fail", "info"})
    live["rates"][outcome] = span > 0 ? static_cast<double>(outcomes[outcome]) / span : 0.0;
  live["over_s"] = span;
  std::map<std::string, Json> nodes;
  for (const NodeSample& sample : read_samples(directory)) nodes[sample.node] = to_json(sample);
  live["nodes"] = Json::array();
  for (auto& [name, sample] : nodes) live["nodes"].push_back(std::move(sample));
  std::map<int, std::string> on;
  if (const auto lines = read_lines(directory / ledger_file)) {
    for (const std::string& line : *lines) {
      const auto json = parse_json(line);
      const auto record = json ? fault_record_from_json(*json) : pass_on(json.error());
      if (!record) continue;
      if (record->step == FaultStep::inject) on[record->fault] = record->detail;
      if (record->step == FaultStep::heal) on.erase(record->fault);
    }
  }
  live["faults_on"] = Json::array();
  for (const auto& [id, hit] : on) live["faults_on"].push_back({{"fault", id}, {"hit", hit}});
  return to_line(live);
}

}  // namespace ordeal::results
