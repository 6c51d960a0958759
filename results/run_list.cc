#include "results/run_list.h"

#include <algorithm>
#include <set>

#include "core/json.h"
#include "results/run_name.h"
#include "results/store.h"

namespace ordeal::results {

namespace fs = std::filesystem;

namespace {

std::string stamp_of(const fs::path& path) {
  std::error_code failure;
  const auto time = fs::last_write_time(path, failure);
  if (failure) return "-";
  const auto size = fs::is_regular_file(path, failure) ? fs::file_size(path, failure) : 0;
  return fmt::format("{}/{}", time.time_since_epoch().count(), size);
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

}  // namespace ordeal::results
