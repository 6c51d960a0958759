#include "results/index.h"

#include <algorithm>
#include <fstream>

#include <sys/stat.h>

#include "core/file.h"
#include "results/run_name.h"
#include "results/words.h"

namespace ordeal::results {

namespace fs = std::filesystem;

namespace {

// A run's name without what another judgement of it would change.
std::string identity(const std::string& name) {
  std::optional<RunName> parsed = parse_run_name(name);
  if (!parsed) return name;
  parsed->verdict.reset();
  return parsed->text();
}

Result<IndexEntry> entry_from_json(const Json& json) {
  IndexEntry entry;
  try {
    json.at("name").get_to(entry.name);
    const auto verdict = verdict_named(json.at("verdict").get<std::string>());
    if (!verdict) return error("unknown verdict");
    entry.verdict = *verdict;
    json.at("started").get_to(entry.started);
    json.at("cluster").get_to(entry.cluster);
    json.at("version").get_to(entry.version);
    json.at("workload").get_to(entry.workload);
    json.at("nemeses").get_to(entry.nemeses);
    json.at("seed").get_to(entry.seed);
    json.at("operations").get_to(entry.operations);
    json.at("headline").get_to(entry.headline);
    entry.signatures = json.value("signatures", std::vector<std::string>{});
    entry.faults_planned = json.value("faults_planned", std::size_t{0});
    entry.faults_took_effect = json.value("faults_took_effect", std::size_t{0});
    entry.duration = Nanoseconds(json.value("duration_ns", std::int64_t{0}));
    entry.options = json.value("options", std::map<std::string, std::string>{});
    entry.canary = json.value("canary", false);
  } catch (const Json::exception& failure) {
    return error("{}", failure.what());
  }
  return entry;
}

// In `earlier` runs, the oldest first.
SeenBefore look_for(const std::string& signature, const std::vector<const IndexEntry*>& earlier) {
  SeenBefore seen;
  for (const IndexEntry* entry : earlier) {
    auto of = std::find_if(seen.versions.begin(), seen.versions.end(),
                           [&](const auto& known) { return known.version == entry->version; });
    if (of == seen.versions.end()) {
      seen.versions.push_back({entry->version});
      of = std::prev(seen.versions.end());
    }
    ++of->runs;
    const auto& shown = entry->signatures;
    if (std::find(shown.begin(), shown.end(), signature) == shown.end()) continue;
    ++of->seen;
    if (seen.first.empty()) seen.first = entry->started;
    seen.last = entry->started;
  }
  return seen;
}

std::string first_headline(const RunRecord& run) {
  for (const CheckReport& check : run.checks) {
    if (!check.findings.empty()) return check.findings.front().headline;
  }
  return run.reasons.empty() ? "" : run.reasons.front().text;
}

}  // namespace

IndexEntry entry_of(const RunRecord& run) {
  IndexEntry entry;
  entry.name = run.name;
  entry.verdict = run.verdict;
  entry.started = run.started;
  entry.cluster = run.cluster;
  entry.version = run.version;
  entry.workload = run.workload;
  entry.nemeses = run.nemeses;
  entry.seed = run.seed;
  entry.operations = run.coverage.operations;
  entry.headline = first_headline(run);
  for (const Finding* finding : findings_of(run)) {
    auto& known = entry.signatures;
    if (!finding->signature.empty() &&
        std::find(known.begin(), known.end(), finding->signature) == known.end())
      known.push_back(finding->signature);
  }
  for (const auto& [kind, faults] : run.coverage.faults) {
    entry.faults_planned += faults.planned;
    entry.faults_took_effect += faults.took_effect;
  }
  entry.duration = run.duration;
  entry.options = run.options;
  entry.canary = run.canary;
  return entry;
}

Json to_json(const IndexEntry& entry) {
  return {{"name", entry.name},
          {"verdict", to_text(entry.verdict)},
          {"started", entry.started},
          {"cluster", entry.cluster},
          {"version", entry.version},
          {"workload", entry.workload},
          {"nemeses", entry.nemeses},
          {"seed", entry.seed},
          {"operations", entry.operations},
          {"headline", entry.headline},
          {"signatures", entry.signatures},
          {"faults_planned", entry.faults_planned},
          {"faults_took_effect", entry.faults_took_effect},
          {"duration_ns", entry.duration.count()},
          {"options", entry.options},
          {"canary", entry.canary}};
}

Result<void> append_index(const fs::path& runs, const RunRecord& run) {
  const fs::path file = runs / index_file;
  Result<LineLog> log = LineLog::open(file);
  if (!log) return pass_on(log.error());
  // A line that was torn by a crash must not take the next one with it.
  std::ifstream before(file, std::ios::binary);
  if (before.seekg(-1, std::ios::end) && before.get() != '\n') {
    const Result<void> ended = log->append("");
    if (!ended) return ended;
  }
  Json line = to_json(entry_of(run));
  line["schema"] = 1;
  return log->append(to_line(line));
}

Result<void> RunIndex::read(const fs::path& runs) {
  const fs::path file = runs / index_file;
  struct stat found {};
  const bool is_there = ::stat(file.c_str(), &found) == 0;
  const auto size = is_there ? static_cast<std::uint64_t>(found.st_size) : 0;
  if (!is_there || found.st_ino != inode_ || size < consumed_) {
    *this = {};
    inode_ = is_there ? found.st_ino : 0;
  }
  if (size <= consumed_) return {};
  std::ifstream stream(file, std::ios::binary);
  std::string text(size - consumed_, '\0');
  if (!stream.seekg(static_cast<std::streamoff>(consumed_)) ||
      !stream.read(text.data(), static_cast<std::streamsize>(text.size())))
    return error("cannot read {}", file.string());
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    take(text.substr(begin, end - begin));
    begin = end + 1;
  }
  consumed_ += begin;  // a torn last line is read when it is whole
  return {};
}

void RunIndex::take(const std::string& line) {
  const Result<Json> json = parse_json(line);
  Result<IndexEntry> entry = json ? entry_from_json(*json) : error("{}", json.error().message);
  if (!entry) return;
  const auto [position, is_new] = positions_.try_emplace(identity(entry->name), entries_.size());
  if (is_new) {
    entries_.push_back(std::move(*entry));
  } else {
    entries_[position->second] = std::move(*entry);
  }
}

Result<std::vector<IndexEntry>> read_index(const fs::path& runs) {
  RunIndex index;
  const Result<void> read = index.read(runs);
  if (!read) return pass_on(read.error());
  return index.entries();
}

void tell_seen_before(RunRecord& run, const fs::path& runs) {
  RunIndex index;
  if (!index.read(runs)) return;
  std::vector<const IndexEntry*> earlier;
  for (const IndexEntry& entry : index.entries()) {
    if (entry.started < run.started && entry.cluster == run.cluster &&
        entry.workload == run.workload && entry.canary == run.canary)
      earlier.push_back(&entry);
  }
  std::stable_sort(earlier.begin(), earlier.end(), [](const IndexEntry* a, const IndexEntry* b) {
    return a->started < b->started;
  });
  for (CheckReport& check : run.checks) {
    for (Finding& finding : check.findings) {
      if (!finding.signature.empty()) finding.seen_before = look_for(finding.signature, earlier);
    }
  }
}

}  // namespace ordeal::results
