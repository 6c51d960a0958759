#include <fmt/core.h>

#include "harness/commands.h"
#include "nemesis/fault.h"
#include "results/store.h"

namespace ordeal::harness {

namespace {

struct Entry {
  std::string_view name;
  std::string summary;
};

std::vector<Entry> entries(const std::string& what) {
  std::vector<Entry> list;
  if (what == "clusters") {
    for (const auto& kind : clusters::cluster_kinds())
      list.push_back({kind.name, std::string(kind.summary)});
  } else if (what == "workloads") {
    for (const auto& kind : workloads::workload_kinds())
      list.push_back({kind.name, std::string(kind.summary)});
  } else if (what == "nemeses") {
    for (const auto& fault : nemesis::faults()) {
      list.push_back({fault->kind(), std::string(fault->summary()) +
                                         (fault->by_name_only() ? " (not part of all)" : "")});
    }
  }
  return list;
}

int list_runs(const std::filesystem::path& runs, const OutputFlags& output) {
  const auto index = results::read_index(runs);
  if (!index) return broken(index.error());
  if (index->empty())
    fmt::print(stderr, "ordeal: no run is listed in {}\n", (runs / results::index_file).string());
  Json list = Json::array();
  for (const results::IndexEntry& run : *index) {
    if (output.json) {
      list.push_back(to_json(run));
    } else {
      fmt::print("{:<12}  {}  {} ops  {}\n", to_text(run.verdict), run.name, run.operations,
                 run.headline);
    }
  }
  if (output.json) fmt::print("{}", to_page({{"schema", 1}, {"runs", std::move(list)}}));
  return 0;
}

}  // namespace

int list_command(const std::string& what, const std::filesystem::path& runs,
                 const OutputFlags& output) {
  if (what == "runs") return list_runs(runs, output);
  Json json = {{"schema", 1}};
  for (const std::string kind : {"clusters", "workloads", "nemeses"}) {
    if (!what.empty() && what != kind) continue;
    if (!output.json) fmt::print("{}\n", kind);
    for (const Entry& entry : entries(kind)) {
      if (output.json) {
        json[kind].push_back({{"name", entry.name}, {"summary", entry.summary}});
      } else {
        fmt::print("  {:<12} {}\n", entry.name, entry.summary);
      }
    }
  }
  if (output.json) fmt::print("{}", to_page(json));
  return 0;
}

}  // namespace ordeal::harness
