#include "harness/witness_context.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <map>

#include <fmt/format.h>

#include "harness/server_log.h"

namespace ordeal::harness {

namespace {

namespace fs = std::filesystem;

constexpr Nanoseconds log_window = 2s;
constexpr std::size_t most_lines = 12;      // told of one finding
constexpr std::size_t most_alike = 2;       // of one node that differ in numbers only
constexpr std::size_t longest_line = 4096;  // bytes that are looked at
constexpr int routine_rank = 3;             // see rank_of
constexpr std::size_t most_gathered = 20'000;

// The fixed words of a rule's pattern: "UNAVAILABLE etcdserver: no leader" of itself, "etcdserver:
// too many requests" of "* etcdserver: too many requests".
std::string_view core_of(std::string_view pattern) {
  while (!pattern.empty() && (pattern.front() == '*' || pattern.front() == ' '))
    pattern.remove_prefix(1);
  while (!pattern.empty() && (pattern.back() == '*' || pattern.back() == ' '))
    pattern.remove_suffix(1);
  return pattern;
}

// "n4, follower of n1 in term 6; it was at revision 41, and operation 7 had been answered at 44".
std::string answered_by(const Finding& finding) {
  const auto breaks = std::find_if(finding.witness.begin(), finding.witness.end(),
                                   [](const WitnessOperation& op) { return op.breaks; });
  if (breaks == finding.witness.end() || breaks->node.empty()) return {};
  std::string text = breaks->node;
  if (!breaks->role.empty()) text += ", " + breaks->role;
  if (breaks->revision == 0) return text;
  const WitnessOperation* newest = nullptr;
  for (const WitnessOperation& op : finding.witness) {
    if (op.breaks || op.completed >= breaks->invoked || op.revision == 0) continue;
    if (newest == nullptr || op.revision > newest->revision) newest = &op;
  }
  text += fmt::format("; it answered at revision {}", breaks->revision);
  if (newest != nullptr && newest->revision > breaks->revision) {
    text += fmt::format(", although {} had answered operation {} at revision {} before",
                        newest->node, newest->id, newest->revision);
  }
  return text;
}

// What lines have in common that say the same of other numbers.
std::string template_of(const LogLine& line) {
  std::string text = line.node + '\n';
  for (const char c : line.text.substr(0, 80)) {
    if (std::isdigit(static_cast<unsigned char>(c)) == 0) text += c;
  }
  return text;
}

struct Candidate {
  LogLine line;
  int rank = 0;
  Nanoseconds distance{};
};

void choose(FindingContext& context, std::vector<Candidate> candidates) {
  context.log_lines += candidates.size();
  std::stable_sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) {
    return a.rank != b.rank ? a.rank < b.rank : a.distance < b.distance;
  });
  std::map<std::string, std::size_t> alike;
  for (Candidate& candidate : candidates) {
    if (context.log.size() == most_lines || candidate.rank == routine_rank) break;
    if (++alike[template_of(candidate.line)] > most_alike) continue;
    context.log.push_back(std::move(candidate.line));
  }
  std::stable_sort(context.log.begin(), context.log.end(),
                   [](const LogLine& a, const LogLine& b) { return a.at < b.at; });
}

Nanoseconds ahead_of(const std::string& node, const std::vector<ClockOffset>& clocks) {
  const auto found = std::find_if(clocks.begin(), clocks.end(),
                                  [&](const ClockOffset& clock) { return clock.node == node; });
  return found == clocks.end() ? Nanoseconds::zero() : found->ahead;
}

// Files of nodes/NODE/, sorted, without folders and links.
std::vector<fs::path> log_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code failure;
  for (auto entry = fs::directory_iterator(folder, failure);
       !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
    if (entry->is_regular_file(failure) && !entry->is_symlink(failure))
      files.push_back(entry->path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::string rule_for(const WitnessOperation& op, const std::vector<std::string>& definite_errors) {
  if (op.outcome == Outcome::ok) return "ok: the client was given an answer, without an error";
  if (op.outcome == Outcome::info) {
    return op.completed_at ? "unknown: this error does not prove that nothing happened, so it may "
                             "have, at any time from the request on"
                           : "unknown: no answer was recorded, so it may have happened at any time "
                             "from the request on";
  }
  constexpr std::string_view because = " because ";
  std::string any_read;
  for (const std::string& rule : definite_errors) {
    const std::size_t at = rule.find(because);
    if (at == std::string::npos) continue;
    const std::string_view pattern = core_of(std::string_view(rule).substr(0, at));
    if (!pattern.empty() && op.error.find(pattern) != std::string::npos) return "failed: " + rule;
    if (pattern == "any error of a read") any_read = rule;
  }
  if (op.request.function == Function::read && !any_read.empty()) return "failed: " + any_read;
  return "failed: the client says that it certainly did not happen";
}

std::string role_of(const std::string& node, Nanoseconds at,
                    const std::vector<NodeSample>& samples) {
  const NodeSample* latest = nullptr;
  for (const NodeSample& sample : samples) {
    if (sample.node == node && sample.at <= at) latest = &sample;
  }
  if (latest == nullptr) return {};
  if (!latest->answers) return "not answering";
  if (latest->leader == node) return fmt::format("leader in term {}", latest->term);
  if (latest->leader.empty()) return fmt::format("without a leader in term {}", latest->term);
  return fmt::format("follower of {} in term {}", latest->leader, latest->term);
}

void tell_witness(Finding& finding, const std::vector<std::string>& definite_errors,
                  const std::vector<NodeSample>& samples) {
  for (WitnessOperation& op : finding.witness) {
    op.rule = rule_for(op, definite_errors);
    op.role = role_of(op.node, op.completed_at.value_or(op.invoked_at), samples);
  }
  finding.context.answered_by = answered_by(finding);
}

std::vector<std::string> tell_log_lines(const fs::path& directory, Nanoseconds wall_origin,
                                        const std::vector<ClockOffset>& clocks,
                                        const std::vector<Finding*>& findings) {
  std::vector<std::string> holes;
  if (findings.empty() || wall_origin == Nanoseconds::zero()) return holes;
  std::vector<std::vector<Candidate>> candidates(findings.size());
  bool any_timed = false;
  std::error_code failure;
  std::vector<fs::path> folders;
  for (auto entry = fs::directory_iterator(directory / "nodes", failure);
       !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
    if (entry->is_directory(failure)) folders.push_back(entry->path());
  }
  std::sort(folders.begin(), folders.end());
  for (const fs::path& folder : folders) {
    const std::string node = folder.filename().string();
    const Nanoseconds ahead = ahead_of(node, clocks);
    for (const fs::path& file : log_files(folder)) {
      std::ifstream stream(file, std::ios::binary);
      if (!stream) holes.push_back(fmt::format("{} cannot be read", file.string()));
      std::string line;
      for (std::size_t number = 1; std::getline(stream, line); ++number) {
        const std::string_view seen = std::string_view(line).substr(0, longest_line);
        const auto wall = time_of(seen);
        if (!wall) continue;
        any_timed = true;
        const Nanoseconds at = *wall - wall_origin - ahead;
        for (std::size_t i = 0; i < findings.size(); ++i) {
          const Nanoseconds gap =
              at > findings[i]->at ? at - findings[i]->at : findings[i]->at - at;
          if (gap > log_window || candidates[i].size() >= most_gathered) continue;
          auto parsed = parse_log_line(seen);
          if (!parsed) continue;
          candidates[i].push_back({{node, "nodes/" + node + "/" + file.filename().string(), number,
                                    at, parsed->level, parsed->text.substr(0, 400)},
                                   rank_of(*parsed),
                                   gap});
        }
      }
    }
  }
  for (std::size_t i = 0; i < findings.size(); ++i) {
    if (any_timed) findings[i]->context.log_window = log_window;
    choose(findings[i]->context, std::move(candidates[i]));
  }
  return holes;
}

}  // namespace ordeal::harness
